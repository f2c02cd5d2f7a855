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

  /** Whether this container does not take an endpoint of this class. */
  boolean refuses(Class<?> type) {
    return false;
  }

  @Override
  protected List<Mode> modes() {
    return Transparency.MODES;
  }

  @Override
  protected Containers.Running start(@Nullable Telemetry telemetry, Mode mode) throws Exception {
    List<Object> endpoints = new ArrayList<>(TransparentEndpoints.programmatic());
    endpoints.addAll(StrangerEndpoints.programmatic());
    endpoints.addAll(List.of(TransparentEndpoints.class.getClasses()));
    endpoints.addAll(List.of(StrangerEndpoints.class.getClasses()));
    endpoints.removeIf(
        endpoint ->
            endpoint instanceof Class<?> type
                && (!type.isAnnotationPresent(ServerEndpoint.class) || refuses(type)));
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
    scripts.put("/coders", peer -> peer.text("1,2").binary(2).text("3,4"));
    scripts.put("/coders untaken", peer -> peer.text("none").settle().text("1,2"));
    scripts.put("/coders untaken binary", peer -> peer.binary(3).settle().text("1,2"));
    scripts.put("/coders throwing", peer -> peer.text("!1,2").settle().text("1,2"));
    scripts.put("/coders encoder throwing", peer -> peer.text("13,2").settle().text("1,2"));
    scripts.put("/uncoded", peer -> peer.text("1,2").settle().text("1,2"));
    scripts.put("/uncoded untaken", peer -> peer.text("none").settle().text("1,2"));
    scripts.put("/streamcoders", peer -> peer.text("34").binary(5).text("56"));
    scripts.put("/streamcoders null", peer -> peer.text("").settle().text("56"));
    scripts.put("/stringcoders", peer -> peer.text("text").binary(3));
    scripts.put("/overridden", peer -> peer.text("text").binary(3));
    scripts.put("/overriddenagain", peer -> peer.text("text").binary(3));
    scripts.put("/kinds", peer -> peer.text("text").binary(3).pong("pong").text("again"));
    scripts.put("/unread", peer -> peer.text("text").binary(3).text("again"));
    scripts.put("/failingstreams", peer -> peer.text("text").settle().text("again"));
    scripts.put("/failingstreams binary", peer -> peer.binary(3).settle().text("again"));
    scripts.put("/byteparts", peer -> peer.part(2, false).part(0, false).part(3, true));
    scripts.put("/nothing", peer -> peer.text("text").settle().text("again"));
    scripts.put("/unencodable", peer -> peer.text("text").settle().text("again"));
    scripts.put("/unencodable binary", peer -> peer.binary(1).settle().text("again"));
    scripts.put("/params/x/7/1.5/a%2Fb", peer -> peer.text("text"));
    scripts.put("/params/xyz/7/1.5/%E2%82%AC", peer -> peer.text("text"));
    scripts.put("/params/x/7/one/b", peer -> peer.text("text").settle().text("text"));
    scripts.put("/paramnone", peer -> peer.text("text").settle().text("text"));
    scripts.put("/closeinopen", peer -> peer.text("text"));
    scripts.put("/closeinmessage", peer -> peer.text("text").awaitClose());
    scripts.put("/closeinmessage binary", peer -> peer.binary(1).awaitClose());
    scripts.put("/closeinclose", peer -> peer.text("text"));
    scripts.put("/closeinerror", peer -> peer.text("text").awaitClose());
    scripts.put("/unmade", peer -> peer.text("text"));
    scripts.put("/configured", peer -> peer.text("text"));
    scripts.put("/classes", peer -> peer.text("text").binary(3));
    scripts.put("/nohandlers", peer -> peer.text("text").settle().binary(3));
    scripts.put("/nohandlers parts", peer -> peer.part("a", false).part("b", true));
    scripts.put("/binaryonly", peer -> peer.text("text").settle().text("again").binary(3));
    scripts.put("/late", peer -> peer.binary(3).settle().text("text"));
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
    StrangerEndpoints.CODED.clear();
    Peer peer = Peer.open(server.uri(path + "?id=" + id), "chat", "rfb");
    script.run(peer);
    peer.settle();
    List<String> events = new ArrayList<>(peer.close());
    BlockingQueue<String> calls = TransparentEndpoints.calls(id);
    boolean opened = !events.get(0).startsWith("refused") && !path.equals("/unmade");
    for (String call = ""; opened && !call.startsWith("close"); ) {
      call = calls.poll(20, TimeUnit.SECONDS);
      assertThat(call).as("a call after %s", events).isNotNull();
      events.add(call);
    }
    if (path.equals("/idle")) {
      // Its own end, or the client's answer: which of them a server hears of first, varies.
      events.remove(events.size() - 1);
    }
    if (path.contains("coded") || path.contains("coders")) {
      events.addAll(coded());
    }
    events.replaceAll(this::normal);
    return events;
  }

  /** Whether the container does with a coder what the specification says. */
  boolean comparesLife(String coded) {
    return true;
  }

  /** The calls of the coders, once as many are destroyed as were made, or none is any more. */
  private List<String> coded() throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(500);
    List<String> coded = List.copyOf(StrangerEndpoints.CODED);
    while (System.nanoTime() < end
        && coded.stream().filter(each -> each.startsWith("init")).count() * 2 != coded.size()) {
      Thread.onSpinWait();
      coded = List.copyOf(StrangerEndpoints.CODED);
    }
    return coded.stream().sorted().filter(this::comparesLife).toList();
  }

  /** Without a session's id, and the class that Jetty found the endpoint to be of. */
  String normal(String event) {
    return event
        .replaceAll("session \\[\\w+\\]", "session [ID]")
        .replaceAll("\\w+ (OPEN|CLOSE|ERROR|PONG) method", "ENDPOINT $1 method")
        .replaceAll("TyrusSession\\{.*", "SESSION")
        .replaceAll(", class org.glassfish[^\\]]*", "")
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
