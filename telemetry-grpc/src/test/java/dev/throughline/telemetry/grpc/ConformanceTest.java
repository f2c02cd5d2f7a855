// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.RpcKit;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.exporter.internal.marshal.Marshaler;
import io.opentelemetry.exporter.internal.otlp.metrics.MetricsRequestMarshaler;
import io.opentelemetry.exporter.internal.otlp.traces.TraceRequestMarshaler;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Holds every kind of span and metric that this module records against the semantic conventions,
 * and writes them to {@code target/otlp.jsonl}, one OTLP/JSON request a line, for other checkers.
 */
class ConformanceTest {

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final InMemoryMetricReader metrics = InMemoryMetricReader.create();

  @Test
  void followsTheConventions() throws Exception {
    try (Telemetry conformance =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("conformance")
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addProperty("telemetry.segment.limit", "50ms")
            .addSpanProcessor(SimpleSpanProcessor.create(spans))
            .addMetricReader(metrics)
            .build()) {
      RpcKit.KitService service = new RpcKit.KitService();
      Calls.make(new Calls().connect(new RpcKit.Setup(conformance, service, 2)), service, spans);
      Collection<MetricData> recorded = metrics.collectAllMetrics();
      List<SpanData> ended = spans.getFinishedSpanItems();
      // A segment before the last has no status yet, which the conventions require of a call.
      List<SpanData> whole = ended.stream().filter(ConformanceTest::isWhole).toList();
      assertThat(ended).filteredOn(span -> !whole.contains(span)).allSatisfy(this::isASegment);
      write(whole, recorded);
      assertThat(ended).hasSizeGreaterThan(25).allSatisfy(ConformanceTest::conforms);
      assertThat(recorded)
          .extracting(MetricData::getName)
          .containsExactlyInAnyOrder(GrpcKeys.CLIENT_DURATION, GrpcKeys.SERVER_DURATION);
    }
  }

  private static void conforms(SpanData span) {
    Set<String> keys =
        span.getAttributes().asMap().keySet().stream()
            .map(AttributeKey::getKey)
            .collect(Collectors.toSet());
    boolean failed = span.getStatus().getStatusCode() == StatusCode.ERROR;
    assertThat(keys.contains("error.type")).as("error.type of %s", span).isEqualTo(failed);
    assertThat(span.getKind()).isIn(SpanKind.CLIENT, SpanKind.SERVER);
    assertThat(span.getName()).isEqualTo(span.getAttributes().get(GrpcKeys.RPC_METHOD));
    assertThat(keys).contains("rpc.system.name", "rpc.method", "server.address", "server.port");
  }

  private static boolean isWhole(SpanData span) {
    return span.getAttributes().get(GrpcKeys.RPC_RESPONSE_STATUS_CODE) != null;
  }

  private void isASegment(SpanData span) {
    assertThat(span.getAttributes().get(AttributeKey.longKey("throughline.segment.number")))
        .isPositive();
  }

  private static void write(List<SpanData> spans, Collection<MetricData> metrics)
      throws IOException {
    try (OutputStream out = Files.newOutputStream(Path.of("target", "otlp.jsonl"))) {
      for (Marshaler request :
          List.of(TraceRequestMarshaler.create(spans), MetricsRequestMarshaler.create(metrics))) {
        request.writeJsonTo(out);
        out.write('\n');
      }
    }
  }

  /** The kit's calls, without its tests. */
  private static final class Calls extends NettyTest {

    static void make(Connection rpc, KitService service, InMemorySpanExporter spans)
        throws Exception {
      call(rpc, Method.ECHO, "a").get();
      call(rpc, Method.COLLECT, "a", "b").get();
      call(rpc, Method.SPLIT, "5").get();
      call(rpc, Method.CHAT, "a").get();
      call(rpc, Method.THROW, "halfClose").get();
      call(rpc, Method.THROW, "complete").get();
      for (String code : List.of("NOT_FOUND", "INTERNAL", "UNAVAILABLE", "PERMISSION_DENIED")) {
        call(rpc, Method.FAIL, code).get();
      }
      Pending held = start(rpc, Method.HOLD, null);
      await(() -> segments(spans, SpanKind.CLIENT) >= 3 && segments(spans, SpanKind.SERVER) >= 3);
      held.sender().send("DEADLINE_EXCEEDED");
      held.outcome().get(10, TimeUnit.SECONDS);
      Pending cancelled = start(rpc, Method.HOLD, null);
      cancelled.sender().send("HELLO");
      service.awaitHello();
      cancelled.sender().cancel();
      cancelled.outcome().get(10, TimeUnit.SECONDS);
      // A client knows of its call's end before its server does.
      await(() -> whole(spans, SpanKind.SERVER) == whole(spans, SpanKind.CLIENT));
      rpc.close();
      call(rpc, Method.ECHO, "a").get();
    }

    private static long segments(InMemorySpanExporter spans, SpanKind kind) {
      return spans.getFinishedSpanItems().stream()
          .filter(span -> span.getName().equals(Method.HOLD.fullName()))
          .filter(span -> span.getKind() == kind && !isWhole(span))
          .count();
    }

    private static long whole(InMemorySpanExporter spans, SpanKind kind) {
      return spans.getFinishedSpanItems().stream()
          .filter(span -> span.getKind() == kind && isWhole(span))
          .count();
    }

    private static void await(BooleanSupplier condition) {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (!condition.getAsBoolean()) {
        assertThat(System.nanoTime() - deadline).as("waited in vain").isNegative();
        LockSupport.parkNanos(1_000_000);
      }
    }
  }
}
