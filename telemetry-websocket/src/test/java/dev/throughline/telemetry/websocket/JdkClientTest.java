// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static dev.throughline.telemetry.websocket.WebSocketKit.attributes;
import static dev.throughline.telemetry.websocket.WebSocketKit.send;
import static dev.throughline.telemetry.websocket.WebSocketKit.sessions;
import static dev.throughline.telemetry.websocket.WebSocketKit.take;
import static dev.throughline.telemetry.websocket.WebSocketKit.whole;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class JdkClientTest {

  private static final String TRACE = WebSocketKit.TRACE;

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  private final BlockingQueue<Session> accepted = new LinkedBlockingQueue<>();
  private final List<Containers.Running> running = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    for (Containers.Running server : running) {
      server.close();
    }
  }

  @Test
  void recordsTheUpgradeAndTheSession() throws Exception {
    Containers.Running server = serve(echo().at("/s"));
    WebSocket socket;
    try (Scope ignored = incoming().makeCurrent()) {
      socket = connect(plain(), server.uri("/s?token=secret"), new Noting());
    }
    SpanData upgrade = telemetry.takeSpan();
    assertThat(upgrade.getName()).isEqualTo("GET");
    assertThat(upgrade.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(upgrade.getTraceId()).isEqualTo(TRACE);
    assertThat(attributes(upgrade))
        .containsEntry("http.request.method", "GET")
        .containsEntry("http.response.status_code", 101L)
        .containsEntry("network.protocol.version", "1.1")
        .containsEntry("url.full", server.uri("/s?token=REDACTED").toString())
        .containsEntry("server.port", (long) server.port());
    assertThat(take(seen)).isEqualTo("open in " + TRACE);

    assertThat(socket.sendText("hello", true).get(10, TimeUnit.SECONDS)).isSameAs(socket);
    assertThat(take(seen)).isEqualTo("text echo hello in " + TRACE);
    socket.sendPing(ByteBuffer.wrap(new byte[2])).get(10, TimeUnit.SECONDS);
    assertThat(take(seen)).isEqualTo("pong 2 in " + TRACE);
    take(accepted).getBasicRemote().sendPing(ByteBuffer.wrap(new byte[3]));
    assertThat(take(seen)).isEqualTo("ping 3 in " + TRACE);
    socket.sendClose(WebSocket.NORMAL_CLOSURE, "done").get(10, TimeUnit.SECONDS);
    assertThat(take(seen)).isEqualTo("close 1000 in " + TRACE);

    SpanData session = telemetry.takeSpan();
    assertThat(session.getParentSpanId()).isEqualTo(upgrade.getSpanId());
    assertThat(attributes(session))
        .containsEntry("throughline.websocket.side", "client")
        .containsEntry("throughline.websocket.messages.sent", 1L)
        .containsEntry("throughline.websocket.bytes.sent", 5L)
        .containsEntry("throughline.websocket.messages.received", 1L)
        .containsEntry("throughline.websocket.bytes.received", 10L)
        .containsEntry("throughline.websocket.close.code", 1000L);
  }

  @Test
  void aBuilderMayBeUsedAgain() throws Exception {
    WebSocketTelemetry webSockets = plain();
    Containers.Running server = serve(webSockets.wrap(echo().at("/s")));
    WebSocket.Builder builder = webSockets.newBuilder(HttpClient.newHttpClient());
    List<String> traces = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      WebSocket socket =
          builder.buildAsync(server.uri("/s"), new Noting()).get(10, TimeUnit.SECONDS);
      List<SpanData> upgrades = telemetry.takeSpans(2);
      assertThat(upgrades.get(0).getTraceId()).isEqualTo(upgrades.get(1).getTraceId());
      traces.add(upgrades.get(0).getTraceId());
      socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(10, TimeUnit.SECONDS);
      telemetry.takeSpans(2);
    }
    assertThat(traces).doesNotHaveDuplicates();
  }

  @Test
  void theApplicationsProtocolStaysItsOwn() throws Exception {
    WebSocketTelemetry webSockets = tracing();
    Containers.Running traced =
        serve(
            webSockets.wrap(
                Scripted.on(
                        session -> {
                          seen.add("server " + session.getNegotiatedSubprotocol());
                          session.addMessageHandler(
                              String.class, whole(text -> noteTrace("text " + text)));
                        })
                    .at("/s", "vnc", "rfb")));
    WebSocket socket =
        webSockets
            .newBuilder(HttpClient.newHttpClient())
            .subprotocols("rfb", "other")
            .connectTimeout(Duration.ofSeconds(10))
            .header("X-App", "1")
            .buildAsync(traced.uri("/s"), new WebSocket.Listener() {})
            .get(10, TimeUnit.SECONDS);
    assertThat(socket.getSubprotocol()).isEqualTo("rfb");
    assertThat(take(seen)).isEqualTo("server rfb");
    try (Scope ignored = incoming().makeCurrent()) {
      socket.sendText("a", false).get(10, TimeUnit.SECONDS);
      socket.sendText("b", true).get(10, TimeUnit.SECONDS);
    }
    assertThat(take(seen)).isEqualTo("text ab in " + TRACE);
    socket.abort();
    telemetry.takeSpans(all -> all.size() >= 6 && sessions(all).size() == 2);

    WebSocket none =
        webSockets
            .newBuilder(HttpClient.newHttpClient())
            .buildAsync(traced.uri("/s"), new WebSocket.Listener() {})
            .get(10, TimeUnit.SECONDS);
    assertThat(none.getSubprotocol()).isEmpty();
    assertThat(take(seen)).isEqualTo("server ");
    try (Scope ignored = incoming().makeCurrent()) {
      none.sendText("c", true).get(10, TimeUnit.SECONDS);
    }
    assertThat(take(seen)).isEqualTo("text c in " + TRACE);
    none.abort();
    telemetry.takeSpans(all -> all.size() >= 6 && sessions(all).size() == 2);
  }

  /** As some servers do, whatever it is. */
  @Test
  void aServerThatTakesTheFirstProtocolSeesNoEnvelope() throws Exception {
    ServerEndpointConfig config =
        ServerEndpointConfig.Builder.create(Scripted.class, "/s")
            .configurator(
                new ServerEndpointConfig.Configurator() {
                  @Override
                  public String getNegotiatedSubprotocol(
                      List<String> supported, List<String> requested) {
                    return requested.isEmpty() ? "" : requested.get(0);
                  }

                  @Override
                  public <T> T getEndpointInstance(Class<T> type) {
                    return type.cast(
                        Scripted.on(s -> s.addMessageHandler(String.class, whole(seen::add))));
                  }
                })
            .build();
    Containers.Running server = serve(config);
    WebSocketTelemetry webSockets = tracing();

    WebSocket socket = connect(webSockets, server.uri("/s"), new WebSocket.Listener() {});
    assertThat(socket.getSubprotocol()).isEmpty();
    socket.sendText("untouched", true).get(10, TimeUnit.SECONDS);
    assertThat(take(seen)).isEqualTo("untouched");
    socket.abort();
    telemetry.takeSpans(3);

    WebSocket named =
        webSockets
            .newBuilder(HttpClient.newHttpClient())
            .subprotocols("chat")
            .buildAsync(server.uri("/s"), new WebSocket.Listener() {})
            .get(10, TimeUnit.SECONDS);
    assertThat(named.getSubprotocol()).isEqualTo("chat");
    named.sendText("untouched", true).get(10, TimeUnit.SECONDS);
    assertThat(take(seen)).isEqualTo("untouched");
    named.abort();
    telemetry.takeSpans(3);
  }

  @Test
  void aMessageIsHandledWhenItsStageIsComplete() throws Exception {
    WebSocketTelemetry webSockets = tracing();
    Containers.Running server = serve(webSockets.wrap(Scripted.on(accepted::add).at("/s")));
    CompletableFuture<String> handled = new CompletableFuture<>();
    WebSocket socket =
        connect(
            webSockets,
            server.uri("/s"),
            new WebSocket.Listener() {
              @Override
              public CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean l) {
                noteTrace("bytes " + data.remaining());
                return handled;
              }
            });
    telemetry.takeSpans(2);
    try (Scope ignored = incoming().makeCurrent()) {
      take(accepted).getBasicRemote().sendBinary(ByteBuffer.wrap(new byte[20]));
    }
    assertThat(take(seen)).isEqualTo("bytes 20 in " + TRACE);
    assertThat(telemetry.takeSpan().getName()).isEqualTo("websocket.send");
    handled.completeExceptionally(new IllegalArgumentException("late"));
    SpanData received = telemetry.takeSpan();
    assertThat(received.getName()).isEqualTo("websocket.receive");
    assertThat(received.getLinks()).hasSize(1);
    assertThat(attributes(received))
        .containsEntry("error.type", IllegalArgumentException.class.getName())
        .containsEntry("throughline.websocket.message.type", "binary")
        .containsEntry("throughline.websocket.message.size", 20L);
    socket.abort();
    telemetry.takeSpans(all -> sessions(all).size() == 2);
  }

  @Test
  void largeMessagesArriveInTheirParts() throws Exception {
    WebSocketTelemetry webSockets = tracing();
    Containers.Running server =
        serve(
            webSockets.wrap(
                Scripted.on(
                        session -> {
                          session.setMaxTextMessageBufferSize(400_000);
                          session.addMessageHandler(
                              String.class, whole(text -> send(session, text)));
                        })
                    .at("/s")));
    String large = "0123456789abcdef".repeat(10_000);
    StringBuilder whole = new StringBuilder();
    WebSocket socket =
        connect(
            webSockets,
            server.uri("/s"),
            new WebSocket.Listener() {
              @Override
              public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean l) {
                whole.append(data);
                webSocket.request(1);
                if (l) {
                  noteTrace("whole");
                }
                return null;
              }
            });
    try (Scope ignored = incoming().makeCurrent()) {
      socket.sendText(large, true).get(10, TimeUnit.SECONDS);
    }
    assertThat(take(seen)).isEqualTo("whole in " + TRACE);
    assertThat(whole.toString()).isEqualTo(large);
    socket.abort();
    List<SpanData> spans = telemetry.takeSpans(all -> all.size() >= 8 && sessions(all).size() == 2);
    assertThat(spans)
        .filteredOn(
            span ->
                Long.valueOf(160_000)
                    .equals(attributes(span).get("throughline.websocket.message.size")))
        .hasSize(4);
  }

  @Test
  void aRefusedUpgradeFailsAsItDoesWithoutUs() throws Exception {
    Containers.Running server = serve(echo().at("/s"));
    assertThatThrownBy(() -> connect(plain(), server.uri("/nothing"), new WebSocket.Listener() {}))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(WebSocketHandshakeException.class);
    assertThat(attributes(telemetry.takeSpan()))
        .containsEntry("http.response.status_code", 404L)
        .containsEntry("error.type", "404");

    // Its port is nobody else's to listen on, as long as it is bound.
    try (Socket bound = new Socket()) {
      bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      URI nobody = URI.create("ws://localhost:" + bound.getLocalPort());
      assertThatThrownBy(() -> connect(plain(), nobody, new WebSocket.Listener() {}))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(java.net.ConnectException.class);
    }
    assertThat(attributes(telemetry.takeSpan()))
        .containsEntry("error.type", "java.net.ConnectException")
        .doesNotContainKey("http.response.status_code");

    assertThatThrownBy(
            () ->
                plain()
                    .newBuilder(HttpClient.newHttpClient())
                    .buildAsync(URI.create("http://localhost/"), new WebSocket.Listener() {})
                    .get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(IllegalArgumentException.class);
    assertThat(attributes(telemetry.takeSpan()))
        .containsEntry("error.type", IllegalArgumentException.class.getName());
  }

  @Test
  void aLostConnectionIsAnError() throws Exception {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<Void> dropping = CompletableFuture.runAsync(() -> Dropping.serve(socket));
      WebSocket connected =
          connect(
              plain(),
              URI.create("ws://localhost:" + socket.getLocalPort() + "/"),
              new WebSocket.Listener() {
                @Override
                public CompletionStage<?> onClose(WebSocket webSocket, int code, String reason) {
                  noteTrace("close " + code);
                  return null;
                }
              });
      assertThat(take(seen)).startsWith("close 1006 in ");
      dropping.get(10, TimeUnit.SECONDS);
      assertThat(connected.isInputClosed()).isTrue();
    }
    List<SpanData> spans = telemetry.takeSpans(2);
    assertThat(attributes(sessions(spans).get(0)))
        .containsEntry("error.type", "1006")
        .containsEntry("throughline.websocket.close.code", 1006L);
  }

  /** It takes the protocol that means envelopes, and knows nothing of them. */
  @Test
  void aServerThatAgreesToTheEnvelopeAndSendsNoneIsHeard() throws Exception {
    List<String> payloads =
        List.of("plain", "\u001e", "\u001eTL10020truncated", "\u001eTL1zzzz", "\u001eTL1ffff!");
    Scripted scripted =
        Scripted.on(
            session -> {
              for (String payload : payloads) {
                send(session, payload);
                sendBytes(session, payload);
              }
            });
    Containers.Running server = serve(scripted.at("/s", Envelope.SUB_PROTOCOL));
    connect(
        tracing(),
        server.uri("/s"),
        new WebSocket.Listener() {
          @Override
          public CompletionStage<?> onText(WebSocket webSocket, CharSequence text, boolean l) {
            seen.add(text.toString());
            webSocket.request(1);
            return null;
          }

          @Override
          public CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer bytes, boolean l) {
            seen.add(StandardCharsets.ISO_8859_1.decode(bytes).toString());
            webSocket.request(1);
            if (seen.size() == 2 * payloads.size()) {
              webSocket.abort();
            }
            return null;
          }
        });
    List<SpanData> spans = telemetry.takeSpans(all -> sessions(all).size() == 1);
    for (String payload : payloads) {
      assertThat(take(seen)).isEqualTo(payload);
      assertThat(take(seen)).isEqualTo(payload);
    }
    assertThat(attributes(sessions(spans).get(0)))
        .containsEntry("throughline.websocket.envelope.faults", 6L)
        .containsEntry("throughline.websocket.messages.received", 10L);
  }

  private static void sendBytes(Session session, String payload) {
    try {
      session
          .getBasicRemote()
          .sendBinary(ByteBuffer.wrap(payload.getBytes(StandardCharsets.ISO_8859_1)));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void whatAListenerThrowsIsTheSessionsError() throws Exception {
    Containers.Running server = serve(Scripted.on(s -> send(s, "boom")).at("/s"));
    connect(
        plain(),
        server.uri("/s"),
        new WebSocket.Listener() {
          @Override
          public CompletionStage<?> onText(WebSocket webSocket, CharSequence text, boolean last) {
            throw new IllegalStateException(text.toString());
          }

          @Override
          public void onError(WebSocket webSocket, Throwable error) {
            noteTrace("error " + error.getMessage());
          }
        });
    String called = take(seen);
    assertThat(called).startsWith("error boom in ");
    List<SpanData> spans = telemetry.takeSpans(2);
    assertThat(spans).allMatch(span -> called.endsWith(span.getTraceId()));
    assertThat(attributes(sessions(spans).get(0)))
        .containsEntry("error.type", IllegalStateException.class.getName())
        .doesNotContainKey("throughline.websocket.close.code");
  }

  @Test
  void withoutTelemetryTheJdksOwnSocketIsHandedOut() throws Exception {
    Containers.Running server = serve(echo().at("/s"));
    WebSocketTelemetry off = WebSocketTelemetry.create(Telemetry.noop());
    BlockingQueue<String> plain = new LinkedBlockingQueue<>();
    WebSocket socket =
        connect(
            off,
            server.uri("/s"),
            new WebSocket.Listener() {
              @Override
              public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean l) {
                plain.add(data.toString());
                return null;
              }
            });
    assertThat(socket.getClass().getName()).startsWith("jdk.internal.");
    socket.sendText("off", true).get(10, TimeUnit.SECONDS);
    assertThat(take(plain)).isEqualTo("echo off");
    socket.abort();
  }

  private WebSocketTelemetry plain() {
    return WebSocketTelemetry.create(telemetry.telemetry());
  }

  private Scripted echo() {
    return Scripted.on(
        session -> {
          session.addMessageHandler(String.class, whole(text -> send(session, "echo " + text)));
          accepted.add(session);
        });
  }

  private WebSocketTelemetry tracing() {
    return WebSocketTelemetry.builder(telemetry.telemetry())
        .setMessageSpans(WebSocketKit.ALL)
        .build();
  }

  private Context incoming() {
    return telemetry.telemetry().extract(Map.of("traceparent", WebSocketKit.TRACEPARENT));
  }

  private Containers.Running serve(ServerEndpointConfig config) throws Exception {
    Containers.Running server = Containers.JETTY.start(List.of(config), null);
    running.add(server);
    return server;
  }

  private static WebSocket connect(
      WebSocketTelemetry webSockets, URI uri, WebSocket.Listener listener) throws Exception {
    return webSockets
        .newBuilder(HttpClient.newHttpClient())
        .buildAsync(uri, listener)
        .get(10, TimeUnit.SECONDS);
  }

  private void noteTrace(String call) {
    seen.add(call + " in " + Span.current().getSpanContext().getTraceId());
  }

  /** Notes every call and the trace that it is made in. */
  private final class Noting implements WebSocket.Listener {

    @Override
    public void onOpen(WebSocket webSocket) {
      noteTrace("open");
      webSocket.request(100);
    }

    @Override
    public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
      noteTrace("text " + data);
      return null;
    }

    @Override
    public CompletionStage<?> onPing(WebSocket webSocket, ByteBuffer message) {
      noteTrace("ping " + message.remaining());
      return null;
    }

    @Override
    public CompletionStage<?> onPong(WebSocket webSocket, ByteBuffer message) {
      noteTrace("pong " + message.remaining());
      return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
      noteTrace("close " + statusCode);
      return null;
    }
  }

  /** Answers an upgrade, and is gone. */
  private static final class Dropping {

    static void serve(ServerSocket socket) {
      try (var connection = socket.accept()) {
        var in =
            new java.io.BufferedReader(
                new java.io.InputStreamReader(
                    connection.getInputStream(), StandardCharsets.ISO_8859_1));
        String key = "";
        for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
          if (line.toLowerCase().startsWith("sec-websocket-key: ")) {
            key = line.substring("sec-websocket-key: ".length()).strip();
          }
        }
        byte[] digest =
            java.security.MessageDigest.getInstance("SHA-1")
                .digest(
                    (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
                        .getBytes(StandardCharsets.US_ASCII));
        connection
            .getOutputStream()
            .write(
                ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        + "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                        + java.util.Base64.getEncoder().encodeToString(digest)
                        + "\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
