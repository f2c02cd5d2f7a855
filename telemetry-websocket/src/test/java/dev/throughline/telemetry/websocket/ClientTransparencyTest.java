// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.throughline.telemetry.Telemetry;
import jakarta.websocket.ClientEndpoint;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.CloseReason;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.OnClose;
import jakarta.websocket.OnError;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

/** The containers' clients do the same with telemetry as without. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClientTransparencyTest {

  private Containers.Running server;
  private final Map<Containers, Containers.Client> clients = new LinkedHashMap<>();
  private final Map<String, WebSocketTelemetry> wrappers = new LinkedHashMap<>();
  private final List<Telemetry> telemetries = new ArrayList<>();

  @BeforeAll
  void start() throws Exception {
    server =
        Containers.TOMCAT.start(
            List.of(Scripted.on(ClientTransparencyTest::sendAll).at("/send", "rfb")), null);
    for (Containers containers : Containers.values()) {
      clients.put(containers, containers.client());
    }
    telemetries.add(TransparencyKit.telemetry("always_on"));
    telemetries.add(TransparencyKit.telemetry("always_off"));
    wrappers.put("on", WebSocketTelemetry.create(telemetries.get(0)));
    wrappers.put("on for each message", each(telemetries.get(0)));
    wrappers.put("sampling nothing", each(telemetries.get(1)));
    wrappers.put("off", WebSocketTelemetry.create(Telemetry.noop()));
  }

  private static WebSocketTelemetry each(Telemetry telemetry) {
    return WebSocketTelemetry.builder(telemetry).setMessageSpans(WebSocketKit.ALL).build();
  }

  @AfterAll
  void stop() throws Exception {
    for (Containers.Client client : clients.values()) {
      client.close();
    }
    server.close();
    telemetries.forEach(Telemetry::close);
  }

  /** Once the client says that it is open, sends what its query names, and closes. */
  private static void sendAll(Session session) {
    session.addMessageHandler(
        String.class,
        (MessageHandler.Whole<String>)
            open -> {
              try {
                for (String message : session.getQueryString().split(",", -1)) {
                  if (message.matches("\\d+")) {
                    session
                        .getBasicRemote()
                        .sendBinary(ByteBuffer.allocate(Integer.parseInt(message)));
                  } else {
                    session.getBasicRemote().sendText(message);
                  }
                }
                session.close(new CloseReason(CloseReason.CloseCodes.NORMAL_CLOSURE, "bye"));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  /** Notes what it is told, and throws what it is sent. */
  @ClientEndpoint(subprotocols = "rfb")
  public static final class Annotated {

    final BlockingQueue<String> calls = new LinkedBlockingQueue<>();

    @OnOpen
    public void open(Session session) throws IOException {
      calls.add("open " + session.getNegotiatedSubprotocol());
      session.getBasicRemote().sendText("open");
    }

    @OnMessage(maxMessageSize = 20)
    public void text(String text) throws IOException {
      calls.add("text " + text);
      switch (text) {
        case "runtime" -> throw new IllegalStateException("runtime");
        case "checked" -> throw new IOException("checked");
        case "linkage" -> throw new NoClassDefFoundError("linkage");
        default -> {}
      }
    }

    @OnMessage(maxMessageSize = 1000)
    public void binary(byte[] bytes) {
      calls.add("binary " + bytes.length);
    }

    @OnError
    public void failed(Throwable thrown) {
      calls.add("error " + TransparentEndpoints.tell(thrown));
    }

    @OnClose
    public void closed(CloseReason reason) {
      calls.add("close " + reason.getCloseCode().getCode() + " " + reason.getReasonPhrase());
    }
  }

  @TestFactory
  Stream<DynamicTest> doesTheSame() {
    List<String> scenarios =
        List.of("hello,3", "runtime,fine", "checked,fine", "linkage,fine", "900,1001,x", "late");
    return clients.keySet().stream()
        .flatMap(
            containers ->
                scenarios.stream()
                    .map(
                        scenario ->
                            dynamicTest(
                                containers + " " + scenario, () -> compare(containers, scenario))));
  }

  private void compare(Containers containers, String scenario) throws Exception {
    WebSocketContainer bare = clients.get(containers).container();
    List<String> expected = run(bare, scenario);
    for (Map.Entry<String, WebSocketTelemetry> each : wrappers.entrySet()) {
      assertThat(run(each.getValue().wrap(bare), scenario))
          .as("telemetry %s", each.getKey())
          .isEqualTo(expected);
    }
  }

  private List<String> run(WebSocketContainer container, String scenario) throws Exception {
    Annotated endpoint = new Annotated();
    container.connectToServer(endpoint, server.uri("/send?" + scenario));
    List<String> calls = new ArrayList<>();
    for (String call = ""; !call.startsWith("close"); ) {
      call = endpoint.calls.poll(20, TimeUnit.SECONDS);
      assertThat(call).as("a call after %s", calls).isNotNull();
      calls.add(call);
    }
    return calls;
  }

  @TestFactory
  Stream<DynamicTest> refusesTheSame() {
    ClientEndpointConfig config = ClientEndpointConfig.Builder.create().build();
    Scripted endpoint = Scripted.on(session -> {});
    URI uri = server.uri("/send");
    Map<String, Connecting> refused = new LinkedHashMap<>();
    refused.put("no object", c -> c.connectToServer((Object) null, uri));
    refused.put("no class", c -> c.connectToServer((Class<?>) null, uri));
    refused.put("no URI", c -> c.connectToServer(endpoint, config, null));
    refused.put("nothing there", c -> c.connectToServer(endpoint, config, server.uri("/none")));
    refused.put("no annotation", c -> c.connectToServer(new Object(), uri));
    return clients.keySet().stream()
        .flatMap(
            containers ->
                refused.entrySet().stream()
                    .map(
                        each ->
                            dynamicTest(
                                containers + " " + each.getKey(),
                                () -> {
                                  WebSocketContainer bare = clients.get(containers).container();
                                  String expected = thrown(each.getValue(), bare);
                                  for (WebSocketTelemetry wrapper : wrappers.values()) {
                                    assertThat(thrown(each.getValue(), wrapper.wrap(bare)))
                                        .isEqualTo(expected);
                                  }
                                })));
  }

  /** Opens a socket. */
  interface Connecting {
    Session connect(WebSocketContainer container) throws Exception;
  }

  private static String thrown(Connecting connecting, WebSocketContainer container) {
    try {
      return "opened " + connecting.connect(container).isOpen();
    } catch (Exception e) {
      return e.getClass().getName();
    }
  }
}
