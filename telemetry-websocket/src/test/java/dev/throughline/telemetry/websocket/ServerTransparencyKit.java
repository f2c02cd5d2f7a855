// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TransparencyKit;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A container's server does the same with telemetry as without: what its clients get, and what its
 * endpoints are told, in the same order.
 */
abstract class ServerTransparencyKit extends TransparencyKit<Containers.Running> {

  private static final List<String> UPGRADES =
      List.of(
          "",
          "Sec-WebSocket-Protocol: chat, rfb\r\n",
          "Sec-WebSocket-Protocol: unknown\r\n",
          "Sec-WebSocket-Extensions: permessage-deflate\r\n",
          "Origin: http://evil.example\r\n",
          "baggage: a=\u00011,b=2\r\n",
          "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n");

  abstract Containers containers();

  /** Scenarios that this container is not held to, with the reason. */
  Set<String> leavesOut() {
    return Set.of();
  }

  @Override
  protected List<Mode> modes() {
    return Transparency.MODES;
  }

  @Override
  protected Containers.Running start(@Nullable Telemetry telemetry, Mode mode) throws Exception {
    List<Object> endpoints = new ArrayList<>(TransparentEndpoints.programmatic());
    for (Class<?> type : TransparentEndpoints.class.getClasses()) {
      if (type.isAnnotationPresent(ServerEndpoint.class)) {
        endpoints.add(type);
      }
    }
    if (telemetry != null) {
      WebSocketTelemetry webSockets = Transparency.webSockets(telemetry, mode);
      endpoints.replaceAll(
          endpoint ->
              endpoint instanceof ServerEndpointConfig config
                  ? webSockets.wrap(config)
                  : webSockets.wrap((Class<?>) endpoint));
    }
    return containers().start(endpoints, null);
  }

  @Override
  protected void stop(Containers.Running server) throws Exception {
    server.close();
  }

  /** A client's part of a scenario. */
  interface Script {
    void run(Peer peer) throws Exception;
  }

  /** Scenarios, by the path that they open; what comes before a blank is the same endpoint. */
  static Map<String, Script> scripts() {
    Map<String, Script> scripts = new LinkedHashMap<>();
    scripts.put("/sizes", peer -> peer.text("hi").binary(300_000));
    scripts.put("/sizes text over", peer -> peer.text("x".repeat(5_000)));
    scripts.put("/sizes text at", peer -> peer.text("x".repeat(1_024)).text("x".repeat(1_025)));
    scripts.put("/sizes euros", peer -> peer.text("\u20ac".repeat(400)));
    scripts.put("/sizes2", peer -> peer.text("x".repeat(50_000)).binary(1_024));
    scripts.put("/sizes2 binary over", peer -> peer.binary(5_000));
    scripts.put("/defaults", peer -> peer.text("y".repeat(5_000)).binary(100));
    scripts.put("/defaults binary over", peer -> peer.binary(200));
    scripts.put("/limitedparts", peer -> peer.text("0123456789").binary(10));
    scripts.put("/limitedparts text over", peer -> peer.text("0123456789a"));
    scripts.put("/limitedparts binary over", peer -> peer.binary(11));
    scripts.put("/limitedstreams", peer -> peer.text("0123456789").binary(10));
    scripts.put("/limitedobjects", peer -> peer.text("1,2"));
    scripts.put("/limitedobjects over", peer -> peer.text("1000000,2000000"));
    scripts.put("/limitedvalue", peer -> peer.text("12").text("123456"));
    for (String kind : List.of("runtime", "checked", "linkage", "assertion")) {
      scripts.put("/throwing " + kind, peer -> peer.text(kind).settle().text("fine"));
      scripts.put("/unheard " + kind, peer -> peer.text(kind).settle().text("fine"));
    }
    scripts.put("/throwing binary", peer -> peer.binary(1).settle().text("fine"));
    scripts.put("/throwing pong", peer -> peer.pong("p").settle().text("fine"));
    scripts.put("/throwing close", peer -> peer.text("throw when closing"));
    scripts.put("/throwing in error", peer -> peer.text("throw in error").settle().text("fine"));
    scripts.put("/throwingparts", peer -> peer.text("throw").settle().text("fine"));
    scripts.put("/throwingparts binary", peer -> peer.binary(1).settle().text("fine"));
    scripts.put("/throwinopen", peer -> peer.text("fine"));
    scripts.put("/throwinopenunheard", peer -> peer.text("fine"));
    scripts.put("/paths/1/a%20b/true", peer -> peer.text("x"));
    scripts.put("/paths/one/b/true", peer -> peer.text("x").settle().text("x"));
    scripts.put("/pathsboolean/name", peer -> peer.text("true"));
    scripts.put("/values", peer -> peer.text("7").text("-1"));
    scripts.put("/values bad", peer -> peer.text("seven").settle().text("7"));
    scripts.put("/objects", peer -> peer.text("3,4").binary(2));
    scripts.put("/objects undecoded", peer -> peer.text("nonsense").settle().text("3,4"));
    scripts.put("/sendobjects", peer -> peer.text("go"));
    scripts.put("/unencoded", peer -> peer.text("3,4").settle().text("3,4"));
    scripts.put("/inherited", peer -> peer.text("up").binary(3));
    scripts.put("/sends", peer -> peer.text("go"));
    scripts.put("/session", peer -> peer.text("go"));
    scripts.put("/idle", peer -> peer.awaitClose());
    scripts.put("/closes", peer -> peer.text("go").awaitClose());
    scripts.put("/nobody", peer -> {});
    scripts.put(
        "/parts", peer -> peer.part("a", false).part("b", true).part(2, false).part(3, true));
    scripts.put("/programmatic", peer -> peer.text("a").binary(3).pong("p"));
    scripts.put("/programmatic throw", peer -> peer.text("throw").settle().text("fine"));
    scripts.put("/programmatic binary", peer -> peer.binary(666).settle().text("fine"));
    scripts.put("/programmatic pong", peer -> peer.pong("throw").settle().text("fine"));
    scripts.put("/programmaticparts", peer -> peer.text("a").binary(3));
    scripts.put("/programmaticparts throw", peer -> peer.text("throw").settle().text("fine"));
    scripts.put("/programmaticobjects", peer -> peer.text("3,4"));
    scripts.put("/programmaticobjects bad", peer -> peer.text("nonsense").settle().text("3,4"));
    scripts.put("/programmaticobjects throw", peer -> peer.text("0,0").settle().text("3,4"));
    scripts.put("/programmaticstreams", peer -> peer.text("abc").binary(3));
    scripts.put("/programmaticstreams throw", peer -> peer.text("throw").settle().text("abc"));
    scripts.put("/programmaticopen", peer -> peer.text("fine"));
    scripts.put("/programmaticclose", peer -> {});
    scripts.put("/programmatichandlers", peer -> peer.text("go"));
    return scripts;
  }

