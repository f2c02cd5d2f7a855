// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TransparencyKit;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

/** The JDK's client does the same with telemetry as without, to a server that knows of none. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class JdkClientTransparencyTest extends TransparencyKit<Supplier<WebSocket.Builder>> {

  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private Containers.Running server;

  @BeforeAll
  void start() throws Exception {
    server =
        Containers.TOMCAT.start(
            List.of(
                TransparentEndpoints.Sizes.class,
                TransparentEndpoints.Closes.class,
                TransparentEndpoints.Sends.class),
            null);
  }

  @AfterAll
  void stop() throws Exception {
    server.close();
  }

  @Override
  protected Supplier<WebSocket.Builder> start(@Nullable Telemetry telemetry, Mode mode) {
    if (telemetry == null) {
      return CLIENT::newWebSocketBuilder;
    }
    WebSocketTelemetry webSockets = Transparency.webSockets(telemetry, mode);
    return () -> webSockets.newBuilder(CLIENT);
  }

  @Override
  protected void stop(Supplier<WebSocket.Builder> subject) {}

  @Override
  protected List<Mode> modes() {
    return Transparency.MODES;
  }

  /** A scenario: notes into the listener's events what it sees. */
  interface Script {
    void run(WebSocket.Builder builder, Listener listener) throws Exception;
  }

  private Map<String, Script> scripts() {
    Map<String, Script> scripts = new LinkedHashMap<>();
    scripts.put("messages", this::messages);
    scripts.put("a conversation", this::conversation);
    scripts.put("refused sends", this::refusedSends);
    scripts.put("a server that closes", this::serverThatCloses);
    scripts.put("a listener that throws", this::listenerThatThrows);
    scripts.put("a listener with stages", this::listenerWithStages);
    scripts.put("sub-protocols", this::subProtocols);
    scripts.put("refused upgrades", this::refusedUpgrades);
    scripts.put("what a builder refuses", this::builderRefuses);
    scripts.put("the upgrade's head", this::head);
    return scripts;
  }

  @Override
  protected List<Scenario<Supplier<WebSocket.Builder>>> scenarios() {
    List<Scenario<Supplier<WebSocket.Builder>>> scenarios = new ArrayList<>();
    scripts()
        .forEach(
            (name, script) ->
                scenarios.add(new Scenario<>(name, builders -> run(builders.get(), script))));
    return scenarios;
  }

  private static String run(WebSocket.Builder builder, Script script) throws Exception {
    Listener listener = new Listener();
    script.run(builder, listener);
    assertThat(listener.events).isNotEmpty();
    return String.join("\n", listener.events);
  }

  private URI uri(String path) {
    return server.uri(path + "?id=" + TransparentEndpoints.begin());
  }

  private void messages(WebSocket.Builder builder, Listener listener) throws Exception {
    WebSocket socket = builder.buildAsync(uri("/sizes"), listener).get(20, TimeUnit.SECONDS);
    listener.own = socket;
    boolean same = socket.sendText("hi", true).get(20, TimeUnit.SECONDS) == socket;
    listener.await("text 2");
    listener.note("same " + same);
    socket.sendText("p", false).get(20, TimeUnit.SECONDS);
    socket.sendText("", false).get(20, TimeUnit.SECONDS);
    socket.sendText("art", true).get(20, TimeUnit.SECONDS);
    listener.await("text 4");
    ByteBuffer bytes = ByteBuffer.allocate(3);
    socket.sendBinary(bytes, true).get(20, TimeUnit.SECONDS);
    listener.await("binary of 3");
    listener.note("read " + bytes.remaining());
    socket.sendBinary(ByteBuffer.allocate(100_000), true).get(20, TimeUnit.SECONDS);
    listener.await("binary of 100000");
    socket.sendPing(ByteBuffer.allocate(2)).get(20, TimeUnit.SECONDS);
    listener.await("pong 2");
    socket.sendPong(ByteBuffer.allocate(2)).get(20, TimeUnit.SECONDS);
    socket.sendClose(1000, "bye").get(20, TimeUnit.SECONDS);
    listener.await("close 1000 bye");
    listener.note("closed " + socket.isOutputClosed() + socket.isInputClosed());
  }

  private void conversation(WebSocket.Builder builder, Listener listener) throws Exception {
    WebSocket socket = builder.buildAsync(uri("/sends"), listener).get(20, TimeUnit.SECONDS);
    socket.sendText("go", true).get(20, TimeUnit.SECONDS);
    listener.await("text 13");
    socket.sendClose(1000, "").get(20, TimeUnit.SECONDS);
    listener.await("close 1000 ");
  }

  private void refusedSends(WebSocket.Builder builder, Listener listener) throws Exception {
    WebSocket socket = builder.buildAsync(uri("/sizes"), listener).get(20, TimeUnit.SECONDS);
    listener.attempt("null", () -> socket.sendText(null, true));
    listener.attempt("null", () -> socket.sendBinary(null, true));
    socket.sendText("a part", false).get(20, TimeUnit.SECONDS);
    listener.attempt("other type", () -> socket.sendBinary(ByteBuffer.allocate(1), true));
    listener.attempt("ping", () -> socket.sendPing(ByteBuffer.allocate(126)));
    listener.attempt("surrogate", () -> socket.sendText("\ud800", false));
    listener.attempt("code", () -> socket.sendClose(999, ""));
    listener.attempt("reason", () -> socket.sendClose(1000, "x".repeat(200)));
    listener.attempt("null reason", () -> socket.sendClose(1000, null));
    listener.attempt("request", () -> done(() -> socket.request(0)));
    socket.abort();
    listener.attempt("late", () -> socket.sendText("late", true));
    listener.attempt("late ping", () -> socket.sendPing(ByteBuffer.allocate(1)));
  }

  private static CompletableFuture<?> done(Runnable call) {
    call.run();
    return CompletableFuture.completedFuture(null);
  }

  private void serverThatCloses(WebSocket.Builder builder, Listener listener) throws Exception {
    WebSocket socket = builder.buildAsync(uri("/closes"), listener).get(20, TimeUnit.SECONDS);
    socket.sendText("go", true).get(20, TimeUnit.SECONDS);
    listener.await("close 4001 enough");
  }

  private void listenerThatThrows(WebSocket.Builder builder, Listener listener) throws Exception {
    listener.throwing = true;
    WebSocket socket = builder.buildAsync(uri("/sizes"), listener).get(20, TimeUnit.SECONDS);
    socket.sendText("hi", true).get(20, TimeUnit.SECONDS);
    listener.await("error IllegalStateException thrown");
  }

  private void listenerWithStages(WebSocket.Builder builder, Listener listener) throws Exception {
    listener.stage = new CompletableFuture<>();
    WebSocket socket = builder.buildAsync(uri("/sizes"), listener).get(20, TimeUnit.SECONDS);
    socket.sendText("hi", true).get(20, TimeUnit.SECONDS);
    listener.await("text 2");
    listener.stage.completeExceptionally(new IllegalArgumentException("late"));
    socket.sendClose(1000, "").get(20, TimeUnit.SECONDS);
    listener.await("close 1000 ");
  }

  private void subProtocols(WebSocket.Builder builder, Listener listener) throws Exception {
    WebSocket socket =
        builder
            .subprotocols("chat", "rfb")
            .buildAsync(uri("/sizes"), listener)
            .get(20, TimeUnit.SECONDS);
    listener.note("protocol " + socket.getSubprotocol());
    socket.abort();
  }

  private void refusedUpgrades(WebSocket.Builder builder, Listener listener) throws Exception {
    listener.attempt("nothing there", () -> builder.buildAsync(uri("/nothing"), listener));
    try (Socket bound = new Socket()) {
      bound.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      URI nobody = URI.create("ws://localhost:" + bound.getLocalPort() + "/");
      listener.attempt("nobody", () -> builder.buildAsync(nobody, listener));
    }
    listener.attempt("http", () -> builder.buildAsync(URI.create("http://localhost/"), listener));
    listener.attempt("no host", () -> builder.buildAsync(URI.create("ws:///path"), listener));
    listener.attempt("fragment", () -> builder.buildAsync(URI.create("ws://h/#f"), listener));
    listener.attempt("null", () -> builder.buildAsync(null, listener));
    listener.attempt("null", () -> builder.buildAsync(URI.create("ws://localhost/"), null));
  }

  private void builderRefuses(WebSocket.Builder builder, Listener listener) throws Exception {
    listener.attempt("null", () -> done(() -> builder.header(null, "value")));
    listener.attempt("null", () -> done(() -> builder.header("name", null)));
    listener.attempt("null", () -> done(() -> builder.subprotocols(null)));
    listener.attempt("null", () -> done(() -> builder.subprotocols("a", (String) null)));
    listener.attempt("null", () -> done(() -> builder.connectTimeout(null)));
    builder.header("Sec-WebSocket-Key", "mine");
    listener.attempt("its own", () -> builder.buildAsync(uri("/sizes"), listener));
  }

  /** The head that goes out, without what the README says is added. */
  private void head(WebSocket.Builder builder, Listener listener) throws Exception {
    try (ServerSocket accepting = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<List<String>> head =
          CompletableFuture.supplyAsync(() -> readHead(accepting));
      builder.header("X-Mine", "1").header("X-Mine", "2").subprotocols("chat");
      listener.attempt(
          "no answer",
          () ->
              builder.buildAsync(
                  URI.create("ws://localhost:" + accepting.getLocalPort() + "/path?q=1"),
                  listener));
      for (String line : head.get(20, TimeUnit.SECONDS)) {
        String name = line.toLowerCase(Locale.ROOT);
        if (!name.startsWith("traceparent:")
            && !name.startsWith("x-request-id:")
            && !name.startsWith("host:")
            && !name.startsWith("sec-websocket-key:")) {
          listener.note(line.replace(", chat+throughline.1", ""));
        }
      }
    }
  }

  private static List<String> readHead(ServerSocket accepting) {
    try (Socket socket = accepting.accept()) {
      BufferedReader request =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
      List<String> head = new ArrayList<>();
      for (String line = request.readLine();
          line != null && !line.isEmpty();
          line = request.readLine()) {
        head.add(line);
      }
      socket.getOutputStream().write("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n".getBytes());
      return head;
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Something that returns a stage, or throws. */
  interface Attempt {
    CompletionStage<?> run();
  }

  /** Keeps in order what it is told. */
  static final class Listener implements WebSocket.Listener {

    final List<String> events = new ArrayList<>();
    WebSocket own;
    boolean throwing;
    CompletableFuture<Void> stage;
    private final StringBuilder text = new StringBuilder();
    private int bytes;

    synchronized void note(String event) {
      events.add(event);
      notifyAll();
    }

    synchronized void await(String event) throws InterruptedException {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (!events.contains(event)) {
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        assertThat(left).as("%s in %s", event, events).isPositive();
        wait(left);
      }
    }

    /** Notes how something ends: what it throws, or what its stage fails with, unwrapped. */
    void attempt(String of, Attempt attempt) throws InterruptedException {
      CompletableFuture<String> ended = new CompletableFuture<>();
      try {
        CompletionStage<?> unused =
            attempt
                .run()
                .whenComplete(
                    (value, thrown) ->
                        ended.complete(
                            thrown == null
                                ? "done"
                                : "failed " + TransparentEndpoints.tell(thrown)));
      } catch (RuntimeException e) {
        ended.complete("threw " + TransparentEndpoints.tell(e));
      }
      note(of + " " + ended.orTimeout(20, TimeUnit.SECONDS).join().replaceAll("\\d{4,5}", "PORT"));
    }

    private CompletionStage<?> next(WebSocket webSocket, String event) {
      note(event + (own == null || own == webSocket ? "" : " of another socket"));
      webSocket.request(1);
      if (throwing) {
        throw new IllegalStateException("thrown");
      }
      return stage;
    }

    @Override
    public void onOpen(WebSocket webSocket) {
      note("open " + webSocket.getSubprotocol());
      webSocket.request(1);
    }

    @Override
    public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
      text.append(data);
      if (!last) {
        webSocket.request(1);
        return null;
      }
      String whole = text.toString();
      text.setLength(0);
      return next(webSocket, whole.startsWith("text ") ? whole : "text " + whole);
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
      bytes += data.remaining();
      if (!last) {
        webSocket.request(1);
        return null;
      }
      int whole = bytes;
      bytes = 0;
      return next(webSocket, "binary of " + whole);
    }

    @Override
    public CompletionStage<?> onPing(WebSocket webSocket, ByteBuffer message) {
      return next(webSocket, "ping " + message.remaining());
    }

    @Override
    public CompletionStage<?> onPong(WebSocket webSocket, ByteBuffer message) {
      return next(webSocket, "pong " + message.remaining());
    }

    @Override
    public CompletionStage<?> onClose(WebSocket webSocket, int code, String reason) {
      note("close " + code + " " + reason);
      return null;
    }

    @Override
    public void onError(WebSocket webSocket, Throwable error) {
      note("error " + TransparentEndpoints.tell(error));
    }
  }
}
