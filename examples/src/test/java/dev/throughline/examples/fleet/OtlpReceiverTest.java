// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.examples.fleet.TelemetryStore.ReceivedLog;
import dev.throughline.examples.fleet.TelemetryStore.ReceivedMetric;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With the exporters that a service has. */
class OtlpReceiverTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private OtlpReceiver receiver;
  private Telemetry telemetry;

  @BeforeEach
  void start() throws IOException {
    receiver = new OtlpReceiver();
    telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("sender")
            .addProperty("otel.exporter.otlp.endpoint", receiver.endpoint())
            .build();
  }

  @AfterEach
  void stop() {
    telemetry.close();
    receiver.close();
  }

  @Test
  void receivesSpans() throws Exception {
    String traceId =
        telemetry
            .span("outer")
            .kind(SpanKind.SERVER)
            .baggage("session_id", "vnc-1")
            .call(
                span -> {
                  telemetry
                      .span("inner")
                      .attribute("flag", true)
                      .attribute("count", 3)
                      .attribute("share", 0.5)
                      .attribute(AttributeKey.stringArrayKey("list"), List.of("a", "b"))
                      .run(inner -> inner.fail(new IOException("broken")));
                  return span.span().getSpanContext().getTraceId();
                });
    telemetry.flush(TIMEOUT);

    TraceTree tree =
        new TraceTree(receiver.store().awaitTrace(traceId, spans -> spans.size() == 2, TIMEOUT));
    ReceivedSpan outer = tree.tops().get(0).span();
    ReceivedSpan inner = tree.tops().get(0).children().get(0).span();
    assertThat(outer.toString()).isEqualTo("outer of sender");
    assertThat(outer.kind()).hasToString("SPAN_KIND_SERVER");
    assertThat(outer.isRoot()).isTrue();
    assertThat(outer.failure()).isNull();
    assertThat(outer.durationNanos()).isPositive();
    assertThat(outer.baggage()).containsOnlyKeys("baggage.session_id");
    assertThat(inner.parentSpanId()).isEqualTo(outer.spanId()).hasSize(16);
    assertThat(inner.traceId()).isEqualTo(traceId);
    assertThat(inner.failure()).isEqualTo("broken");
    assertThat(inner.attributes())
        .containsEntry("flag", "true")
        .containsEntry("count", "3")
        .containsEntry("share", "0.5")
        .containsEntry("list", "[a, b]")
        .containsEntry("baggage.session_id", "vnc-1");
  }

  @Test
  void receivesMetrics() throws Exception {
    telemetry.meter().counterBuilder("sessions").build().add(1);
    telemetry.flush(TIMEOUT);

    ReceivedMetric sessions = new ReceivedMetric("sender", "sessions");
    assertThat(receiver.store().awaitMetrics(metrics -> metrics.contains(sessions), TIMEOUT))
        .contains(sessions);
  }

  @Test
  void receivesLogs() throws Exception {
    String traceId =
        telemetry
            .span("open")
            .call(
                span -> {
                  telemetry
                      .openTelemetry()
                      .getLogsBridge()
                      .get("test")
                      .logRecordBuilder()
                      .setBody("session opened")
                      .emit();
                  return span.span().getSpanContext().getTraceId();
                });
    telemetry.flush(TIMEOUT);

    assertThat(receiver.store().awaitLogs(logs -> !logs.isEmpty(), TIMEOUT))
        .containsExactly(new ReceivedLog("sender", traceId, "session opened"));
  }
}
