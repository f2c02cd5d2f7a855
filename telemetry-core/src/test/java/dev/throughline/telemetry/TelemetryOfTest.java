// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@link Telemetry#of} over what someone else built. */
class TelemetryOfTest {

  private static final ContextPropagators PROPAGATORS =
      ContextPropagators.create(
          TextMapPropagator.composite(
              W3CTraceContextPropagator.getInstance(), W3CBaggagePropagator.getInstance()));

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final InMemoryMetricReader metrics = InMemoryMetricReader.create();
  private final OpenTelemetrySdk sdk =
      OpenTelemetrySdk.builder()
          .setTracerProvider(
              SdkTracerProvider.builder()
                  .addSpanProcessor(SimpleSpanProcessor.create(spans))
                  .build())
          .setMeterProvider(SdkMeterProvider.builder().registerMetricReader(metrics).build())
          .setPropagators(PROPAGATORS)
          .build();

  @AfterEach
  void close() {
    sdk.close();
  }

  @Test
  void recordsToTheGivenInstance() {
    Telemetry telemetry = Telemetry.of(sdk);
    assertThat(telemetry.isEnabled()).isTrue();
    assertThat(telemetry.openTelemetry()).isSameAs(sdk);
    telemetry.span("work").run(() -> {});
    telemetry.meter().counterBuilder("sessions").build().add(1);
    assertThat(spans.getFinishedSpanItems()).extracting(SpanData::getName).containsExactly("work");
    assertThat(metrics.collectAllMetrics())
        .extracting(MetricData::getName)
        .containsExactly("sessions");
  }

  @Test
  void addsTheBaggageAttributesItself() {
    Telemetry telemetry = Telemetry.of(sdk);
    telemetry
        .span("work")
        .baggage("session_id", "s-1")
        .baggage("other", "o")
        .run(() -> telemetry.span("inner").run(() -> {}));
    assertThat(spans.getFinishedSpanItems())
        .hasSize(2)
        .extracting(span -> span.getAttributes().asMap())
        .containsOnly(Map.of(stringKey("baggage.session_id"), "s-1"));
  }

  @Test
  void neverClosesTheGivenInstance() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    Telemetry telemetry = Telemetry.of(sdk);
    telemetry.close();
    telemetry.close();
    telemetry.span("work").run(() -> {});
    sdk.getTracer("someone else's").spanBuilder("theirs").startSpan().end();
    assertThat(spans.getFinishedSpanItems()).hasSize(2);
    assertThat(Thread.getAllStackTraces().keySet())
        .filteredOn(thread -> !before.contains(thread))
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("telemetry"));
  }

  @Test
  void flushesTheGivenInstance() {
    InMemorySpanExporter batched = InMemorySpanExporter.create();
    try (OpenTelemetrySdk batching =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(
                        BatchSpanProcessor.builder(batched)
                            .setScheduleDelay(Duration.ofHours(1))
                            .build())
                    .build())
            .build()) {
      Telemetry telemetry = Telemetry.of(batching);
      telemetry.span("work").run(() -> {});
      assertThat(batched.getFinishedSpanItems()).isEmpty();
      assertThat(telemetry.flush(Wait.LIMIT).complete()).isTrue();
      assertThat(batched.getFinishedSpanItems()).hasSize(1);
    }
  }

  @Test
  void aFlushOfTheGivenInstanceIsBounded() {
    try (OpenTelemetrySdk hanging =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder().addSpanProcessor(new HangingProcessor()).build())
            .build()) {
      assertThat(Telemetry.of(hanging).flush(Duration.ofMillis(50)).complete()).isFalse();
    }
  }

  private static final class HangingProcessor implements io.opentelemetry.sdk.trace.SpanProcessor {

    @Override
    public CompletableResultCode forceFlush() {
      return new CompletableResultCode();
    }

    @Override
    public CompletableResultCode shutdown() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public void onStart(
        io.opentelemetry.context.Context parentContext,
        io.opentelemetry.sdk.trace.ReadWriteSpan span) {}

    @Override
    public boolean isStartRequired() {
      return false;
    }

    @Override
    public void onEnd(io.opentelemetry.sdk.trace.ReadableSpan span) {}

    @Override
    public boolean isEndRequired() {
      return false;
    }
  }

  @Test
  void doesNotBecomeGlobal() {
    try (Telemetry telemetry = Telemetry.of(sdk)) {
      assertThat(telemetry).isNotSameAs(Telemetry.global());
      assertThat(Telemetry.global()).isSameAs(Telemetry.noop());
    }
  }

  @Test
  void withoutReadersThereAreNoMetrics() {
    try (OpenTelemetrySdk tracesOnly =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(spans))
                    .build())
            .build()) {
      Telemetry telemetry = Telemetry.of(tracesOnly);
      assertThat(telemetry.isEnabled()).isTrue();
      telemetry.span("work").run(() -> {});
      telemetry.meter().counterBuilder("sessions").build().add(1);
      assertThat(spans.getFinishedSpanItems()).hasSize(1);
    }
  }

  @Test
  void worksOnTheNoopInstance() {
    Telemetry telemetry = Telemetry.of(OpenTelemetry.noop());
    assertThat(telemetry.isEnabled()).isFalse();
    assertThat(telemetry.span("work").<String, RuntimeException>call(() -> "done"))
        .isEqualTo("done");
    telemetry.meter().counterBuilder("sessions").build().add(1);
    Map<String, String> carrier = new HashMap<>();
    telemetry.inject(carrier);
    assertThat(carrier).isEmpty();
    assertThat(telemetry.flush(Duration.ZERO).complete()).isTrue();
    telemetry.close();
  }

  @Test
  void passesOnWithAnInstanceThatOnlyPropagates() {
    Telemetry telemetry = Telemetry.of(OpenTelemetry.propagating(PROPAGATORS));
    assertThat(telemetry.isEnabled()).isFalse();
    Map<String, String> incoming =
        Map.of(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "baggage",
            "a=b");
    Map<String, String> outgoing = new HashMap<>();
    telemetry
        .span("work")
        .parent(telemetry.extract(incoming))
        .run(() -> telemetry.inject(outgoing));
    assertThat(outgoing).isEqualTo(incoming);
  }

  @Test
  void takesNoNull() {
    assertThatThrownBy(() -> Telemetry.of(null)).isInstanceOf(NullPointerException.class);
  }
}
