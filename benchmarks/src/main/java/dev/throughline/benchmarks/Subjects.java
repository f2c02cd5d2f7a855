// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import brave.Tracing;
import brave.handler.MutableSpan;
import brave.handler.SpanHandler;
import brave.propagation.B3Propagation;
import brave.propagation.TraceContext;
import dev.throughline.telemetry.Telemetry;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.tracing.handler.DefaultTracingObservationHandler;
import io.micrometer.tracing.otel.bridge.OtelCurrentTraceContext;
import io.micrometer.tracing.otel.bridge.OtelTracer;
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
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What the rungs stand on: the same sampler, the same exporter behind a batch, the same metric
 * reader. Each is a state of its own, so that a fork loads and starts nothing but its own subject.
 */
public final class Subjects {

  // A thread that measures ends more spans than any queue holds. To tell of each that was dropped
  // would cost more than
  // the spans; it is kept here, since a logger that nobody holds forgets its level.
  private static final Logger SDK_LOGGER = Logger.getLogger("io.opentelemetry");

  static {
    SDK_LOGGER.setLevel(Level.OFF);
  }

  private Subjects() {}

  /** Throughline switched off. */
  @State(Scope.Benchmark)
  public static class Off {
    /** The subject. */
    public final Telemetry telemetry =
        Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", "true").build();

    /** For JMH. */
    public Off() {}
  }

  /** Throughline with a sampler that takes no trace. */
  @State(Scope.Benchmark)
  public static class Unsampled {
    /** The subject. */
    public final Telemetry telemetry = telemetry("always_off");

    /** For JMH. */
    public Unsampled() {}

    /** Stops the exporting thread. */
    @TearDown
    public void close() {
      telemetry.close();
    }
  }

  /** Throughline with everything on, exporting to nowhere. */
  @State(Scope.Benchmark)
  public static class On {
    /** The subject. */
    public final Telemetry telemetry = telemetry("parentbased_always_on");

    /** For JMH. */
    public On() {}

    /** Stops the exporting thread. */
    @TearDown
    public void close() {
      telemetry.close();
    }
  }

  /** The OpenTelemetry SDK as one wires it by hand. */
  @State(Scope.Benchmark)
  public static class Sdk {
    /** The subject. */
    public final OpenTelemetrySdk sdk = sdk(Sampler.parentBased(Sampler.alwaysOn()));

    /** For JMH. */
    public Sdk() {}

    /** Stops the exporting thread. */
    @TearDown
    public void close() {
      sdk.close();
    }
  }

  /** The same with a sampler that takes no trace. */
  @State(Scope.Benchmark)
  public static class UnsampledSdk {
    /** The subject. */
    public final OpenTelemetrySdk sdk = sdk(Sampler.alwaysOff());

    /** For JMH. */
    public UnsampledSdk() {}

    /** Stops the exporting thread. */
    @TearDown
    public void close() {
      sdk.close();
    }
  }

  /** Micrometer's observations on the SDK, by its own bridge; without meters. */
  @State(Scope.Benchmark)
  public static class Micrometer extends Sdk {
    /** The subject. */
    public final ObservationRegistry registry = ObservationRegistry.create();

    /** For JMH. */
    public Micrometer() {
      OtelTracer tracer =
          new OtelTracer(sdk.getTracer("benchmark"), new OtelCurrentTraceContext(), event -> {});
      registry.observationConfig().observationHandler(new DefaultTracingObservationHandler(tracer));
    }
  }

  /** Brave with a handler that takes every span; it has no queue before that. */
  @State(Scope.Benchmark)
  public static class Brave {
    /** The subject. */
    public final Tracing tracing =
        Tracing.newBuilder()
            .localServiceName("benchmark")
            .sampler(brave.sampler.Sampler.ALWAYS_SAMPLE)
            .propagationFactory(
                B3Propagation.newFactoryBuilder()
                    .injectFormat(B3Propagation.Format.SINGLE_NO_PARENT)
                    .build())
            .addSpanHandler(new DiscardingHandler())
            .build();

    /** For JMH. */
    public Brave() {}

    /** Takes it out of Brave's global state. */
    @TearDown
    public void close() {
      tracing.close();
    }
  }

  /** Brave switched off. */
  @State(Scope.Benchmark)
  public static class BraveOff extends Brave {
    /** For JMH. */
    public BraveOff() {
      tracing.setNoop(true);
    }
  }

  private static Telemetry telemetry(String sampler) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .setServiceName("benchmark")
        .addProperty("otel.traces.exporter", "discard")
        // As the peers' processors have it.
        .addProperty("otel.bsp.max.queue.size", "2048")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .addProperty("otel.traces.sampler", sampler)
        .addMetricReader(new IdleReader())
        .build();
  }

  private static OpenTelemetrySdk sdk(Sampler sampler) {
    return OpenTelemetrySdk.builder()
        .setTracerProvider(
            SdkTracerProvider.builder()
                .setSampler(sampler)
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

  private static final class DiscardingHandler extends SpanHandler {
    @Override
    public boolean end(TraceContext context, MutableSpan span, Cause cause) {
      return true;
    }
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
