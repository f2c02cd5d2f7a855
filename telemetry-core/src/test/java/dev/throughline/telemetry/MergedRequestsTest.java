// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import dev.throughline.telemetry.OtlpReceiver.Reply;
import dev.throughline.telemetry.delivery.Delivery;
import io.grpc.Metadata;
import io.grpc.Status;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that wait for a receiver go out as one, and what becomes of one is not another's. */
@Timeout(90)
class MergedRequestsTest {

  private static final Duration LONG = Wait.LIMIT.multipliedBy(3);
  private static final int BATCH = 100;
  private static final int BATCHES = 60;

  private final LogCapture log = new LogCapture();
  private OtlpReceiver receiver;
  private Telemetry telemetry;

  @AfterEach
  void close() {
    log.close();
    telemetry.close();
    receiver.close();
  }

  /** Many batches wait while a receiver holds back its answers. */
  private Delivery deliver(boolean grpc, String compression, Function<Message, Reply> replies) {
    receiver = grpc ? OtlpReceiver.grpc() : OtlpReceiver.http();
    telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.exporter.otlp.endpoint", receiver.authority())
            .addProperty("otel.exporter.otlp.protocol", grpc ? "grpc" : "http/protobuf")
            .addProperty("otel.exporter.otlp.compression", compression)
            .addProperty("otel.exporter.otlp.timeout", "40s")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.bsp.schedule.delay", "1h")
            .addProperty("otel.bsp.max.export.batch.size", String.valueOf(BATCH))
            .build();
    telemetry.span("first").run(() -> {});
    assertThat(telemetry.flush(LONG).complete()).isTrue();
    CountDownLatch answers = receiver.hold();
    receiver.reply(replies);
    for (int i = 0; i < BATCH * BATCHES; i++) {
      telemetry.tracer().spanBuilder("span " + i).startSpan().end();
    }
    Wait.until("a request is on its way", () -> receiver.attempts() > 1);
    answers.countDown();
    return telemetry.flush(LONG);
  }

  @ParameterizedTest
  @CsvSource({"true, none", "false, none", "true, gzip", "false, gzip"})
  void whatWaitsArrivesOnceInFewRequests(boolean grpc, String compression) {
    Delivery delivery = deliver(grpc, compression, body -> Reply.OK);
    int spans = BATCH * BATCHES + 1;
    assertThat(delivery.complete()).isTrue();
    assertThat(delivery.spans()).isEqualTo(new Delivery.Counts(spans, spans, 0, 0, 0, 0, 0));
    assertThat(receiver.spans()).hasSize(spans);
    assertThat(receiver.spans()).extracting(span -> span.getName()).doesNotHaveDuplicates();
    // Compressed ones stay by themselves: not each receiver reads on behind the first.
    assertThat(receiver.attempts())
        .isLessThanOrEqualTo(compression.equals("none") ? BATCHES / 2 : BATCHES + 1);
    assertThat(log.warnings()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theRefusalOfOneCostsNoOther(boolean grpc) {
    Delivery delivery =
        deliver(
            grpc,
            "none",
            body ->
                !has(body, "span 5250")
                    ? Reply.OK
                    : grpc
                        ? Reply.grpc(Status.INVALID_ARGUMENT, new Metadata())
                        : Reply.http(400, Map.of()));
    assertThat(delivery.spans().failed()).isEqualTo(BATCH);
    assertThat(receiver.spans()).hasSize(BATCH * (BATCHES - 1) + 1);
    assertThat(receiver.spans()).extracting(span -> span.getName()).doesNotHaveDuplicates();
    assertThat(log.warnings()).singleElement().asString().contains("failed for 100 of them");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsRejectedOfManyCountsOnce(boolean grpc) {
    Delivery delivery = deliver(grpc, "none", body -> Reply.partial(7, "of each request"));
    int requests = receiver.attempts() - 1;
    assertThat(delivery.spans().failed()).isEqualTo(7L * requests);
    assertThat(delivery.spans().delivered()).isEqualTo(BATCH * BATCHES + 1 - 7L * requests);
    assertThat(delivery.spans().pending()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void oneOfManyThatIsTooLargeIsSentInSmallerOnes(boolean grpc) {
    int limit = 40_000;
    Delivery delivery =
        deliver(
            grpc,
            "none",
            body ->
                body.getSerializedSize() <= limit
                    ? Reply.OK
                    : grpc
                        ? Reply.grpc(
                            Status.RESOURCE_EXHAUSTED.withDescription(
                                "grpc: received message larger than max"),
                            new Metadata())
                        : Reply.http(413, Map.of()));
    assertThat(delivery.complete()).isTrue();
    assertThat(receiver.spans()).hasSize(BATCH * BATCHES + 1);
    assertThat(receiver.spans()).extracting(span -> span.getName()).doesNotHaveDuplicates();
    assertThat(log.warnings()).isEmpty();
  }

  private static boolean has(Message body, String name) {
    return ((ExportTraceServiceRequest) body)
        .getResourceSpansList().stream()
            .flatMap(resource -> resource.getScopeSpansList().stream())
            .flatMap(scope -> scope.getSpansList().stream())
            .anyMatch(span -> span.getName().equals(name));
  }
}
