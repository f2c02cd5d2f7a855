// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static dev.throughline.telemetry.websocket.WebSocketKit.attributes;
import static dev.throughline.telemetry.websocket.WebSocketKit.sessions;
import static dev.throughline.telemetry.websocket.WebSocketKit.take;
import static dev.throughline.telemetry.websocket.WebSocketKit.whole;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A session that outlives the limit of a span. */
class SegmentsTest {

  @RegisterExtension
  final TelemetryExtension telemetry =
      TelemetryExtension.builder().addProperty("telemetry.segment.limit", "200ms").build();

  @ParameterizedTest
  @EnumSource
  void aSessionIsSeenWhileItIsOpen(Containers containers) throws Exception {
    WebSocketTelemetry webSockets = WebSocketTelemetry.create(telemetry.telemetry());
    BlockingQueue<SpanContext> handledIn = new LinkedBlockingQueue<>();
    List<SpanData> spans = new ArrayList<>();
    try (Containers.Running server =
        containers.start(
            List.of(
                webSockets.wrap(
                    Scripted.on(
                            session ->
                                session.addMessageHandler(
                                    String.class,
                                    whole(text -> handledIn.add(Span.current().getSpanContext()))))
                        .at("/s"))),
            null)) {
      WebSocket socket =
          webSockets
              .newBuilder(HttpClient.newHttpClient())
              .buildAsync(server.uri("/s"), new WebSocket.Listener() {})
              .get(10, TimeUnit.SECONDS);
      socket.sendText("one", true).get(10, TimeUnit.SECONDS);
      SpanContext first = take(handledIn);
      spans.addAll(
          telemetry.takeSpans(
              all -> has(all, "messages.sent", 1) && has(all, "messages.received", 1)));
      assertThat(socket.isInputClosed()).isFalse();
      socket.sendText("three", true).get(10, TimeUnit.SECONDS);
      SpanContext later = take(handledIn);
      assertThat(later.getTraceId()).isEqualTo(first.getTraceId());
      assertThat(later.getSpanId()).as("the present segment").isNotEqualTo(first.getSpanId());
      socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(10, TimeUnit.SECONDS);
      spans.addAll(telemetry.takeSpans(all -> ends(all) == 2));
    }
    for (String side : List.of("client", "server")) {
      check(
          spans,
          sessions(spans).stream()
              .filter(span -> side.equals(attributes(span).get("throughline.websocket.side")))
              .toList(),
          side.equals("client") ? "messages.sent" : "messages.received");
    }
  }

  private static void check(List<SpanData> all, List<SpanData> segments, String count) {
    assertThat(segments).hasSizeGreaterThan(1);
    SpanData upgrade =
        all.stream()
            .filter(span -> span.getSpanId().equals(segments.get(0).getParentSpanId()))
            .findFirst()
            .orElseThrow();
    SpanContext before = upgrade.getSpanContext();
    for (int i = 0; i < segments.size(); i++) {
      SpanData segment = segments.get(i);
      boolean last = i == segments.size() - 1;
      Map<String, Object> attributes = attributes(segment);
      assertThat(attributes)
          .containsEntry("throughline.segment.number", i + 1L)
          .containsEntry(
              "throughline.websocket.opened",
              attributes(segments.get(0)).get("throughline.websocket.opened"));
      assertThat(attributes.containsKey("throughline.websocket.closed")).isEqualTo(last);
      assertThat(attributes.containsKey("throughline.websocket.close.code")).isEqualTo(last);
      assertThat(segment.getParentSpanId()).isEqualTo(upgrade.getSpanId());
      assertThat(segment.getLinks())
          .extracting(link -> link.getSpanContext().getSpanId())
          .as("upgrade or segment before")
          .containsExactly(before.getSpanId());
      before = segment.getSpanContext();
    }
    assertThat(attributes(segments.get(segments.size() - 1)))
        .containsEntry("throughline.websocket." + count, 2L);
  }

  private static boolean has(List<SpanData> spans, String count, long value) {
    return sessions(spans).stream()
        .anyMatch(span -> attributes(span).get("throughline.websocket." + count).equals(value));
  }

  private static long ends(List<SpanData> spans) {
    return spans.stream()
        .filter(span -> attributes(span).containsKey("throughline.websocket.closed"))
        .count();
  }
}
