// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import dev.throughline.telemetry.OtlpReceiver.Reply;
import dev.throughline.telemetry.delivery.Delivery;
import io.grpc.Metadata;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.proto.metrics.v1.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A receiver, or something before it, that takes smaller requests than are sent. */
@Timeout(120)
class SizeLimitTest {

  private static final int LIMIT = 20_000;
  private static final int ITEMS = 500;
  private static final Duration LONG = Wait.LIMIT.multipliedBy(3);
  private static final String HALF_THE_LIMIT = "x".repeat(LIMIT / 2);

  private final LogCapture log = new LogCapture();
  private OtlpReceiver receiver;
  private Telemetry telemetry;

  @AfterEach
  void close() {
    log.close();
    telemetry.close();
    receiver.close();
  }

  private void receive(boolean grpc) {
    receiver = grpc ? OtlpReceiver.grpc() : OtlpReceiver.http();
    receiver.reply(body -> reply(grpc, body));
  }

  private static Reply reply(boolean grpc, Message body) {
    int size = body.getSerializedSize();
    if (size <= LIMIT) {
      return Reply.OK;
    }
    return grpc
        ? Reply.grpc(
            Status.RESOURCE_EXHAUSTED.withDescription(
                "grpc: received message larger than max (" + size + " vs. " + LIMIT + ")"),
            new Metadata())
        : Reply.http(413, Map.of());
  }

  private Telemetry build(String endpoint, boolean grpc, String compression, Path spool) {
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.exporter.otlp.endpoint", "http://" + endpoint)
            .addProperty("otel.exporter.otlp.protocol", grpc ? "grpc" : "http/protobuf")
            .addProperty("otel.exporter.otlp.compression", compression)
            .addProperty("otel.metric.export.interval", "1h")
            .addProperty("otel.bsp.schedule.delay", "1h")
            .addProperty("otel.blrp.schedule.delay", "1h")
            .addProperty("telemetry.close.timeout", "300ms");
    if (spool != null) {
      builder.addProperty("telemetry.spool.folder", spool.toString());
    }
    return builder.build();
  }

  private static void record(Telemetry telemetry) {
    Logger logs = telemetry.openTelemetry().getLogsBridge().get("logs");
    Meter meter = telemetry.meter();
    LongCounter counter = meter.counterBuilder("counter").build();
    DoubleHistogram histogram = meter.histogramBuilder("histogram").build();
    meter.gaugeBuilder("gauge").buildWithCallback(gauge -> gauge.record(7));
    for (int i = 0; i < ITEMS; i++) {
      telemetry.span("span " + i).attribute("text", "x".repeat(200)).run(() -> {});
      logs.logRecordBuilder().setBody("log " + i + "x".repeat(200)).emit();
      Attributes attributes = Attributes.of(AttributeKey.stringKey("n"), "x".repeat(100) + i);
      counter.add(i, attributes);
      histogram.record(i, attributes);
    }
  }

  private void assertAllArrivedOnce() {
    assertThat(receiver.spans()).hasSize(ITEMS);
    assertThat(receiver.spans()).extracting(span -> span.getName()).doesNotHaveDuplicates();
    assertThat(receiver.logs()).hasSize(ITEMS);
    assertThat(receiver.logs())
        .extracting(record -> record.getBody().getStringValue())
        .doesNotHaveDuplicates();
    assertThat(points("counter").flatMap(metric -> metric.getSum().getDataPointsList().stream()))
        .hasSize(ITEMS)
        .extracting(point -> point.getAttributes(0).getValue().getStringValue())
        .doesNotHaveDuplicates();
    assertThat(points("counter")).allMatch(metric -> metric.getSum().getIsMonotonic());
    assertThat(
            points("histogram")
                .flatMap(metric -> metric.getHistogram().getDataPointsList().stream()))
        .hasSize(ITEMS);
    assertThat(points("gauge")).singleElement();
    assertThat(receiver.exports())
        .allSatisfy(
            export -> assertThat(export.body().getSerializedSize()).isLessThanOrEqualTo(LIMIT));
  }

  private Stream<Metric> points(String name) {
    return receiver.metrics().stream().filter(metric -> metric.getName().equals(name));
  }

  @ParameterizedTest
  @CsvSource({"true, none", "true, gzip", "false, none", "false, gzip"})
  void whatIsTooLargeGoesOutInParts(boolean grpc, String compression) {
    receive(grpc);
    telemetry = build(receiver.authority(), grpc, compression, null);
    record(telemetry);

    Delivery delivery = telemetry.flush(LONG);
    assertThat(delivery.complete()).as("%s", delivery).isTrue();
    assertThat(delivery.spans()).isEqualTo(new Delivery.Counts(ITEMS, ITEMS, 0, 0, 0, 0, 0));
    assertThat(delivery.logRecords()).isEqualTo(delivery.spans());
    assertAllArrivedOnce();
    assertThat(log.warnings()).isEmpty();

    // By now it is known what the receiver takes.
    int before = receiver.attempts() - receiver.exports().size();
    record(telemetry);
    assertThat(telemetry.flush(LONG).complete()).isTrue();
    assertThat(receiver.attempts() - receiver.exports().size() - before).isLessThan(10);
  }

  @ParameterizedTest
  @CsvSource({"true, none", "true, gzip", "false, none", "false, gzip"})
  void whatIsTooLargeOnDiskGoesOutInParts(boolean grpc, String compression, @TempDir Path folder)
      throws IOException {
    receive(grpc);
    try (ClosedPort nobody = new ClosedPort()) {
      telemetry = build(nobody.authority(), grpc, "gzip", folder);
      record(telemetry);
      telemetry.close();
      assertThat(telemetry.delivery().spans().spooled()).isEqualTo(ITEMS);
    }

    telemetry = build(receiver.authority(), grpc, compression, folder);
    Wait.until(
        "the disk is empty",
        () ->
            telemetry.delivery().spans().delivered() == ITEMS
                && telemetry.delivery().logRecords().delivered() == ITEMS
                && telemetry.delivery().metricPoints().spooled() == 0);
    assertThat(telemetry.delivery().metricPoints().lost()).isZero();
    assertAllArrivedOnce();
    try (Stream<Path> left = Files.walk(folder)) {
      assertThat(left.filter(file -> file.toString().endsWith(".otlp"))).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void oneItemThatIsTooLargeIsLostAloneAndTold(boolean grpc) {
    receive(grpc);
    telemetry = build(receiver.authority(), grpc, "none", null);
    for (int i = 0; i < 4; i++) {
      telemetry.span("span " + i).attribute("text", HALF_THE_LIMIT).run(() -> {});
    }
    telemetry.span("large").attribute("text", "x".repeat(3 * LIMIT)).run(() -> {});

    Delivery delivery = telemetry.flush(LONG);
    assertThat(delivery.spans()).isEqualTo(new Delivery.Counts(5, 4, 1, 0, 0, 0, 0));
    assertThat(receiver.spans())
        .extracting(span -> span.getName())
        .containsExactlyInAnyOrderElementsOf(List.of("span 0", "span 1", "span 2", "span 3"));
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .contains(
            " failed for 1 of them: the receiver takes no request of that size; raise its limit");
  }
}
