// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.service.Json;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A headless Chromium with one page, driven over its DevTools protocol.
 *
 * @see <a href="https://chromedevtools.github.io/devtools-protocol/">DevTools protocol</a>
 */
final class Browser implements AutoCloseable {

  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");
  private static final String READY = "DevTools listening on ";
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final Process process;
  private final WebSocket socket;
  private final BlockingQueue<ObjectNode> messages = new LinkedBlockingQueue<>();
  private final String session;
  private int commands;

  /** Starts one with an empty profile. */
  Browser(Path program, Path profile) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    command.addAll(List.of("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"));
    command.addAll(List.of("--no-first-run", "--disable-background-networking"));
    command.addAll(List.of("--disable-component-update", "--disable-sync"));
    command.addAll(List.of("--disable-dev-shm-usage", "--window-size=1000,1000"));
    command.addAll(List.of("--remote-debugging-port=0", "--user-data-dir=" + profile));
    command.add("about:blank");
    process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    try {
      socket =
          HttpClient.newHttpClient()
              .newWebSocketBuilder()
              .buildAsync(URI.create(address()), new Messages())
              .get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      JsonNode targets = send("", "Target.getTargets", Json.object());
      String page = "";
      for (JsonNode target : targets.path("targetInfos")) {
        page =
            target.path("type").asText().equals("page") ? target.path("targetId").asText() : page;
      }
      ObjectNode attach = Json.object().put("targetId", page).put("flatten", true);
      session = send("", "Target.attachToTarget", attach).path("sessionId").asText();
    } catch (Exception | Error e) {
      kill();
      throw e;
    }
  }

  /** The program; empty where there is none. */
  static Optional<Path> find() {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private String address() throws IOException {
    var errors = process.errorReader(UTF_8);
    for (String line = errors.readLine(); line != null; line = errors.readLine()) {
      if (line.startsWith(READY)) {
        Thread drain = new Thread(() -> errors.lines().forEach(rest -> {}), "browser");
        drain.setDaemon(true);
        drain.start();
        return line.substring(READY.length());
      }
    }
    throw new IOException("The browser ended");
  }

  void open(String url) throws Exception {
    send(session, "Page.navigate", Json.object().put("url", url));
    await("document.readyState === 'complete'");
  }

  /** Clicks in the middle of an element, as a hand on a mouse does. */
  void click(String id) throws Exception {
    JsonNode box =
        evaluate(
            """
            (() => { const r = document.getElementById('%s').getBoundingClientRect();
              return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()
            """
                .formatted(id));
    for (String type : List.of("mousePressed", "mouseReleased")) {
      ObjectNode event = Json.object().put("type", type).put("button", "left").put("clickCount", 1);
      event.set("x", box.path("x"));
      event.set("y", box.path("y"));
      send(session, "Input.dispatchMouseEvent", event);
    }
  }

  /** Types text and the Enter key. */
  void type(String text) throws Exception {
    send(session, "Input.insertText", Json.object().put("text", text));
    for (String type : List.of("keyDown", "keyUp")) {
      ObjectNode event = Json.object().put("type", type).put("key", "Enter").put("text", "\r");
      send(session, "Input.dispatchKeyEvent", event.put("windowsVirtualKeyCode", 13));
    }
  }

  /** Waits until an expression is true. */
  void await(String expression) throws Exception {
    String promise =
        """
        new Promise((met, failed) => {
          const look = () => (%s) ? met(true) : setTimeout(look, 20);
          setTimeout(() => failed(new Error(document.body.innerText)), 20000);
          look();
        })
        """
            .formatted(expression);
    try {
      evaluate(promise);
    } catch (IOException e) {
      if (!String.valueOf(e.getMessage()).contains("navigated")) {
        throw e;
      }
      // The page that was asked was still the one before.
      evaluate(promise);
    }
  }

  /** What an expression, or its promise, gives. */
  JsonNode evaluate(String expression) throws Exception {
    ObjectNode arguments =
        Json.object()
            .put("expression", expression)
            .put("awaitPromise", true)
            .put("returnByValue", true);
    JsonNode answer = send(session, "Runtime.evaluate", arguments);
    if (answer.has("exceptionDetails")) {
      throw new AssertionError(answer.path("exceptionDetails").toString());
    }
    return answer.at("/result/value");
  }

  private JsonNode send(String session, String method, ObjectNode arguments) throws Exception {
    int id = ++commands;
    ObjectNode message = Json.object().put("id", id).put("method", method);
    message.set("params", arguments);
    if (!session.isEmpty()) {
      message.put("sessionId", session);
    }
    socket.sendText(message.toString(), true).get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    while (true) {
      ObjectNode answer = messages.poll(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      if (answer == null) {
        throw new IOException("The browser did not answer " + method);
      }
      if (answer.path("id").asInt() == id) {
        if (answer.has("error")) {
          throw new IOException(method + ": " + answer.path("error"));
        }
        return answer.path("result");
      }
    }
  }

  private void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** Waits for its end, since until then it writes into its profile. */
  @Override
  public void close() throws Exception {
    socket.sendText("{\"id\":0,\"method\":\"Browser.close\"}", true);
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      kill();
      process.waitFor();
    }
  }

  private final class Messages implements WebSocket.Listener {

    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
      text.append(part);
      if (last) {
        try {
          messages.add(Json.read(text.toString().getBytes(UTF_8)));
        } catch (IOException e) {
          throw new AssertionError(e);
        }
        text.setLength(0);
      }
      socket.request(1);
      return null;
    }
  }
}
