// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.proto.metrics.v1.Metric;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A service that is told to stop, and has requests in flight that its own hook waits for. */
@Timeout(120)
class GracefulStopTest {

  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
  }

  private ChildJvm stopped(String endpoint, String how, int requestMillis, String timeout) {
    ChildJvm child =
        ChildJvm.of(Service.class)
            .environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://" + endpoint)
            .environment("OTEL_BSP_SCHEDULE_DELAY", "1h")
            .environment("OTEL_BLRP_SCHEDULE_DELAY", "1h")
            .environment("OTEL_METRIC_EXPORT_INTERVAL", "1h")
            .environment("TELEMETRY_CLOSE_TIMEOUT", timeout)
            .environment("HOW", how)
            .environment("REQUEST_MILLIS", String.valueOf(requestMillis))
            .start();
    open.add(child);
    child.awaitLine("ready");
    child.terminate();
    assertThat(child.awaitExit()).isEqualTo(143);
    return child;
  }

  private OtlpReceiver receiver() {
    OtlpReceiver receiver = OtlpReceiver.grpc();
    open.add(receiver);
    return receiver;
  }

  private static void assertAllArrived(OtlpReceiver receiver, ChildJvm child) {
    assertThat(child.said("answered ")).as("%s", child.output()).containsExactly("200");
    assertThat(receiver.spans()).extracting(span -> span.getName()).contains("in flight", "last");
    assertThat(receiver.logs())
        .extracting(log -> log.getBody().getStringValue())
        .contains("in flight", "last");
    assertThat(sum(receiver, "requests")).isEqualTo(2);
    assertThat(child.output()).noneMatch(line -> line.contains("WARN"));
  }

  /** Of what was exported last. */
  private static long sum(OtlpReceiver receiver, String name) {
    long sum = -1;
    for (Metric metric : receiver.metrics()) {
      if (metric.getName().equals(name)) {
        sum = metric.getSum().getDataPoints(0).getAsInt();
      }
    }
    return sum;
  }

  /** With a request that takes longer than a send may take. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "waits",
        "closes",
        "closes twice",
        "closes at once",
        "closes while it is answered"
      })
  void whatEndsWhileTheServiceStopsArrives(String how) {
    OtlpReceiver receiver = receiver();
    assertAllArrived(receiver, stopped(receiver.authority(), how, 1_500, "1s"));
  }

  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"waits", "closes"})
  void aRequestOfNineSecondsArrives(String how) {
    OtlpReceiver receiver = receiver();
    assertAllArrived(receiver, stopped(receiver.authority(), how, 9_000, "5s"));
  }

  /** Each would wait for the other, if one of them waited for all hooks. */
  @Test
  void twoTelemetriesStopTogether() {
    OtlpReceiver receiver = receiver();
    assertAllArrived(receiver, stopped(receiver.authority(), "has two", 1_500, "1s"));
    assertThat(receiver.spans()).extracting(span -> span.getName()).contains("of the other");
  }

  /** Nobody waits for it. */
  @Test
  void aSpanThatNeverEndsHoldsUpNothing() {
    OtlpReceiver receiver = receiver();
    long start = System.nanoTime();
    stopped(receiver.authority(), "leaks", 3_600_000, "30s");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    assertThat(receiver.metrics()).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"waits", "closes"})
  void whatIsLostAllTheSameIsToldLast(String how) throws IOException {
    ClosedPort nobody = new ClosedPort();
    open.add(nobody);
    ChildJvm child = stopped(nobody.authority(), how, 1_000, "200ms");
    assertThat(child.output())
        .filteredOn(line -> line.contains("Telemetry closed, and not all was delivered: "))
        .singleElement()
        .asString()
        .contains("3 of 3 spans lost", "2 of 2 log records lost");
    assertThat(child.output().get(child.output().size() - 1)).contains("Telemetry closed");
  }

  /** A process that is over soon would otherwise report for ever that its spans wait. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theLastMetricsTellWhatBecameOfTheSpans(boolean closes) {
    OtlpReceiver receiver = receiver();
    ChildJvm child =
        ChildJvm.of(ShortLived.class)
            .environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://" + receiver.authority())
            .environment("OTEL_METRIC_EXPORT_INTERVAL", "1h")
            .environment("TELEMETRY_CLOSE_TIMEOUT", "60s")
            .environment("HOW", closes ? "closes" : "")
            .start();
    open.add(child);
    assertThat(child.awaitExit()).isZero();
    assertThat(receiver.spans()).hasSize(100);
    assertThat(sum(receiver, "throughline.spans.ended")).isEqualTo(100);
    assertThat(sum(receiver, "throughline.spans.exported")).isEqualTo(100);
    assertThat(sum(receiver, "throughline.spans.waiting")).isZero();
  }

  /** Records, and is over. */
  static final class ShortLived {

    public static void main(String[] args) {
      Telemetry telemetry = Telemetry.init("short-lived");
      for (int i = 0; i < 100; i++) {
        telemetry.span("work").run(() -> {});
      }
      if ("closes".equals(System.getenv("HOW"))) {
        telemetry.close();
      }
    }
  }

  /** Answers one request, and stops gracefully. */
  static final class Service {

    private static final String HOW = System.getenv("HOW");
    private static final CountDownLatch ANSWERED = new CountDownLatch(1);
    private static final CountDownLatch NEVER = new CountDownLatch(1);
    private static final CountDownLatch STOPPING = new CountDownLatch(1);

    public static void main(String[] args) throws InterruptedException {
      Telemetry telemetry = Telemetry.init("graceful");
      Telemetry other =
          HOW.equals("has two") ? Telemetry.builder().setServiceName("other").build() : telemetry;
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(telemetry, other)));
      Thread request = new Thread(() -> answer(telemetry), "request");
      request.start();
      NEVER.await();
    }

    private static void answer(Telemetry telemetry) {
      telemetry
          .span("in flight")
          .run(
              () -> {
                System.out.println("ready");
                await(STOPPING);
                pause();
                record(telemetry, "in flight");
              });
      System.out.println("answered 200");
      ANSWERED.countDown();
    }

    private static void record(Telemetry telemetry, String what) {
      telemetry.meter().counterBuilder("requests").build().add(1);
      telemetry.openTelemetry().getLogsBridge().get("t").logRecordBuilder().setBody(what).emit();
    }

    private static void stop(Telemetry telemetry, Telemetry other) {
      STOPPING.countDown();
      if (HOW.equals("leaks")) {
        return;
      }
      if (HOW.equals("closes while it is answered")) {
        telemetry.close();
      }
      await(ANSWERED);
      if (HOW.equals("closes at once")) {
        Thread second = new Thread(telemetry::close);
        second.start();
        telemetry.close();
        join(second);
      } else if (HOW.startsWith("closes")) {
        telemetry.close();
        if (HOW.equals("closes twice")) {
          telemetry.close();
        }
      }
      // After the close, too.
      telemetry.span("last").run(() -> record(telemetry, "last"));
      other.span("of the other").run(() -> {});
    }

    private static void pause() {
      try {
        boolean unused =
            NEVER.await(Long.parseLong(System.getenv("REQUEST_MILLIS")), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    private static void await(CountDownLatch latch) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    private static void join(Thread thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }
}
