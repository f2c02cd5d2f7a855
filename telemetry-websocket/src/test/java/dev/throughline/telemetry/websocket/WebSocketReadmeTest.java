// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static dev.throughline.telemetry.websocket.WebSocketKit.sessions;
import static dev.throughline.telemetry.websocket.WebSocketKit.take;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.sdk.trace.data.SpanData;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.ContainerProvider;
import jakarta.websocket.OnMessage;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.lang.reflect.Proxy;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WebSocketReadmeTest extends ReadmeKit {

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  private static final BlockingQueue<String> LINES = new LinkedBlockingQueue<>();

  private final Telemetry telemetry = recorded.telemetry();

  /** A console. */
  @ServerEndpoint("/console/{id}")
  public static final class ConsoleEndpoint {

    /** Takes a line. */
    @OnMessage
    public void line(String line) {
      LINES.add(line);
    }
  }

  @Test
  void recordsServersAndClients() throws Exception {
    List<ServerEndpointConfig> added = new ArrayList<>();
    ServerContainer serverContainer =
        (ServerContainer)
            Proxy.newProxyInstance(
                ServerContainer.class.getClassLoader(),
                new Class<?>[] {ServerContainer.class},
                (proxy, method, arguments) -> added.add((ServerEndpointConfig) arguments[0]));
    // region
    WebSocketTelemetry webSockets = WebSocketTelemetry.create(telemetry);

    serverContainer.addEndpoint(webSockets.wrap(ConsoleEndpoint.class)); // jakarta.websocket
    WebSocketContainer container = webSockets.wrap(ContainerProvider.getWebSocketContainer());
    WebSocket.Builder builder = webSockets.newBuilder(HttpClient.newHttpClient()); // java.net.http
    // endregion
    try (Containers.Running server = Containers.TOMCAT.start(added, null)) {
      Session session =
          container.connectToServer(
              Scripted.on(s -> {}),
              ClientEndpointConfig.Builder.create().build(),
              server.uri("/console/1"));
      session.getBasicRemote().sendText("one");
      assertThat(take(LINES)).isEqualTo("one");
      session.close();
      assertRecorded();
      WebSocket socket =
          builder
              .buildAsync(server.uri("/console/2"), new WebSocket.Listener() {})
              .get(10, TimeUnit.SECONDS);
      socket.sendText("two", true).get(10, TimeUnit.SECONDS);
      assertThat(take(LINES)).isEqualTo("two");
      socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(10, TimeUnit.SECONDS);
      assertRecorded();
    }
  }

  private static void assertRecorded() {
    assertThat(recorded.takeSpans(spans -> spans.size() == 4 && sessions(spans).size() == 2))
        .extracting(SpanData::getName)
        .containsExactlyInAnyOrder(
            "GET", "GET /app/console/{id}", "websocket.session", "websocket.session");
  }

  @Test
  void choosesMessages() throws Exception {
    // region
    WebSocketTelemetry commands =
        WebSocketTelemetry.builder(telemetry)
            .setMessageSpans((sent, text, bytes) -> text != null && bytes < 1_000)
            .setMessageSpanRate(10) // a second, of each session
            .build();
    // endregion
    try (Containers.Running server =
        Containers.TOMCAT.start(List.of(commands.wrap(ConsoleEndpoint.class)), null)) {
      WebSocket socket =
          commands
              .newBuilder(HttpClient.newHttpClient())
              .buildAsync(server.uri("/console/1"), new WebSocket.Listener() {})
              .get(10, TimeUnit.SECONDS);
      for (int i = 0; i < 100; i++) {
        socket.sendText("power on", true).get(10, TimeUnit.SECONDS);
        assertThat(take(LINES)).isEqualTo("power on");
      }
      socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(10, TimeUnit.SECONDS);
      assertThat(recorded.takeSpans(spans -> sessions(spans).size() == 2))
          .filteredOn(span -> span.getName().equals("websocket.send"))
          .hasSizeBetween(1, 90);
    }
  }
}
