// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import dev.throughline.telemetry.OtlpReceiver.Reply;
import dev.throughline.telemetry.delivery.Delivery;
import io.grpc.Metadata;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.metrics.v1.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is delivered, what is counted, what is tried again. */
@Timeout(90)
class DeliveryTest {

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

  private OtlpReceiver receiver(boolean grpc) {
    return opened(grpc ? OtlpReceiver.grpc() : OtlpReceiver.http());
  }

  private Telemetry build(OtlpReceiver receiver, boolean grpc, String... properties) {
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("delivering")
            .addProperty("otel.exporter.otlp.endpoint", receiver.authority())
            .addProperty("otel.exporter.otlp.protocol", grpc ? "grpc" : "http/protobuf")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("telemetry.close.timeout", "200ms")
            .addProperty("otel.bsp.schedule.delay", "1h")
            .addProperty("otel.blrp.schedule.delay", "1h")
            .addProperty("otel.metric.export.interval", "1h");
    for (int i = 0; i < properties.length; i += 2) {
      builder.addProperty(properties[i], properties[i + 1]);
    }
    return opened(builder.build());
  }

  private static void endSpans(Telemetry telemetry, int count) {
    for (int i = 0; i < count; i++) {
      telemetry.span("work").run(() -> {});
    }
  }

  private static void emit(Telemetry telemetry, int count) {
    for (int i = 0; i < count; i++) {
      telemetry.openTelemetry().getLogsBridge().get("t").logRecordBuilder().setBody("b").emit();
    }
  }

