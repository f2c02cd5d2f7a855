// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.delivery.Delivery;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.trace.Tracer;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A service with a small heap, in a process of its own, loses nothing to a receiver that is there
 * and answers: each item arrives, and arrives once.
 */
@Timeout(300)
class HealthyReceiverTest {

  private static final AttributeKey<Long> NUMBER = AttributeKey.longKey(CountingReceiver.NUMBER);
  private static final int EXPORTS = 3;

  private CountingReceiver receiver;

  @AfterEach
  void close() {
    receiver.close();
  }

  @ParameterizedTest
  @CsvSource({
    // As many at once as there is memory for, however slow this machine is.
    "grpc,          spans, 20000,  0,     128m",
    "http/protobuf, spans, 20000,  0,     128m",
    "grpc,          logs,  5000,   0,     128m",
    "http/protobuf, logs,  5000,   0,     128m",
    "grpc,          11,    1000,   0,     64m",
    "http/protobuf, 11,    1000,   0,     128m",
  })
  void allArrivesOnce(String protocol, String signal, int count, int rate, String heap) {
    offer(protocol, signal, count, rate, heap);
  }

  /** Needs a machine that has two cores for it: what comes faster than it is sent is dropped. */
  @Tag("full")
  @ParameterizedTest
  @CsvSource({
    "grpc,          spans, 1000000, 50000, 128m",
    "http/protobuf, spans, 1000000, 50000, 128m",
    "grpc,          logs,  100000,  20000, 128m",
    "http/protobuf, logs,  100000,  20000, 128m",
    // One instrument that no message of four megabytes has room for.
    "grpc,          1,     20000,  0,     128m",
    "grpc,          40,    1000,   0,     128m",
    "http/protobuf, 40,    1000,   0,     128m",
  })
  void allOfMuchArrivesOnce(String protocol, String signal, int count, int rate, String heap) {
    offer(protocol, signal, count, rate, heap);
  }

  /**
   * @param signal {@code spans}, {@code logs}, or how many instruments
   * @param count how many of them, or points of each instrument
   */
  private void offer(String protocol, String signal, int count, int rate, String heap) {
    receiver = CountingReceiver.of(protocol);
    receiver.warmUp();
    int items;
    try (ChildJvm child =
        ChildJvm.of(Offering.class)
            .environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://" + receiver.authority())
            .environment("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .environment("OTEL_METRIC_EXPORT_INTERVAL", "1h")
            .environment("OTEL_JAVA_METRICS_CARDINALITY_LIMIT", "30000")
            .environment("SIGNAL", signal)
            .environment("COUNT", String.valueOf(count))
            .environment("RATE", String.valueOf(rate))
            .option("-XX:TieredStopAtLevel=4")
            .option("-Xmx" + heap)
            .start()) {
      assertThat(child.awaitExit()).as("%s", child.output()).isZero();
      boolean metrics = Character.isDigit(signal.charAt(0));
      items = metrics ? Integer.parseInt(signal) * count : count;
      assertThat(receiver.arrived()).as("%s", child.output()).isEqualTo(items);
      assertThat(receiver.repeated()).isEqualTo(metrics ? (EXPORTS - 1) * items : 0);
      assertThat(child.said("lost ")).containsExactly("0");
      assertThat(child.output()).noneMatch(line -> line.contains("WARN"));
    }
  }

  /** A service that records much. */
  static final class Offering {

    public static void main(String[] args) {
      String signal = System.getenv("SIGNAL");
      int count = Integer.parseInt(System.getenv("COUNT"));
      int rate = Integer.parseInt(System.getenv("RATE"));
      try (Telemetry telemetry = Telemetry.init("offering")) {
        switch (signal) {
          case "spans" -> {
            Tracer tracer = telemetry.tracer();
            atRate(count, rate, i -> span(tracer, i));
          }
          case "logs" -> {
            Logger logs = telemetry.openTelemetry().getLogsBridge().get("offering");
            atRate(
                count,
                rate,
                i ->
                    logs.logRecordBuilder()
                        .setBody("the session of server 7 was opened")
                        .setAttribute(NUMBER, (long) i)
                        .emit());
          }
          default -> {
            record(telemetry, Integer.parseInt(signal), count);
            for (int i = 1; i < EXPORTS; i++) {
              telemetry.flush(Wait.LIMIT.multipliedBy(3));
            }
          }
        }
        Delivery all = telemetry.flush(Wait.LIMIT.multipliedBy(3));
        System.out.println(
            "lost " + (all.spans().lost() + all.logRecords().lost() + all.metricPoints().lost()));
        // Without the close, which exports metrics once more.
        Runtime.getRuntime().halt(0);
      }
    }

    private static void span(Tracer tracer, int number) {
      tracer
          .spanBuilder("GET /servers/{id}")
          .setNoParent()
          .setAttribute("http.request.method", "GET")
          .setAttribute("url.path", "/servers/7")
          .setAttribute("url.scheme", "http")
          .setAttribute("http.route", "/servers/{id}")
          .setAttribute("server.address", "manager")
          .setAttribute("network.peer.address", "10.0.0.9")
          .setAttribute("http.response.status_code", 200)
          .setAttribute(NUMBER, (long) number)
          .startSpan()
          .end();
    }

    private static void record(Telemetry telemetry, int instruments, int points) {
      for (int i = 0; i < instruments; i++) {
        DoubleHistogram histogram =
            telemetry.meter().histogramBuilder("request.duration." + i).setUnit("s").build();
        for (int j = 0; j < points; j++) {
          histogram.record(
              0.1,
              Attributes.of(
                  NUMBER,
                  (long) i * points + j,
                  AttributeKey.stringKey("http.route"),
                  "/api/v1/resource/" + j + "/some/longer/path",
                  AttributeKey.stringKey("server.address"),
                  "host-" + j + ".example.com"));
        }
      }
    }

    /** As near to the rate as this machine can; 0 for all at once. */
    private static void atRate(int count, int rate, IntConsumer offered) {
      long start = System.nanoTime();
      for (int i = 0; i < count; i++) {
        long due = rate == 0 ? start : start + i * 1_000_000_000L / rate;
        while (due - System.nanoTime() > 100_000) {
          LockSupport.parkNanos(100_000);
        }
        offered.accept(i);
      }
    }
  }
}