  @Override
  protected List<Scenario<Containers.Running>> scenarios() {
    List<Scenario<Containers.Running>> scenarios = new ArrayList<>();
    scripts()
        .forEach(
            (name, script) -> {
              if (!leavesOut().contains(name)) {
                scenarios.add(new Scenario<>(name, server -> run(server, name, script)));
              }
            });
    for (String headers : UPGRADES) {
      scenarios.add(
          new Scenario<>("upgrade " + headers.strip(), server -> upgrade(server, headers)));
    }
    return scenarios;
  }

  /** Again if the connection broke: a close gets lost when its client sends at that moment. */
  private String run(Containers.Running server, String scenario, Script script) throws Exception {
    List<String> events = attempt(server, scenario, script);
    for (int i = 0; i < 20 && isBroken(scenario, events); i++) {
      events = attempt(server, scenario, script);
    }
    return String.join("\n", events);
  }

  /**
   * Whether a container's race, which it has without telemetry as well, decided what was seen:
   * Tyrus ends a session whose first time-out is set while it handles a message, and Tomcat times a
   * write out that its client's close overtakes.
   */
  private static boolean isBroken(String scenario, List<String> events) {
    return events.stream()
        .anyMatch(
            event ->
                event.equals("broken")
                    || (event.contains("idle timeout") && !scenario.startsWith("/idle"))
                    || event.contains("SocketTimeoutException"));
  }

  private List<String> attempt(Containers.Running server, String scenario, Script script)
      throws Exception {
    String path = scenario.contains(" ") ? scenario.substring(0, scenario.indexOf(' ')) : scenario;
    String id = TransparentEndpoints.begin();
    Peer peer = Peer.open(server.uri(path + "?id=" + id), "chat", "rfb");
    script.run(peer);
    peer.settle();
    List<String> events = new ArrayList<>(peer.close());
    BlockingQueue<String> calls = TransparentEndpoints.calls(id);
    boolean opened = !events.get(0).startsWith("refused");
    for (String call = ""; opened && !call.startsWith("close"); ) {
      call = calls.poll(20, TimeUnit.SECONDS);
      assertThat(call).as("a call after %s", events).isNotNull();
      events.add(call);
    }
    if (path.equals("/idle")) {
      // Its own end, or the client's answer: which of them a server hears of first, varies.
      events.remove(events.size() - 1);
    }
    events.replaceAll(this::normal);
    return events;
  }

  /** Without a session's id, and the class that Jetty found the endpoint to be of. */
  String normal(String event) {
    return event
        .replaceAll("session \\[\\w+\\]", "session [ID]")
        .replaceAll("\\w+ (OPEN|CLOSE|ERROR|PONG) method", "ENDPOINT $1 method")
        .replaceAll("path \\{id=\\d+\\}", "path {id=ID}");
  }

  /** The head of the answer, but for its date. */
  private static String upgrade(Containers.Running server, String headers) throws Exception {
    try (Socket socket = new Socket("localhost", server.port())) {
      socket.setSoTimeout(20_000);
      socket
          .getOutputStream()
          .write(
              ("GET "
                      + server.uri("/session").getPath()
                      + "?id="
                      + TransparentEndpoints.begin()
                      + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                      + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                      + headers
                      + "\r\n")
                  .getBytes(StandardCharsets.ISO_8859_1));
      BufferedReader answer =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
      List<String> head = new ArrayList<>();
      for (String line = answer.readLine();
          line != null && !line.isEmpty();
          line = answer.readLine()) {
        if (!line.toLowerCase(Locale.ROOT).startsWith("date:")) {
          head.add(line);
        }
      }
      return String.join("\n", head);
    }
  }
}