  private static Delivery.Counts counts(
      long created, long delivered, long failed, long dropped, long pending) {
    return new Delivery.Counts(created, delivered, failed, dropped, 0, pending, 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void countsAllSignals(boolean grpc) {
    OtlpReceiver receiver = receiver(grpc);
    Telemetry telemetry = build(receiver, grpc, "otel.metrics.exporter", "otlp");
    assertThat(telemetry.delivery()).isEqualTo(Delivery.NONE);
    endSpans(telemetry, 600);
    emit(telemetry, 7);
    telemetry.meter().counterBuilder("sessions").build().add(1);
    Delivery flushed = telemetry.flush(LONG);

    assertThat(flushed.complete()).isTrue();
    assertThat(flushed.spans()).isEqualTo(counts(600, 600, 0, 0, 0));
    assertThat(flushed.logRecords()).isEqualTo(counts(7, 7, 0, 0, 0));
    assertThat(flushed.metricPoints().created()).isPositive();
    assertThat(flushed.metricPoints().delivered()).isEqualTo(flushed.metricPoints().created());
    assertThat(telemetry.delivery()).isEqualTo(flushed);
    assertThat(receiver.spans()).hasSize(600);
    assertThat(receiver.logs()).hasSize(7);
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void theCountsAreTheMetricsOfThePage() throws IOException {
    OtlpReceiver receiver = receiver(true);
    Telemetry telemetry = build(receiver, true, "otel.metrics.exporter", "otlp");
    endSpans(telemetry, 5);
    telemetry.flush(LONG);
    telemetry.flush(LONG);

    Map<String, Long> recorded = new TreeMap<>();
    for (Metric metric : receiver.metrics()) {
      if (metric.getName().startsWith("throughline.")) {
        recorded.put(metric.getName(), metric.getSum().getDataPoints(0).getAsInt());
      }
    }
    String page = Files.readString(Path.of("..", "docs", "recorded-data.md"));
    assertThat(
            Pattern.compile("\\| `(throughline\\.[a-z_.]+)` \\|")
                .matcher(page.substring(page.indexOf("## Delivery")))
                .results()
                .map(row -> row.group(1)))
        .containsExactlyInAnyOrderElementsOf(recorded.keySet());
    assertThat(recorded)
        .containsEntry("throughline.spans.ended", 5L)
        .containsEntry("throughline.spans.exported", 5L)
        .containsEntry("throughline.spans.waiting", 0L)
        .containsEntry("throughline.metric_points.failed", 0L);
    assertThat(recorded.get("throughline.metric_points.exported")).isPositive();
  }

  @Test
  void whatWaitsIsPending() {
    OtlpReceiver receiver = receiver(true);
    Telemetry telemetry = build(receiver, true);
    endSpans(telemetry, 3);
    assertThat(telemetry.delivery().spans()).isEqualTo(counts(3, 0, 0, 0, 3));
    assertThat(telemetry.delivery().complete()).isFalse();

    CountDownLatch answers = receiver.hold();
    Delivery flushed = telemetry.flush(Duration.ofMillis(100));
    assertThat(flushed.complete()).isFalse();
    assertThat(flushed.spans()).isEqualTo(counts(3, 0, 0, 0, 3));
    answers.countDown();
    assertThat(telemetry.flush(LONG).spans()).isEqualTo(counts(3, 3, 0, 0, 0));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatAReceiverRejectsOfARequestHasFailed(boolean grpc) {
    OtlpReceiver receiver = receiver(grpc);
    receiver.reply(request -> Reply.partial(2, "too old"));
    Telemetry telemetry = build(receiver, grpc, "otel.metrics.exporter", "otlp");
    endSpans(telemetry, 5);
    emit(telemetry, 4);
    telemetry.meter().counterBuilder("sessions").build().add(1);
    Delivery flushed = telemetry.flush(LONG);

    assertThat(flushed.complete()).isFalse();
    assertThat(flushed.spans()).isEqualTo(counts(5, 3, 2, 0, 0));
    assertThat(flushed.logRecords()).isEqualTo(counts(4, 2, 2, 0, 0));
    assertThat(flushed.metricPoints().failed()).isEqualTo(2);
    assertThat(log.warnings())
        .contains(
            "Delivery of spans to " + endpoint(receiver, grpc) + " failed for 2 of them: too old");
  }

  private static String endpoint(OtlpReceiver receiver, boolean grpc) {
    return "http://" + receiver.authority() + (grpc ? "" : "/v1/traces");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsRefusedHasFailedAndIsNotTriedAgain(boolean grpc) {
    OtlpReceiver receiver = receiver(grpc);
    receiver.reply(
        request ->
            grpc
                ? Reply.grpc(Status.UNAUTHENTICATED.withDescription("who 50%?"), new Metadata())
                : Reply.http(401, Map.of()));
    Telemetry telemetry = build(receiver, grpc);
    endSpans(telemetry, 5);
    assertThat(telemetry.flush(LONG).spans()).isEqualTo(counts(5, 0, 5, 0, 0));
    assertThat(receiver.attempts()).isEqualTo(1);
    assertThat(log.warnings())
        .containsExactly(
            "Delivery of spans to "
                + endpoint(receiver, grpc)
                + " failed for 5 of them: the receiver does not let you in; set or correct"
                + " OTEL_EXPORTER_OTLP_HEADERS, whose values are percent-encoded ("
                + (grpc
                    ? "gRPC status UNAUTHENTICATED, who 50%?)"
                    : "HTTP status 401, Unauthorized)"));
    telemetry.close();
    assertThat(log.warnings().get(1))
        .startsWith("Telemetry closed, and not all was delivered: 5 of 5 spans lost")
        .endsWith(grpc ? "who 50%?" : "Unauthorized");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNAVAILABLE",
        "DATA_LOSS"
      })
  void statusesOfGrpcThatMayPassAreTriedAgain(String status) {
    assertTriedAgain(
        true, Reply.grpc(Status.Code.valueOf(status).toStatus(), new Metadata()), status);
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 502, 503, 504})
  void statusesOfHttpThatMayPassAreTriedAgain(int status) {
    assertTriedAgain(false, Reply.http(status, Map.of()), Integer.toString(status));
  }

  private void assertTriedAgain(boolean grpc, Reply first, String words) {
    OtlpReceiver receiver = receiver(grpc);
    AtomicInteger count = new AtomicInteger();
    receiver.reply(request -> count.getAndIncrement() == 0 ? first : Reply.OK);
    Telemetry telemetry = build(receiver, grpc);
    endSpans(telemetry, 5);
    Delivery flushed = telemetry.flush(LONG);
    assertThat(flushed.complete()).isTrue();
    assertThat(flushed.spans()).isEqualTo(counts(5, 5, 0, 0, 0));
    assertThat(receiver.attempts()).isEqualTo(2);
    assertThat(receiver.spans()).hasSize(5);
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith("Delivery of spans to http://localhost:")
        .contains(" fails and is tried again: ", words);
  }

  @Test
  void anExhaustedReceiverIsAskedAgainOnlyIfItSaysWhen() {
    OtlpReceiver receiver = receiver(true);
    receiver.reply(request -> Reply.grpc(Status.RESOURCE_EXHAUSTED, new Metadata()));
    Telemetry telemetry = build(receiver, true);
    endSpans(telemetry, 5);
    assertThat(telemetry.flush(LONG).spans()).isEqualTo(counts(5, 0, 5, 0, 0));
    assertThat(receiver.attempts()).isEqualTo(1);

    Metadata trailers = new Metadata();
    RetryInfo.Builder retry = RetryInfo.newBuilder();
    retry.getRetryDelayBuilder().setNanos(300_000_000);
    trailers.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
        com.google.rpc.Status.newBuilder()
            .setCode(8)
            .setMessage("later")
            .addDetails(Any.pack(retry.build()))
            .build()
            .toByteArray());
    receiver.reply(
        request ->
            receiver.attempts() == 2 ? Reply.grpc(Status.RESOURCE_EXHAUSTED, trailers) : Reply.OK);
    endSpans(telemetry, 5);
    long start = System.nanoTime();
    assertThat(telemetry.flush(LONG).spans()).isEqualTo(counts(10, 5, 5, 0, 0));
    assertThat(millisSince(start)).isBetween(300L, 700L);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void retryAfterIsKept(boolean date) {
    OtlpReceiver receiver = receiver(false);
    receiver.reply(
        request ->
            receiver.attempts() == 1
                ? Reply.http(503, Map.of("Retry-After", date ? inFourSeconds() : "3"))
                : Reply.OK);
    Telemetry telemetry = build(receiver, false);
    endSpans(telemetry, 5);
    long start = System.nanoTime();
    assertThat(telemetry.flush(LONG).complete()).isTrue();
    assertThat(millisSince(start)).isBetween(2_500L, 5_500L);
    assertThat(receiver.attempts()).isEqualTo(2);
  }

  /** It is tried again by our own bounds: what waits is worth more than an order to wait. */
  @ParameterizedTest
  @ValueSource(ints = {429, 503})
  void anAbsurdRetryAfterSaysNothing(int status) {
    List<Runnable> outcomes = new ArrayList<>();
    for (String value :
        List.of(
            "99999999999",
            "9223372036854775807",
            "99999999999999999999999",
            "31536000",
            "-5",
            "",
            "0",
            "1.5",
            "soon",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:59 GMT")) {
      OtlpReceiver receiver = receiver(false);
      receiver.reply(
          request ->
              receiver.attempts() == 1
                  ? Reply.http(status, Map.of("Retry-After", value))
                  : Reply.OK);
      outcomes.add(deliveredByTheSecondTry(value, receiver, false));
    }
    outcomes.forEach(Runnable::run);
  }

  @ParameterizedTest
  @CsvSource({
    "UNAVAILABLE,        9223372036854775807,  0",
    "UNAVAILABLE,        9223372036854775807,  999999999",
    "RESOURCE_EXHAUSTED, 9223372036854775807,  2147483647",
    "RESOURCE_EXHAUSTED, 31536000,             0",
    "UNAVAILABLE,        -9223372036854775808, -2147483648",
    "RESOURCE_EXHAUSTED, -1,                   0",
  })
  void anAbsurdRetryInfoSaysNothing(Status.Code status, long seconds, int nanos) {
    OtlpReceiver receiver = receiver(true);
    RetryInfo.Builder retry = RetryInfo.newBuilder();
    retry.getRetryDelayBuilder().setSeconds(seconds).setNanos(nanos);
    Metadata trailers = new Metadata();
    trailers.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
        com.google.rpc.Status.newBuilder()
            .addDetails(Any.pack(retry.build()))
            .build()
            .toByteArray());
    receiver.reply(
        request -> receiver.attempts() == 1 ? Reply.grpc(status.toStatus(), trailers) : Reply.OK);
    deliveredByTheSecondTry(status + " " + seconds, receiver, true).run();
  }

  private Runnable deliveredByTheSecondTry(String what, OtlpReceiver receiver, boolean grpc) {
    Telemetry telemetry = build(receiver, grpc);
    endSpans(telemetry, 5);
    telemetry.flush(Duration.ofMillis(1));
    return () -> {
      assertThat(telemetry.flush(LONG).spans()).as(what).isEqualTo(counts(5, 5, 0, 0, 0));
      assertThat(receiver.attempts()).as(what).isEqualTo(2);
    };
  }

  /** Three to four: a date has no fractions of a second. */
  private static String inFourSeconds() {
    return DateTimeFormatter.RFC_1123_DATE_TIME.format(
        ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(4));
  }

  private static long millisSince(long start) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
  }

  /** One that hangs is tried again after its timeout, and what may have come twice is counted. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasNotAnsweredInTimeIsSentAgainAndCounted(boolean grpc) {
    OtlpReceiver receiver = receiver(grpc);
    CountDownLatch answers = receiver.hold();
    Telemetry telemetry = build(receiver, grpc, "otel.exporter.otlp.timeout", "2s");
    endSpans(telemetry, 5);
    telemetry.flush(Duration.ofMillis(50));
    Wait.until("it has arrived", () -> receiver.spans().size() == 5);
    Wait.until("it is said", () -> !log.warnings().isEmpty());
    answers.countDown();
    Delivery flushed = telemetry.flush(LONG);
    assertThat(flushed.spans()).isEqualTo(new Delivery.Counts(5, 5, 0, 0, 0, 0, 5));
    assertThat(receiver.spans()).hasSize(10);
    assertThat(log.warnings())
        .containsExactly(
            "Delivery of spans to "
                + endpoint(receiver, grpc)
                + " fails and is tried again: no answer within 2000 ms");
  }

  @ParameterizedTest
  @CsvSource({"true, none", "true, gzip", "false, none", "false, gzip"})
  void aBurstFromFourThreadsLosesNothing(boolean grpc, String compression)
      throws InterruptedException {
    OtlpReceiver receiver = receiver(grpc);
    Telemetry telemetry =
        build(
            receiver,
            grpc,
            "otel.exporter.otlp.compression",
            compression,
            // As with a heap of 512 MB and more.
            "telemetry.delivery.memory.mb",
            "128");
    CountDownLatch answers = receiver.hold();
    burst(telemetry, 100_000);
    answers.countDown();
    Delivery flushed = telemetry.flush(Wait.LIMIT.multipliedBy(3));
    assertThat(flushed.spans()).isEqualTo(counts(100_000, 100_000, 0, 0, 0));
    Set<Object> ids = new HashSet<>();
    receiver.spans().forEach(span -> ids.add(span.getSpanId()));
    assertThat(ids).hasSize(100_000);
    assertThat(log.warnings()).isEmpty();
  }

  private static void burst(Telemetry telemetry, int count) throws InterruptedException {
    Tracer tracer = telemetry.tracer();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      Thread thread =
          new Thread(
              () -> {
                for (int i = 0; i < count / 4; i++) {
                  tracer
                      .spanBuilder("GET /servers/{id}")
                      .setNoParent()
                      .setAttribute("http.request.method", "GET")
                      .setAttribute("url.path", "/servers/7")
                      .setAttribute("url.scheme", "http")
                      .setAttribute("http.route", "/servers/{id}")
                      .setAttribute("server.address", "manager")
                      .setAttribute("server.port", 80)
                      .setAttribute("network.peer.address", "10.0.0.9")
                      .setAttribute("http.response.status_code", 200)
                      .startSpan()
                      .end();
                }
              });
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  @Test
  void fullMemoryDropsWhatComesCountsAndSaysSoOnce() throws InterruptedException {
    OtlpReceiver receiver = receiver(true);
    CountDownLatch answers = receiver.hold();
    Telemetry telemetry = build(receiver, true, "telemetry.delivery.memory.mb", "4");
    burst(telemetry, 40_000);
    Delivery.Counts full = telemetry.delivery().spans();
    assertThat(full.created()).isEqualTo(40_000);
    // Three and a half of the four megabytes, with half of the others' shares, are for spans of at
    // least 306 bytes, at most 900.
    assertThat(full.pending()).isBetween(3_000L, 12_000L);
    assertThat(full.dropped()).isEqualTo(40_000 - full.pending());
    Wait.until("it is said", () -> !log.warnings().isEmpty());
    burst(telemetry, 4_000);
    answers.countDown();
    Delivery flushed = telemetry.flush(LONG);
    assertThat(flushed.complete()).isFalse();
    assertThat(flushed.spans().pending()).isZero();
    assertThat(flushed.spans().delivered()).isEqualTo(receiver.spans().size());
    assertThat(flushed.spans().delivered() + flushed.spans().dropped()).isEqualTo(44_000);
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .contains(
            " spans were dropped: no more may wait for their delivery"
                + " (TELEMETRY_DELIVERY_MEMORY_MB)");

    // There is room again.
    endSpans(telemetry, 100);
    assertThat(telemetry.flush(LONG).complete()).isTrue();
  }

  @Test
  void metricsThatHaveNoRoomAreCountedAndNamedToo() {
    OtlpReceiver receiver = receiver(true);
    CountDownLatch answers = receiver.hold();
    Telemetry telemetry =
        build(
            receiver,
            true,
            "otel.metrics.exporter",
            "otlp",
            "otel.metric.export.interval",
            "10ms",
            "otel.exporter.otlp.timeout",
            "500ms",
            "telemetry.delivery.memory.mb",
            "1");
    LongCounter counter = telemetry.meter().counterBuilder("work").build();
    for (int i = 0; i < 1_000; i++) {
      counter.add(1, Attributes.of(AttributeKey.stringKey("large"), "x".repeat(100) + i));
    }
    // A sixteenth of the megabyte, and the one request that always has room.
    Wait.until("some have none", () -> telemetry.delivery().metricPoints().dropped() > 0);
    Wait.until("it is said", () -> log.warnings().stream().anyMatch(DeliveryTest::isOfDropped));
    answers.countDown();
    assertThat(log.warnings())
        .filteredOn(DeliveryTest::isOfDropped)
        .singleElement()
        .asString()
        .contains(
            " metric points were dropped: no more may wait for their delivery"
                + " (TELEMETRY_DELIVERY_MEMORY_MB)");
  }

  /** While the receiver is not known to fail, an export waits for room instead. */
  private static boolean isOfDropped(String line) {
    return line.contains(" were dropped: ");
  }

  /** Ones far larger than expected fill the memory all the same. */
  @Test
  void memoryIsBoundedWhateverTheSpansHold() {
    OtlpReceiver receiver = receiver(true);
    CountDownLatch answers = receiver.hold();
    Telemetry telemetry = build(receiver, true, "telemetry.delivery.memory.mb", "16");
    String large = "x".repeat(20_000);
    endLarge(telemetry, 512, large);
    // That tells how large they are.
    Wait.until("the first batch is on its way", () -> receiver.attempts() > 0);
    endLarge(telemetry, 3_000, large);
    Delivery.Counts full = telemetry.delivery().spans();
    assertThat(full.pending() * large.length()).isLessThan(24 << 20);
    answers.countDown();
    assertThat(full.dropped()).isPositive();
    assertThat(telemetry.flush(LONG).spans().pending()).isZero();
  }

  private static void endLarge(Telemetry telemetry, int count, String large) {
    for (int i = 0; i < count; i++) {
      telemetry.span("work").attribute("large", large).run(() -> {});
    }
  }

  @Test
  void aReceiverOfOneSignalThatHangsDoesNotDelayTheOthers() {
    OtlpReceiver hanging = receiver(false);
    CountDownLatch answers = hanging.hold();
    OtlpReceiver receiver = receiver(false);
    Telemetry telemetry =
        build(
            receiver,
            false,
            "otel.exporter.otlp.traces.endpoint",
            "http://" + hanging.authority() + "/v1/traces",
            "otel.bsp.schedule.delay",
            "1ms",
            "otel.blrp.schedule.delay",
            "1ms");
    endSpans(telemetry, 10);
    Wait.until("spans hang", () -> hanging.attempts() > 0);
    emit(telemetry, 10);
    Wait.until("the log records arrive", () -> telemetry.delivery().logRecords().delivered() == 10);
    assertThat(telemetry.delivery().spans().delivered()).isZero();
    answers.countDown();
  }

  /** A gRPC server would refuse the whole. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aBatchOfMoreThanFourMegabytesGoesOutInParts(boolean grpc) {
    OtlpReceiver receiver = receiver(grpc);
    Telemetry telemetry =
        build(
            receiver, grpc, "otel.metrics.exporter", "otlp", "telemetry.delivery.memory.mb", "128");
    String large = "x".repeat(20_000);
    endLarge(telemetry, 500, large);
    Logger logs = telemetry.openTelemetry().getLogsBridge().get("t");
    for (int i = 0; i < 500; i++) {
      logs.logRecordBuilder().setBody(large).emit();
    }
    for (int i = 0; i < 500; i++) {
      telemetry
          .meter()
          .counterBuilder("metric." + i)
          .setDescription("x".repeat(10_000))
          .build()
          .add(1);
    }
    Delivery flushed = telemetry.flush(LONG);
    assertThat(flushed.complete()).isTrue();
    assertThat(flushed.spans()).isEqualTo(counts(500, 500, 0, 0, 0));
    assertThat(flushed.logRecords()).isEqualTo(counts(500, 500, 0, 0, 0));
    assertThat(flushed.metricPoints().delivered()).isGreaterThanOrEqualTo(500);
    assertThat(receiver.spans()).hasSize(500);
    assertThat(receiver.logs()).hasSize(500);
    assertThat(receiver.metrics()).extracting(Metric::getName).doesNotHaveDuplicates();
    assertThat(receiver.exports())
        .allSatisfy(
            export -> assertThat(export.body().getSerializedSize()).isLessThanOrEqualTo(4 << 20));
  }

  @Test
  void oneSpanThatIsTooLargeGoesAlone() {
    OtlpReceiver receiver = receiver(true);
    Telemetry telemetry = build(receiver, true, "telemetry.delivery.memory.mb", "128");
    endSpans(telemetry, 3);
    endLarge(telemetry, 1, "x".repeat(5_000_000));
    endSpans(telemetry, 3);
    assertThat(telemetry.flush(LONG).complete()).isTrue();
    assertThat(receiver.spans()).hasSize(7);
    assertThat(receiver.exports())
        .filteredOn(export -> export.body().getSerializedSize() > 4 << 20)
        .singleElement()
        .extracting(
            export ->
                ((ExportTraceServiceRequest) export.body())
                    .getResourceSpans(0)
                    .getScopeSpans(0)
                    .getSpansCount())
        .isEqualTo(1);
  }

  @Test
  void largestRequestsGoOverGrpcAsWell() {
    OtlpReceiver receiver = receiver(true);
    Telemetry telemetry = build(receiver, true);
    String large = "x".repeat(3_000_000);
    telemetry.span("work").attribute("large", large).run(() -> {});
    assertThat(telemetry.flush(LONG).complete()).isTrue();
    assertThat(receiver.bodies(ExportTraceServiceRequest.class)).hasSize(1);
  }
}
