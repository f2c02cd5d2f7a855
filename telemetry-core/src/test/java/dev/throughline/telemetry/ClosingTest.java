// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.delivery.Delivery;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(90)
class ClosingTest {

  private static final Duration LONG = Wait.LIMIT;

  private final LogCapture log = new LogCapture();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (int i = open.size(); i-- > 0; ) {
      open.get(i).close();
    }
    log.close();
  }

  private <T extends AutoCloseable> T opened(T closeable) {
    open.add(closeable);
    return closeable;
  }

  private Telemetry build(String endpoint, String... properties) {
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("closing")
            .addProperty("otel.exporter.otlp.endpoint", endpoint)
            .addProperty("otel.bsp.schedule.delay", "1h");
    for (int i = 0; i < properties.length; i += 2) {
      builder.addProperty(properties[i], properties[i + 1]);
    }
    return opened(builder.build());
  }

  private String refusing() throws IOException {
    return opened(new ClosedPort()).authority();
  }

  private List<String> closings() {
    return log.warnings().stream().filter(line -> line.startsWith("Telemetry closed")).toList();
  }

  private static long millisOf(Runnable action) {
    long start = System.nanoTime();
    action.run();
    return Duration.ofNanos(System.nanoTime() - start).toMillis();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void deliversWhatEndedBefore(boolean grpc) {
    OtlpReceiver receiver = opened(grpc ? OtlpReceiver.grpc() : OtlpReceiver.http());
    Telemetry telemetry =
        build(
            receiver.authority() + (grpc ? "" : "/v1/traces"), "otel.bsp.max.queue.size", "10000");
    telemetry.meter().counterBuilder("sessions").build().add(1);
    telemetry.openTelemetry().getLogsBridge().get("t").logRecordBuilder().setBody("b").emit();
    for (int i = 0; i < 10_000; i++) {
      telemetry.span("work").run(() -> {});
    }
    telemetry.close();

    Set<Object> ids = new HashSet<>();
    receiver.spans().forEach(span -> ids.add(span.getSpanId()));
    assertThat(receiver.spans()).hasSize(10_000);
    assertThat(ids).hasSize(10_000);
    assertThat(receiver.metrics()).isNotEmpty();
    assertThat(receiver.logs()).hasSize(1);
    assertThat(log.warnings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"grpc, 300", "http/protobuf, 300", "grpc, 1200"})
  void aHangingReceiverCostsTheTimeoutAtMost(String protocol, int timeout) throws IOException {
    HangingReceiver receiver = opened(new HangingReceiver());
    Telemetry telemetry =
        build(
            receiver.authority(),
            "otel.exporter.otlp.protocol",
            protocol,
            "telemetry.close.timeout",
            timeout + "ms");
    telemetry.span("work").run(() -> {});
    telemetry.meter().counterBuilder("sessions").build().add(1);
    assertThat(millisOf(telemetry::close)).isBetween((long) timeout, timeout + 1_000L);
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .contains("not all was delivered: 1 of 1 spans lost")
        .contains(timeout + " ms", "TELEMETRY_CLOSE_TIMEOUT");
  }

  @ParameterizedTest
  @ValueSource(strings = {"grpc", "http/protobuf"})
  void aRefusedPortCostsTheTimeoutAtMost(String protocol) throws IOException {
    Telemetry telemetry =
        build(
            refusing(),
            "otel.exporter.otlp.protocol",
            protocol,
            "telemetry.close.timeout",
            "500ms");
    telemetry.span("work").run(() -> {});
    assertThat(millisOf(telemetry::close)).isLessThan(1_500);
    assertThat(closings()).hasSize(1);
  }

  @Test
  void fiveSecondsAreTheDefault() throws IOException {
    HangingReceiver receiver = opened(new HangingReceiver());
    Telemetry telemetry = build(receiver.authority());
    telemetry.span("work").run(() -> {});
    assertThat(millisOf(telemetry::close)).isBetween(5_000L, 6_000L);
    assertThat(log.warnings()).singleElement().asString().contains("5000 ms");
  }

  /** The reader of metrics blocks its caller for as long as its receiver hangs. */
  @Test
  void logsArriveThoughTheReceiverOfMetricsHangs() throws IOException {
    HangingReceiver hanging = opened(new HangingReceiver());
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry =
        build(
            receiver.authority() + "/v1/traces",
            "otel.exporter.otlp.metrics.endpoint",
            "http://" + hanging.authority() + "/v1/metrics",
            "telemetry.close.timeout",
            "3s");
    telemetry.meter().counterBuilder("sessions").build().add(1);
    telemetry.span("work").run(() -> {});
    telemetry.openTelemetry().getLogsBridge().get("t").logRecordBuilder().setBody("b").emit();
    telemetry.close();
    assertThat(receiver.spans()).hasSize(1);
    assertThat(receiver.logs()).hasSize(1);
  }

  @Test
  void aReaderThatThrowsDoesNotCutTheDeliveryShort() {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry =
        opened(
            Telemetry.builder()
                .ignoreEnvironment()
                .addProperty("otel.exporter.otlp.endpoint", receiver.authority() + "/v1/traces")
                .addProperty("otel.metrics.exporter", "none")
                .addMetricReader(new ThrowingReader())
                .build());
    telemetry.span("flushed").run(() -> {});
    assertThat(telemetry.flush(LONG).complete()).isFalse();
    assertThat(receiver.spans()).hasSize(1);
    for (int i = 0; i < 1_000; i++) {
      telemetry.span("work").run(() -> {});
    }
    telemetry.close();
    assertThat(receiver.spans()).hasSize(1_001);
  }

  private static final class ThrowingReader implements MetricReader {

    @Override
    public void register(CollectionRegistration registration) {}

    @Override
    public CompletableResultCode forceFlush() {
      throw new IllegalStateException("of the test");
    }

    @Override
    public CompletableResultCode shutdown() {
      throw new IllegalStateException("of the test");
    }

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType instrumentType) {
      return AggregationTemporality.CUMULATIVE;
    }
  }

  @Test
  void anInterruptedThreadStillDeliversAndStaysInterrupted() throws InterruptedException {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry = build(receiver.authority() + "/v1/traces");
    telemetry.span("work").run(() -> {});
    boolean[] kept = new boolean[2];
    Thread thread =
        new Thread(
            () -> {
              Thread.currentThread().interrupt();
              boolean flushed = telemetry.flush(LONG).complete();
              kept[0] = flushed && Thread.currentThread().isInterrupted();
              telemetry.span("later").run(() -> {});
              telemetry.close();
              kept[1] = Thread.currentThread().isInterrupted();
            });
    thread.start();
    thread.join();
    assertThat(kept).containsExactly(true, true);
    assertThat(receiver.spans()).hasSize(2);
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void aSecondCloseDoesNothing() throws IOException {
    Telemetry telemetry = build(refusing(), "telemetry.close.timeout", "200ms");
    telemetry.span("work").run(() -> {});
    telemetry.close();
    assertThat(millisOf(telemetry::close)).isLessThan(200);
    assertThat(closings()).hasSize(1);
  }

  @Test
  void spansAfterTheCloseGoNowhere() {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry = build(receiver.authority() + "/v1/traces");
    ActiveSpan late = telemetry.span("late").start();
    telemetry.close();
    boolean[] flushed = new boolean[1];
    assertThat(millisOf(() -> flushed[0] = telemetry.flush(LONG).complete())).isLessThan(1_000);
    assertThat(flushed[0]).isTrue();
    late.end();
    assertThat(telemetry.span("work").<String, RuntimeException>call(() -> "done"))
        .isEqualTo("done");
    assertThat(receiver.spans()).isEmpty();
    // One had started before, and was not delivered.
    assertThat(telemetry.flush(LONG).complete()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFlushAfterACloseThatLostSomethingSaysSo(boolean hangs) throws IOException {
    String endpoint = hangs ? opened(new HangingReceiver()).authority() : refusing();
    Telemetry telemetry = build(endpoint, "telemetry.close.timeout", "100ms");
    telemetry.span("work").run(() -> {});
    telemetry.close();
    for (int i = 0; i < 2; i++) {
      Delivery flushed = telemetry.flush(LONG);
      assertThat(flushed.complete()).isFalse();
      assertThat(flushed.spans().failed()).isEqualTo(1);
    }
  }

  @Test
  void aFlushIsBounded() throws IOException {
    HangingReceiver receiver = opened(new HangingReceiver());
    Telemetry telemetry = build(receiver.authority(), "telemetry.close.timeout", "1ms");
    telemetry.span("work").run(() -> {});
    boolean[] flushed = new boolean[1];
    assertThat(millisOf(() -> flushed[0] = telemetry.flush(Duration.ofMillis(300)).complete()))
        .isBetween(300L, 1_300L);
    assertThat(flushed[0]).isFalse();
    assertThat(millisOf(() -> flushed[0] = telemetry.flush(Duration.ZERO).complete()))
        .isLessThan(1_000);
    assertThat(flushed[0]).isFalse();
    assertThat(telemetry.flush(Duration.ofSeconds(Long.MIN_VALUE)).complete()).isFalse();
  }

  @Test
  void aFlushMayWaitForEver() {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry = build(receiver.authority() + "/v1/traces");
    telemetry.span("work").run(() -> {});
    assertThat(telemetry.flush(Duration.ofSeconds(Long.MAX_VALUE)).complete()).isTrue();
    assertThat(receiver.spans()).hasSize(1);
  }

  @Test
  void aFlushThatCouldNotDeliverSaysSo() {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    // Nobody receives there.
    Telemetry telemetry =
        build(
            "http://" + receiver.authority(),
            "otel.exporter.otlp.traces.endpoint",
            "http://" + receiver.authority() + "/missing",
            "otel.exporter.otlp.traces.protocol",
            "http/protobuf",
            "otel.metrics.exporter",
            "none");
    telemetry.span("work").run(() -> {});
    assertThat(telemetry.flush(LONG).complete()).isFalse();
    assertThat(telemetry.delivery().spans().failed()).isEqualTo(1);
  }

  @Test
  void aLoggingBackEndThatThrowsDoesNotReachTheCaller() throws IOException {
    Telemetry telemetry = build(refusing(), "telemetry.close.timeout", "100ms");
    telemetry.span("work").run(() -> {});
    try (ThrowingLog throwing = new ThrowingLog()) {
      telemetry.close();
      assertThat(throwing.thrown()).isPositive();
    }
  }

  private ChildJvm child(Class<?> main, OtlpReceiver receiver) {
    return opened(
        ChildJvm.of(main)
            .environment("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.authority())
            .environment("OTEL_BSP_SCHEDULE_DELAY", "1h")
            .environment("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
            .start());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theShutdownHookDeliversOnSigterm(boolean grpc) {
    OtlpReceiver receiver = opened(grpc ? OtlpReceiver.grpc() : OtlpReceiver.http());
    ChildJvm child =
        opened(
            ChildJvm.of(BlockingMain.class)
                .environment(
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    receiver.authority() + (grpc ? "" : "/v1/traces"))
                .environment("OTEL_BSP_SCHEDULE_DELAY", "1h")
                .start());
    child.awaitLine("ready");
    child.terminate();
    // 128 + SIGTERM.
    assertThat(child.awaitExit()).isEqualTo(143);
    assertThat(receiver.spans()).hasSize(10_050);
    assertThat(receiver.spans()).filteredOn(span -> span.getName().equals("bye")).hasSize(50);
    assertThat(receiver.metrics()).extracting(metric -> metric.getName()).contains("sessions");
    assertThat(child.output()).noneMatch(line -> line.contains("WARN"));
  }

  @ParameterizedTest
  @CsvSource({"grpc, true", "grpc, false", "http/protobuf, true", "http/protobuf, false"})
  void aDeadReceiverHoldsUpSigtermForTheTimeoutAtMost(String protocol, boolean hangs)
      throws IOException {
    ChildJvm child =
        opened(
            ChildJvm.of(BlockingMain.class)
                .environment(
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    hangs ? opened(new HangingReceiver()).authority() : refusing())
                .environment("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
                .environment("TELEMETRY_CLOSE_TIMEOUT", "2s")
                .start());
    child.awaitLine("ready");
    long start = System.nanoTime();
    child.terminate();
    assertThat(child.awaitExit()).isEqualTo(143);
    assertThat(Duration.ofNanos(System.nanoTime() - start).toMillis()).isBetween(1_500L, 3_000L);
    assertThat(child.output())
        .anyMatch(line -> line.contains("Telemetry closed, and not all was delivered: "));
  }

  /** A service that ends spans and then waits for work; its own hook has something to tell too. */
  static final class BlockingMain {

    public static void main(String[] args) throws InterruptedException {
      Telemetry telemetry = Telemetry.init("blocking");
      for (int i = 0; i < 10_000; i++) {
        telemetry.span("work").run(() -> {});
      }
      telemetry.meter().counterBuilder("sessions").build().add(1);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    for (int i = 0; i < 50; i++) {
                      telemetry.span("bye").run(() -> {});
                    }
                  }));
      System.out.println("ready");
      new CountDownLatch(1).await();
    }
  }

  @Test
  void theShutdownHookDeliversWhenMainJustReturns() {
    OtlpReceiver receiver = opened(OtlpReceiver.grpc());
    ChildJvm child = child(ReturningMain.class, receiver);
    assertThat(child.awaitExit()).isZero();
    assertThat(receiver.spans()).hasSize(100);
  }

  /** A service that forgets its close. */
  static final class ReturningMain {

    public static void main(String[] args) {
      Telemetry telemetry = Telemetry.init("returning");
      for (int i = 0; i < 100; i++) {
        telemetry.span("work").run(() -> {});
      }
    }
  }

  /** The JVM stops when its hooks are through, whatever main is still at. */
  @Test
  void theShutdownHookWaitsForACloseThatIsUnderWay() {
    OtlpReceiver receiver = opened(OtlpReceiver.grpc());
    CountDownLatch answers = receiver.hold();
    ChildJvm child = child(ClosingMain.class, receiver);
    child.awaitLine("closing");
    Wait.until("the close sends", () -> !receiver.exports().isEmpty());
    child.terminate();
    child.awaitLine("stopping");
    answers.countDown();
    child.awaitExit();
    assertThat(receiver.spans()).hasSize(100);
  }

  /** A service that is stopped while it closes. */
  static final class ClosingMain {

    public static void main(String[] args) {
      Telemetry telemetry = Telemetry.init("closing");
      for (int i = 0; i < 100; i++) {
        telemetry.span("work").run(() -> {});
      }
      Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("stopping")));
      System.out.println("closing");
      telemetry.close();
    }
  }

  /** A hook of the application may be the first that asks for telemetry. */
  @Test
  void telemetryThatIsBuiltWhileTheJvmStopsWorks() {
    OtlpReceiver receiver = opened(OtlpReceiver.grpc());
    ChildJvm child = child(LateMain.class, receiver);
    assertThat(child.awaitExit()).isZero();
    assertThat(child.said("late ")).containsExactly("done");
    assertThat(receiver.spans()).hasSize(1);
  }

  /** A service whose shutdown hook uses telemetry. */
  static final class LateMain {

    public static void main(String[] args) {
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    try (Telemetry telemetry = Telemetry.init("late")) {
                      telemetry.span("work").run(() -> {});
                    }
                    System.out.println("late done");
                  }));
    }
  }
}
