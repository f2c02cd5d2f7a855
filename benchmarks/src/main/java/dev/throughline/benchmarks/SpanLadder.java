// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A span with two attributes that is current while a little work runs. */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class SpanLadder {

  private static final AttributeKey<String> BMC_TYPE = AttributeKey.stringKey("bmc.type");
  private static final AttributeKey<Boolean> SECURE = AttributeKey.booleanKey("bmc.secure");

  private final Telemetry off = Subjects.off();
  private final Telemetry unsampled = Subjects.unsampled();
  private final Telemetry on = Subjects.on();
  private final OpenTelemetrySdk sdk = Subjects.sdk();
  private final Tracer tracer = sdk.getTracer("benchmark");
  private int work = 1;

  /** For JMH. */
  public SpanLadder() {}

  /** Stops the exporting threads. */
  @TearDown(Level.Trial)
  public void close() {
    unsampled.close();
    on.close();
    sdk.close();
  }

  @Benchmark
  public int a_bare() {
    return work;
  }

  @Benchmark
  public int b_off() {
    return call(off);
  }

  @Benchmark
  public int c_unsampled() {
    return call(unsampled);
  }

  @Benchmark
  public int d_on() {
    return call(on);
  }

  @Benchmark
  public int e_onOpen() {
    try (ActiveSpan span =
        on.span("vnc.connect").attribute(BMC_TYPE, "ipmi").attribute(SECURE, true).open()) {
      return work;
    }
  }

  @Benchmark
  public int z_rawSdk() {
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

  private int call(Telemetry telemetry) {
    return telemetry
        .span("vnc.connect")
        .attribute(BMC_TYPE, "ipmi")
        .attribute(SECURE, true)
        .call(() -> work);
  }
}
