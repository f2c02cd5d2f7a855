// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TransparencyKit;
import jakarta.websocket.ClientEndpoint;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.CloseReason;
import jakarta.websocket.DeploymentException;
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
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

/** The containers' clients do the same with telemetry as without. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class ClientTransparencyTest
    extends TransparencyKit<Map<Containers, ClientTransparencyTest.Subject>> {

  private Containers.Running server;

  @BeforeAll
  void start() throws Exception {
    server =
        Containers.TOMCAT.start(
            List.of(Scripted.on(ClientTransparencyTest::sendAll).at("/send", "rfb")), null);
  }

  @AfterAll
  void stop() throws Exception {
    server.close();
  }

  /** A client, and its container as the application has it. */
  record Subject(Containers.Client client, WebSocketContainer container) {}

  @Override
  protected Map<Containers, Subject> start(@Nullable Telemetry telemetry, Mode mode) {
    Map<Containers, Subject> subjects = new EnumMap<>(Containers.class);
    for (Containers containers : Containers.values()) {
      Containers.Client client = containers.client();
      subjects.put(
          containers,
          new Subject(
              client,
              telemetry == null
                  ? client.container()
                  : Transparency.webSockets(telemetry, mode).wrap(client.container())));
    }
    return subjects;
  }

  @Override
  protected void stop(Map<Containers, Subject> subjects) throws Exception {
    for (Subject subject : subjects.values()) {
      subject.client().close();
    }
  }

  @Override
  protected List<Mode> modes() {
    return Transparency.MODES;
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

  @Override
  protected List<Scenario<Map<Containers, Subject>>> scenarios() {
    List<Scenario<Map<Containers, Subject>>> scenarios = new ArrayList<>();
    for (Containers containers : Containers.values()) {
      for (String sent :
          List.of(
              "hello,3", "runtime,fine", "checked,fine", "linkage,fine", "900,1001,x", "late")) {
        scenarios.add(
            new Scenario<>(
                containers + " " + sent,
                subjects -> run(subjects.get(containers).container(), sent)));
      }
      refused()
          .forEach(
              (name, connecting) ->
                  scenarios.add(
                      new Scenario<>(
                          containers + " " + name,
                          subjects -> thrown(connecting, subjects.get(containers).container()))));
    }
    return scenarios;
  }

  private String run(WebSocketContainer container, String scenario) throws Exception {
    Annotated endpoint = new Annotated();
    connect(container, endpoint, server.uri("/send?" + scenario));
    List<String> calls = new ArrayList<>();
    for (String call = ""; !call.startsWith("close"); ) {
      call = endpoint.calls.poll(20, TimeUnit.SECONDS);
      assertThat(call).as("a call after %s", calls).isNotNull();
      calls.add(call);
    }
    return String.join("\n", calls);
  }

  /** Again if Tyrus misses the answer to its upgrade, as it now and then does on a busy machine. */
  private static void connect(WebSocketContainer container, Object endpoint, URI uri)
      throws Exception {
    for (int attempt = 1; ; attempt++) {
      try {
        container.connectToServer(endpoint, uri);
        return;
      } catch (DeploymentException e) {
        if (attempt == 3 || !e.getMessage().equals("Handshake response not received.")) {
          throw e;
        }
      }
    }
  }

  private Map<String, Connecting> refused() {
    ClientEndpointConfig config = ClientEndpointConfig.Builder.create().build();
    Scripted endpoint = Scripted.on(session -> {});
    Map<String, Connecting> refused = new LinkedHashMap<>();
    refused.put("no object", c -> c.connectToServer((Object) null, server.uri("/send")));
    refused.put("no class", c -> c.connectToServer((Class<?>) null, server.uri("/send")));
    refused.put("no URI", c -> c.connectToServer(endpoint, config, null));
    refused.put("nothing there", c -> c.connectToServer(endpoint, config, server.uri("/none")));
    refused.put("no annotation", c -> c.connectToServer(new Object(), server.uri("/send")));
    return refused;
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
