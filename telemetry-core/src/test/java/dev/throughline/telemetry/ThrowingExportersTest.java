// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.delivery.Outbox;
import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Exporters of others that throw, of any kind but what is fatal, lose what is theirs alone. */
class ThrowingExportersTest {

  private final LogCapture log = new LogCapture();
  private final Outbox outbox =
      new Outbox(
          ComponentLoader.forClassLoader(getClass().getClassLoader()),
          (receiver, answer) -> null,
          new Guard("test"));

  @AfterEach
  void close() {
    log.close();
  }

  static Stream<Supplier<Throwable>> faults() {
    return Stream.of(
        () -> new NoSuchMethodError("of another version"),
        () -> new ExceptionInInitializerError("of the test"),
        () -> new AssertionError("of the test"),
        () -> new IllegalStateException("of the test"),
        () -> new Exception("thrown without being declared"));
  }

  private static final class Thrower {

    private final Supplier<Throwable> fault;

    Thrower(Supplier<Throwable> fault) {
      this.fault = fault;
    }

    CompletableResultCode fail() {
      return Thrower.<RuntimeException>sneak(fault.get());
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> CompletableResultCode sneak(Throwable thrown) throws T {
      throw (T) thrown;
    }
  }

  private void assertToldOnce(String hook) {
    assertThat(log.warnings()).filteredOn(line -> line.startsWith(hook + " threw in ")).hasSize(1);
  }

  @ParameterizedTest
  @MethodSource("faults")
  void anotherSpanExporterIsGivenTheSpans(Supplier<Throwable> fault) {
    Thrower thrower = new Thrower(fault);
    SpanExporter throwing =
        outbox.spanExporter(
            new SpanExporter() {
              @Override
              public CompletableResultCode export(Collection<SpanData> spans) {
                return thrower.fail();
              }

              @Override
              public CompletableResultCode flush() {
                return thrower.fail();
              }

              @Override
              public CompletableResultCode shutdown() {
                return thrower.fail();
              }
            });
    boolean[] given = new boolean[1];
    SpanExporter other =
        new SpanExporter() {
          @Override
          public CompletableResultCode export(Collection<SpanData> spans) {
            given[0] = true;
            return CompletableResultCode.ofSuccess();
          }

          @Override
          public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
          }

          @Override
          public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
          }
        };
    SpanExporter both = SpanExporter.composite(throwing, other);
    for (int i = 0; i < 3; i++) {
      assertThat(both.export(List.of()).isSuccess()).isFalse();
    }
    assertThat(given[0]).isTrue();
    assertThat(both.flush().isSuccess()).isFalse();
    assertThat(both.shutdown().isSuccess()).isFalse();
    assertToldOnce("SpanExporter.export");
    assertToldOnce("SpanExporter.flush");
    assertToldOnce("SpanExporter.shutdown");
  }

  @ParameterizedTest
  @MethodSource("faults")
  void aLogRecordExporterFails(Supplier<Throwable> fault) {
    Thrower thrower = new Thrower(fault);
    LogRecordExporter throwing =
        outbox.logRecordExporter(
            new LogRecordExporter() {
              @Override
              public CompletableResultCode export(Collection<LogRecordData> records) {
                return thrower.fail();
              }

              @Override
              public CompletableResultCode flush() {
                return thrower.fail();
              }

              @Override
              public CompletableResultCode shutdown() {
                return thrower.fail();
              }
            });
    for (int i = 0; i < 3; i++) {
      assertThat(throwing.export(List.of()).isSuccess()).isFalse();
    }
    assertThat(throwing.flush().isSuccess()).isFalse();
    assertThat(throwing.shutdown().isSuccess()).isFalse();
    assertToldOnce("LogRecordExporter.export");
    assertToldOnce("LogRecordExporter.shutdown");
  }

  @ParameterizedTest
  @MethodSource("faults")
  void aMetricExporterFails(Supplier<Throwable> fault) {
    Thrower thrower = new Thrower(fault);
    MetricExporter throwing =
        outbox.metricExporter(
            new MetricExporter() {
              @Override
              public CompletableResultCode export(Collection<MetricData> metrics) {
                return thrower.fail();
              }

              @Override
              public CompletableResultCode flush() {
                return thrower.fail();
              }

              @Override
              public CompletableResultCode shutdown() {
                return thrower.fail();
              }

              @Override
              public AggregationTemporality getAggregationTemporality(InstrumentType type) {
                return AggregationTemporality.CUMULATIVE;
              }
            });
    for (int i = 0; i < 3; i++) {
      assertThat(throwing.export(List.of()).isSuccess()).isFalse();
    }
    assertThat(throwing.flush().isSuccess()).isFalse();
    assertThat(throwing.shutdown().isSuccess()).isFalse();
    assertToldOnce("MetricExporter.export");
    assertToldOnce("MetricExporter.shutdown");
  }
}
