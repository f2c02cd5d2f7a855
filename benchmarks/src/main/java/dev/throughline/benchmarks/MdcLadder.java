// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.logging.LoggingTelemetry;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.slf4j.MDC;

/**
 * The scope of a span that has started, on Logback: three ids stand in the MDC while it is open.
 * The MDC of a service's thread is hardly ever empty, so one entry of the application's is there.
 */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class MdcLadder {

  private int work = 1;

  /** For JMH. */
  public MdcLadder() {}

  /** On the measuring thread. */
  @Setup(Level.Iteration)
  public void applicationsEntry() {
    MDC.put("tenant", "acme");
  }

  /** On the measuring thread. */
  @TearDown(Level.Iteration)
  public void clear() {
    MDC.clear();
  }

  /** Telemetry off, with logging asked for. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Off extends Subjects.Off {

    /** For JMH. */
    public Off() {
      LoggingTelemetry.create(telemetry).install();
    }
  }

  /** Without logging. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Plain extends Subjects.On {
    final Context context = telemetry.span("vnc.connect").start().context();

    /** For JMH. */
    public Plain() {}
  }

  /** With the ids in the MDC. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Logging extends Subjects.On {
    final Context context;
    final Context below;
    final Context withBaggage;

    /** For JMH. */
    public Logging() {
      LoggingTelemetry.create(telemetry).install();
      context = telemetry.span("vnc.connect").start().context();
      below = telemetry.span("tcp.dial").parent(context).start().context();
      withBaggage =
          context.with(
              Baggage.builder().put("session_id", "s-1").put("customer_id", "acme").build());
    }
  }

  /** Within the scope of another span. */
  @State(org.openjdk.jmh.annotations.Scope.Thread)
  public static class Within {
    private @Nullable Scope scope;

    /** For JMH. */
    public Within() {}

    /** On the measuring thread. */
    @Setup(Level.Iteration)
    @SuppressWarnings("MustBeClosedChecker") // close() closes it
    public void open(Logging subject) {
      scope = subject.context.makeCurrent();
    }

    /** On the measuring thread. */
    @TearDown(Level.Iteration)
    public void close() {
      requireNonNull(scope).close();
    }
  }

  @Benchmark
  @Rung("bare")
  public int a_bare() {
    return work;
  }

  @Benchmark
  @Rung("Throughline, off: a span")
  public int b_off(Off subject) {
    return subject.telemetry.span("vnc.connect").call(() -> work);
  }

  @Benchmark
  @Rung("Throughline, no logging: a scope alone")
  public int c_scope(Plain subject) {
    try (Scope ignored = subject.context.makeCurrent()) {
      return work;
    }
  }

  @Benchmark
  @Rung("Throughline, three ids")
  public int d_on(Logging subject) {
    try (Scope ignored = subject.context.makeCurrent()) {
      return work;
    }
  }

  @Benchmark
  @Rung("Throughline, three ids in place of others")
  public int e_onBelow(Logging subject, Within within) {
    try (Scope ignored = subject.below.makeCurrent()) {
      return work;
    }
  }

  @Benchmark
  @Rung("Throughline, three ids and two entries of baggage")
  public int f_onWithBaggage(Logging subject) {
    try (Scope ignored = subject.withBaggage.makeCurrent()) {
      return work;
    }
  }

  @Benchmark
  @Rung("a scope, three ids put and removed by hand")
  public int p_byHand(Plain subject) {
    try (Scope ignored = subject.context.makeCurrent()) {
      SpanContext ids = Span.fromContext(subject.context).getSpanContext();
      MDC.put("trace_id", ids.getTraceId());
      MDC.put("span_id", ids.getSpanId());
      MDC.put("trace_flags", ids.getTraceFlags().asHex());
      try {
        return work;
      } finally {
        MDC.remove("trace_id");
        MDC.remove("span_id");
        MDC.remove("trace_flags");
      }
    }
  }
}
