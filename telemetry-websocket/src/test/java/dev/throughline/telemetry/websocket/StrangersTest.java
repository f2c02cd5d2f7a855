// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.websocket.WebSocketKit.sessions;
import static dev.throughline.telemetry.websocket.WebSocketKit.take;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.trace.data.SpanData;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a stranger writes into an upgrade or a message is not sent on as it came, nor counted by.
 */
class StrangersTest {

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  private final BlockingQueue<Map<String, String>> sentOn = new LinkedBlockingQueue<>();

  @ParameterizedTest
  @CsvSource({
    "/app/vnc/7, /app/vnc/{id}",
    "/app;secret=1/vnc/7, /app/vnc/{id}",
    "/%61pp/vnc/7, /app/vnc/{id}",
    "/anything/../app/./vnc/7, /app/vnc/{id}",
    "/anything/%2e%2e/app//vnc/x/../7, /app/vnc/{id}",
    "/vnc/7;jsessionid=1, /vnc/{id}",
    "/../../vnc/7, /vnc/{id}"
  })
  void aRouteHasNothingOfAClientsOwnChoice(String path, String route) {
    Upgrade upgrade =
        Upgrade.received(URI.create("ws://localhost" + path), "/vnc/{id}", Map.of(), Set.of());
    assertThat(upgrade.route).isEqualTo(route);
  }

  @Test
  void aServersMetricsDoNotNameTheHostThatAClientAskedFor() {
    Upgrade upgrade =
        Upgrade.received(
            URI.create("ws://localhost/some/path"),
            "",
            Map.of("Host", List.of("evil.example")),
            Set.of());
    assertThat(upgrade.route).isNull();
    SocketSession session =
        new Sockets(WebSocketTelemetry.builder(telemetry.telemetry())).open(upgrade);
    assertThat(session.point.asMap())
        .containsOnlyKeys(AttributeKey.stringKey("throughline.websocket.side"));
    session.end(1000, null);
    telemetry.takeSpan();
  }

