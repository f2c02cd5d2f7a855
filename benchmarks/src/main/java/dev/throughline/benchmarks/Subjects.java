// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;

/** What the rungs stand on: the same exporter behind a batch, the same metric reader. */
public final class Subjects {

  private Subjects() {}

  /** Throughline with everything on, exporting to nowhere. */
  public static Telemetry on() {
    return telemetry("parentbased_always_on");
  }

  /** Throughline with a sampler that takes no trace. */
  public static Telemetry unsampled() {
    return telemetry("always_off");
  }

  private static Telemetry telemetry(String sampler) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .setServiceName("benchmark")
        .addProperty("otel.traces.exporter", "discard")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .addProperty("otel.traces.sampler", sampler)
        .addMetricReader(new IdleReader())
        .build();
  }

  /** Throughline switched off. */
  public static Telemetry off() {
    return Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", "true").build();
  }

  /** The OpenTelemetry SDK as one wires it by hand. */
  public static OpenTelemetrySdk sdk() {
    return OpenTelemetrySdk.builder()
        .setTracerProvider(
            SdkTracerProvider.builder()
                .addSpanProcessor(
                    BatchSpanProcessor.create(new DiscardingExporterProvider.DiscardingExporter()))
                .build())
        .setMeterProvider(SdkMeterProvider.builder().registerMetricReader(new IdleReader()).build())
        .setPropagators(
            ContextPropagators.create(
                TextMapPropagator.composite(
                    W3CTraceContextPropagator.getInstance(), W3CBaggagePropagator.getInstance())))
        .build();
  }

  /** A reader that never collects, so that instruments record and nothing else runs. */
  private static final class IdleReader implements MetricReader {
    @Override
    public void register(CollectionRegistration registration) {}

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType instrumentType) {
      return AggregationTemporality.CUMULATIVE;
    }

    @Override
    public CompletableResultCode forceFlush() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
      return CompletableResultCode.ofSuccess();
    }
  }
}
