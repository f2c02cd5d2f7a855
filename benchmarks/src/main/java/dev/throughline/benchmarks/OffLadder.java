// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import brave.ScopedSpan;
import dev.throughline.telemetry.ActiveSpan;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;

/** The span of {@link SpanLadder} where nothing is to be recorded. */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class OffLadder {

  private static final AttributeKey<String> BMC_TYPE = AttributeKey.stringKey("bmc.type");
  private static final AttributeKey<Boolean> SECURE = AttributeKey.booleanKey("bmc.secure");

  private int work = 1;

  /** For JMH. */
  public OffLadder() {}

  /** What an application has that is given no SDK. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Noop {
    final Tracer tracer = OpenTelemetry.noop().getTracer("benchmark");

    /** For JMH. */
    public Noop() {}
  }

  /** What {@code OTEL_SDK_DISABLED=true} makes of autoconfigure. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Disabled {
    final Tracer tracer =
        AutoConfiguredOpenTelemetrySdk.builder()
            .disableShutdownHook()
            .addPropertiesSupplier(() -> Map.of("otel.sdk.disabled", "true"))
            .build()
            .getOpenTelemetrySdk()
            .getTracer("benchmark");

    /** For JMH. */
    public Disabled() {}
  }

  @Benchmark
  @Rung("bare")
  public int a_bare() {
    return work;
  }

  @Benchmark
  @Rung("Throughline")
  public int b_ours(Subjects.Off subject) {
    return subject
        .telemetry
        .span("vnc.connect")
        .attribute(BMC_TYPE, "ipmi")
        .attribute(SECURE, true)
        .call(() -> work);
  }

  @Benchmark
  @Rung("Throughline, open() and close()")
  public int c_oursOpen(Subjects.Off subject) {
    try (ActiveSpan span =
        subject
            .telemetry
            .span("vnc.connect")
            .attribute(BMC_TYPE, "ipmi")
            .attribute(SECURE, true)
            .open()) {
      return work;
    }
  }

  @Benchmark
  @Rung("OpenTelemetry.noop()")
  public int p_noop(Noop subject) {
    return call(subject.tracer);
  }

  @Benchmark
  @Rung("OpenTelemetry autoconfigure, disabled")
  public int q_disabled(Disabled subject) {
    return call(subject.tracer);
  }

  @Benchmark
  @Rung("Micrometer, ObservationRegistry.NOOP")
  public int r_micrometer() {
    return Observation.createNotStarted("vnc.connect", ObservationRegistry.NOOP)
        .lowCardinalityKeyValue("bmc.type", "ipmi")
        .lowCardinalityKeyValue("bmc.secure", "true")
        .<Integer>observe(() -> work);
  }

  @Benchmark
  @Rung("Brave, setNoop(true)")
  public int s_brave(Subjects.BraveOff subject) {
    ScopedSpan span =
        subject
            .tracing
            .tracer()
            .startScopedSpan("vnc.connect")
            .tag("bmc.type", "ipmi")
            .tag("bmc.secure", "true");
    try {
      return work;
    } finally {
      span.finish();
    }
  }

  private int call(Tracer tracer) {
    Span span =
        tracer
            .spanBuilder("vnc.connect")
            .setAttribute(BMC_TYPE, "ipmi")
            .setAttribute(SECURE, true)
            .startSpan();
    try (Scope ignored = span.makeCurrent()) {
      return work;
    } finally {
      span.end();
    }
  }
}