  @ParameterizedTest
  @EnumSource
  void theRouteOfADisguisedPathIsThatOfItsEndpoint(Containers containers) throws Exception {
    WebSocketTelemetry webSockets = WebSocketTelemetry.create(telemetry.telemetry());
    String prefix = containers == Containers.TYRUS ? "" : "/app";
    try (Containers.Running server =
        containers.start(List.of(webSockets.wrap(Scripted.on(s -> {}).at("/vnc/{id}"))), null)) {
      Peer peer =
          Peer.open(
              URI.create("ws://localhost:" + server.port() + prefix + "/vnc/7;secret=everything"));
      peer.close();
      telemetry.takeSpans(
          all -> peer.events.get(0).startsWith("refused") || sessions(all).size() == 1);
      if (!peer.events.get(0).startsWith("refused")) {
        assertThat(
                telemetry
                    .metric("throughline.websocket.sessions.active")
                    .getLongSumData()
                    .getPoints())
            .extracting(point -> point.getAttributes().get(AttributeKey.stringKey("http.route")))
            .containsOnly(prefix + "/vnc/{id}");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noControlCharacterOfAQueryGoesOut(boolean on) throws Exception {
    serve(
        on,
        "/s?traceparent="
            + WebSocketKit.TRACEPARENT
            + "&baggage=a%3D1%0D%0AX-Injected%3A%201%2Cb%3D%01&tracestate=k%3Dv%0D%0Aw");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noControlCharacterOfAFirstMessageGoesOut(boolean on) throws Exception {
    serve(
        on, "/s", "traceparent:" + WebSocketKit.TRACEPARENT + "\nbaggage:a=1\r,b=\u0001\u007f2\n");
  }

  /** Opens this path, sends these messages, and takes what goes out of the handler. */
  private void serve(boolean on, String path, String... messages) throws Exception {
    Telemetry server = on ? telemetry.telemetry() : Telemetry.noop();
    WebSocketTelemetry webSockets =
        WebSocketTelemetry.builder(server)
            .addContextSource(ContextSource.QUERY)
            .addContextSource(ContextSource.SUB_PROTOCOL)
            .addContextSource(ContextSource.FIRST_MESSAGE)
            .build();
    try (Containers.Running running =
        Containers.TOMCAT.start(
            List.of(
                webSockets.wrap(
                    Scripted.on(
                            session ->
                                session.addMessageHandler(
                                    String.class,
                                    WebSocketKit.whole(
                                        text -> {
                                          Map<String, String> carrier = new HashMap<>();
                                          server.inject(carrier);
                                          sentOn.add(carrier);
                                        })))
                        .at("/s"))),
            null)) {
      Peer peer = Peer.open(running.uri(path));
      for (String message : messages) {
        peer.text(message);
      }
      peer.text("go").settle().close();
      assertThat(take(sentOn))
          .allSatisfy((name, value) -> assertThat(value).as(name).matches("[\\x20-\\x7e]*"));
      if (on) {
        telemetry.takeSpans(all -> sessions(all).size() == 1);
      }
    }
  }

  @Test
  void onlyAContextIsSentBackAsASubProtocol() {
    String context = "traceparent." + WebSocketKit.TRACEPARENT;
    assertThat(Protocols.answer("", List.of("traceparent.evil", context), false, true))
        .isEqualTo(context);
    assertThat(Protocols.answer("", List.of("traceparent.<script>"), false, true)).isEmpty();
  }

  @Test
  void anEnvelopeWithControlCharactersIsNone() {
    String context = "baggage:a=\u0001\n";
    String envelope = Envelope.MAGIC + "%04x".formatted(context.length()) + context + "payload";
    assertThat(Envelope.open(envelope, true).fault()).isTrue();
    assertThat(envelope.getBytes(StandardCharsets.UTF_8)).hasSize(envelope.length());
  }

  @ParameterizedTest
  @EnumSource
  void whatIsWrappedTwiceIsRecordedOnce(Containers containers) throws Exception {
    WebSocketTelemetry webSockets =
        WebSocketTelemetry.builder(telemetry.telemetry()).setMessageSpans(WebSocketKit.ALL).build();
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    ServerEndpointConfig plain =
        Scripted.on(s -> s.addMessageHandler(String.class, WebSocketKit.whole(seen::add))).at("/s");
    ServerEndpointConfig configured =
        ServerEndpointConfig.Builder.create(Scripted.class, "/s")
            .configurator(new Both(webSockets.createConfigurator(), plain.getConfigurator()))
            .build();
    Containers.Client client = containers.client();
    WebSocketContainer once = webSockets.wrap(client.container());
    assertThat(webSockets.wrap(once)).isSameAs(once);
    ServerEndpointConfig wrapped = webSockets.wrap(configured);
    assertThat(webSockets.wrap(wrapped)).isSameAs(wrapped);
    try (client;
        Containers.Running server = containers.start(List.of(wrapped), null)) {
      Session session =
          webSockets
              .wrap(once)
              .connectToServer(
                  Scripted.on(s -> {}),
                  ClientEndpointConfig.Builder.create().build(),
                  server.uri("/s"));
      session.getBasicRemote().sendText("once");
      assertThat(take(seen)).isEqualTo("once");
      session.close();
      List<SpanData> spans = telemetry.takeSpans(all -> sessions(all).size() == 2);
      assertThat(spans)
          .extracting(SpanData::getName)
          .containsExactlyInAnyOrder(
              "GET",
              "GET " + server.uri("/s").getPath(),
              "websocket.send",
              "websocket.receive",
              "websocket.session",
              "websocket.session");
    }
    assertThat(telemetry.metric("throughline.websocket.messages").getLongSumData().getPoints())
        .extracting(LongPointData::getValue)
        .containsOnly(1L);
  }

  /** A configurator of ours, with an application's endpoint. */
  private static final class Both extends ForwardingConfigurator {

    private final ServerEndpointConfig.Configurator endpoints;

    Both(
        ServerEndpointConfig.Configurator configurator,
        ServerEndpointConfig.Configurator endpoints) {
      super(configurator);
      this.endpoints = endpoints;
    }

    @Override
    public <T> T getEndpointInstance(Class<T> type) throws InstantiationException {
      return endpoints.getEndpointInstance(type);
    }
  }
}
