// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import brave.ScopedSpan;
import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.micrometer.observation.Observation;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.incubator.trace.ExtendedSpanBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;

/** A span with two attributes that is current while a little work runs. */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class SpanLadder {

  private static final AttributeKey<String> BMC_TYPE = AttributeKey.stringKey("bmc.type");
  private static final AttributeKey<Boolean> SECURE = AttributeKey.booleanKey("bmc.secure");

  private int work = 1;

  /** For JMH. */
  public SpanLadder() {}

  /** A tracer of the SDK. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Sdk extends Subjects.Sdk {
    final Tracer tracer = sdk.getTracer("benchmark");

    /** For JMH. */
    public Sdk() {}
  }

  /** A tracer whose sampler takes nothing. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class UnsampledSdk extends Subjects.UnsampledSdk {
    final Tracer tracer = sdk.getTracer("benchmark");

    /** For JMH. */
    public UnsampledSdk() {}
  }

  @Benchmark
  @Rung("bare")
  public int a_bare() {
    return work;
  }

  @Benchmark
  @Rung("Throughline, off")
  public int b_off(Subjects.Off subject) {
    return call(subject.telemetry);
  }

  @Benchmark
  @Rung("Throughline, unsampled")
  public int c_unsampled(Subjects.Unsampled subject) {
    return call(subject.telemetry);
  }

  @Benchmark
  @Rung("Throughline, on")
  public int d_on(Subjects.On subject) {
    return call(subject.telemetry);
  }

  @Benchmark
  @Rung("Throughline, on, open() and close()")
  public int e_onOpen(Subjects.On subject) {
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
  @Rung("OpenTelemetry SDK")
  public int p_sdk(Sdk subject) {
    return call(subject.tracer);
  }

  @Benchmark
  @Rung("OpenTelemetry SDK, unsampled")
  public int q_sdkUnsampled(UnsampledSdk subject) {
    return call(subject.tracer);
  }

  @Benchmark
  @Rung("OpenTelemetry SDK, startAndCall() of the incubator")
  public int r_sdkExtended(Sdk subject) {
    return ((ExtendedSpanBuilder) subject.tracer.spanBuilder("vnc.connect"))
        .setAttribute(BMC_TYPE, "ipmi")
        .setAttribute(SECURE, true)
        .startAndCall(() -> work);
  }

  @Benchmark
  @Rung("Micrometer Observation on the SDK")
  public int s_micrometer(Subjects.Micrometer subject) {
    return Observation.createNotStarted("vnc.connect", subject.registry)
        .lowCardinalityKeyValue("bmc.type", "ipmi")
        .lowCardinalityKeyValue("bmc.secure", "true")
        .<Integer>observe(() -> work);
  }

  @Benchmark
  @Rung("Brave, no queue")
  public int t_brave(Subjects.Brave subject) {
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

  private int call(Telemetry telemetry) {
    return telemetry
        .span("vnc.connect")
        .attribute(BMC_TYPE, "ipmi")
        .attribute(SECURE, true)
        .call(() -> work);
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
