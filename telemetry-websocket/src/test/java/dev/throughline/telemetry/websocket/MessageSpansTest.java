// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static dev.throughline.telemetry.websocket.WebSocketKit.attributes;
import static dev.throughline.telemetry.websocket.WebSocketKit.sessions;
import static dev.throughline.telemetry.websocket.WebSocketKit.take;
import static dev.throughline.telemetry.websocket.WebSocketKit.whole;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.sdk.trace.data.SpanData;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.DecodeException;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which messages have spans. */
class MessageSpansTest {

  private static final int FRAMES = 200;

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();

  @Test
  void aPredicateSeesWhatItMayChooseBy() throws Exception {
    List<String> asked = new CopyOnWriteArrayList<>();
    List<SpanData> spans =
        send(
            builder()
                .setMessageSpans(
                    (sent, text, bytes) -> {
                      asked.add(
                          (sent ? "sent " : "received ") + (text == null ? "-" : text) + bytes);
                      return sent && text != null && text.toString().contains("power");
                    }),
            session -> {
              session.getBasicRemote().sendText("power on");
              session.getBasicRemote().sendText("caf\u00e9");
              session.getBasicRemote().sendBinary(ByteBuffer.wrap(new byte[20]));
            });
    // What came in an envelope is not asked for: its sender has chosen.
    assertThat(asked)
        .contains("sent power on8", "sent caf\u00e95", "sent -20", "received caf\u00e95")
        .contains("received -20")
        .doesNotContain("received power on8");
    assertThat(spans)
        .filteredOn(span -> span.getName().startsWith("websocket.") && !isSession(span))
        .extracting(SpanData::getName)
        .containsExactlyInAnyOrder("websocket.send", "websocket.receive");
  }

  @Test
  void aRateIsThatOfASession() throws Exception {
    WebSocketTelemetryBuilder rare = builder().setMessageSpanRate(0.001);
    for (int i = 0; i < 2; i++) {
      List<SpanData> spans =
          send(
              rare,
              session -> {
                for (int frame = 0; frame < FRAMES; frame++) {
                  session.getBasicRemote().sendBinary(ByteBuffer.wrap(new byte[64]));
                }
              });
      assertThat(spans).extracting(SpanData::getName).containsOnlyOnce("websocket.send");
      // The first that comes without an envelope is the first that the server chooses.
      assertThat(spans)
          .filteredOn(span -> span.getName().equals("websocket.receive"))
          .hasSizeBetween(1, 2);
    }
  }

  @Test
  void aRateChoosesOfWhatThePredicateDoes() throws Exception {
    List<SpanData> spans =
        send(
            builder()
                .setMessageSpans((sent, text, bytes) -> sent && bytes > 3)
                .setMessageSpanRate(0.001),
            session -> {
              session.getBasicRemote().sendText("a");
              session.getBasicRemote().sendText("long one");
              session.getBasicRemote().sendText("long two");
            });
    assertThat(spans)
        .filteredOn(span -> span.getName().equals("websocket.send"))
        .singleElement()
        .satisfies(
            span ->
                assertThat(attributes(span))
                    .containsEntry("throughline.websocket.message.size", 8L));
  }

  @ParameterizedTest
  @EnumSource
  void aMessageThatNoDecoderReadsHasItsErrorOnTheSpan(Containers containers) throws Exception {
    WebSocketTelemetry webSockets = builder().setMessageSpans(WebSocketKit.ALL).build();
    Containers.Client client = containers.client();
    try (client;
        Containers.Running server =
            containers.start(
                List.of(
                    webSockets.wrap(
                        Scripted.on(
                                session ->
                                    session.addMessageHandler(
                                        Point.class, (MessageHandler.Whole<Point>) point -> {}))
                            .onError((session, thrown) -> seen.add(thrown.getMessage()))
                            .at("/s", List.of(Point.Coder.class), List.of()))),
                null)) {
      Session session =
          client
              .container()
              .connectToServer(
                  Scripted.on(s -> {}),
                  ClientEndpointConfig.Builder.create().build(),
                  server.uri("/s"));
      session.getBasicRemote().sendText("nonsense");
      assertThat(take(seen)).isEqualTo("no point");
      session.close();
    }
    assertThat(telemetry.takeSpans(all -> sessions(all).size() == 1))
        .filteredOn(span -> span.getName().equals("websocket.receive"))
        .singleElement()
        .satisfies(
            span ->
                assertThat(attributes(span))
                    .containsEntry("error.type", DecodeException.class.getName()));
  }

  @Test
  void settingsAreCheckedWhenTheyAreMade() {
    for (double rate : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> builder().setMessageSpanRate(rate))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> builder().setMessageSpans(null))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> builder().addContextSource(null))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> WebSocketTelemetry.create(null))
        .isInstanceOf(NullPointerException.class);
    WebSocketTelemetry webSockets = builder().build();
    assertThatThrownBy(() -> webSockets.wrap(Object.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ServerEndpoint");
    assertThatThrownBy(() -> webSockets.newBuilder(null)).isInstanceOf(NullPointerException.class);
  }

  private interface Sending {
    void send(Session session) throws Exception;
  }

  /** All spans of a session in which these messages were sent, and had all been handled. */
  private List<SpanData> send(WebSocketTelemetryBuilder settings, Sending sending)
      throws Exception {
    WebSocketTelemetry webSockets = settings.build();
    Containers.Client client = Containers.TOMCAT.client();
    try (client;
        Containers.Running server =
            Containers.TOMCAT.start(
                List.of(
                    webSockets.wrap(
                        Scripted.on(
                                session -> {
                                  session.addMessageHandler(
                                      String.class, whole(text -> note(session, text)));
                                  session.addMessageHandler(
                                      ByteBuffer.class, whole(bytes -> note(session, "bytes")));
                                })
                            .at("/s"))),
                null)) {
      Session session =
          webSockets
              .wrap(client.container())
              .connectToServer(
                  Scripted.on(s -> {}),
                  ClientEndpointConfig.Builder.create().build(),
                  server.uri("/s"));
      sending.send(session);
      session.getBasicRemote().sendText("!");
      while (!take(seen).equals("!")) {
        // Those before it.
      }
      session.close();
      return telemetry.takeSpans(all -> sessions(all).size() == 2);
    }
  }

  private void note(Session session, String text) {
    assertThat(Span.current().getSpanContext().isValid()).as(session.getId()).isTrue();
    seen.add(text);
  }

  private static boolean isSession(SpanData span) {
    return span.getName().equals("websocket.session");
  }

  private WebSocketTelemetryBuilder builder() {
    return WebSocketTelemetry.builder(telemetry.telemetry());
  }
}
