// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.trace.v1.Span;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What leaves the process, received on real sockets. */
class OtlpExportTest {

  private static final Duration LONG = Wait.LIMIT;

  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    // Telemetry before the receivers that it still sends to.
    for (int i = open.size(); i-- > 0; ) {
      open.get(i).close();
    }
  }

  private <T extends AutoCloseable> T opened(T closeable) {
    open.add(closeable);
    return closeable;
  }

  private Telemetry build(TelemetryBuilder builder) {
    return opened(builder.build());
  }

  private static TelemetryBuilder builder(String endpoint) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .setServiceName("exporting")
        .addProperty("otel.exporter.otlp.endpoint", endpoint);
  }

  /** Records one of each signal, and sends them. */
  private static void recordAll(Telemetry telemetry) {
    telemetry.span("vnc.connect").attribute("bmc.type", "ipmi").run(() -> {});
    telemetry.meter().counterBuilder("sessions").build().add(3);
    telemetry
        .openTelemetry()
        .getLogsBridge()
        .get("test")
        .logRecordBuilder()
        .setSeverity(Severity.INFO)
        .setBody("bmc answered")
        .emit();
    assertThat(telemetry.flush(LONG).complete()).isTrue();
  }

  private static void assertAllArrived(OtlpReceiver receiver) {
    assertThat(receiver.spans()).singleElement().extracting(Span::getName).isEqualTo("vnc.connect");
    assertThat(receiver.metrics()).extracting(Metric::getName).contains("sessions");
    assertThat(receiver.logs())
        .singleElement()
        .extracting(record -> record.getBody().getStringValue())
        .isEqualTo("bmc answered");
    assertThat(receiver.resource().getAttributesList())
        .filteredOn(attribute -> attribute.getKey().equals("service.name"))
        .singleElement()
        .extracting(attribute -> attribute.getValue().getStringValue())
        .isEqualTo("exporting");
  }

  @Test
  void allSignalsArriveOverGrpcWithoutASchemeOrAProtocol() {
    OtlpReceiver receiver = opened(OtlpReceiver.grpc());
    recordAll(build(builder(receiver.authority())));
    assertAllArrived(receiver);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "/v1/traces", "/otlp"})
  void allSignalsArriveOverHttp(String path) {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    recordAll(
        build(
            builder("http://" + receiver.authority() + path)
                .addProperty("otel.exporter.otlp.protocol", "http/protobuf")));
    assertAllArrived(receiver);
    String base = path.equals("/otlp") ? path : "";
    assertThat(receiver.exports())
        .extracting(OtlpReceiver.Export::path)
        .contains(base + "/v1/traces", base + "/v1/metrics", base + "/v1/logs");
  }

  @Test
  void eachSignalGoesToItsOwnEndpoint() {
    OtlpReceiver traces = opened(OtlpReceiver.grpc());
    OtlpReceiver metrics = opened(OtlpReceiver.http());
    OtlpReceiver logs = opened(OtlpReceiver.http());
    Telemetry telemetry =
        build(
            builder("http://localhost:1")
                .addProperty("otel.exporter.otlp.traces.endpoint", traces.authority())
                .addProperty(
                    "otel.exporter.otlp.metrics.endpoint", metrics.authority() + "/v1/metrics")
                .addProperty("otel.exporter.otlp.logs.endpoint", logs.authority() + "/v1/logs"));
    recordAll(telemetry);
    assertThat(traces.spans()).hasSize(1);
    assertThat(metrics.metrics()).isNotEmpty();
    assertThat(logs.logs()).hasSize(1);
  }

  @Test
  void headersAndCompressionReachTheReceiver() {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    recordAll(
        build(
            builder("http://" + receiver.authority() + "/v1/traces")
                .addProperty("otel.exporter.otlp.headers", "authorization=Bearer%20t,x-a=1")
                .addProperty("otel.exporter.otlp.metrics.headers", "x-a=2")
                .addProperty("otel.exporter.otlp.compression", "gzip")
                .addProperty("otel.exporter.otlp.logs.compression", "none")
                .addProperty("otel.exporter.otlp.protocol", "http/protobuf")));
    assertAllArrived(receiver);
    Map<String, Map<String, String>> headers = headersByPath(receiver);
    assertThat(headers.get("/v1/traces"))
        .containsEntry("authorization", "Bearer t")
        .containsEntry("x-a", "1")
        .containsEntry("content-encoding", "gzip");
    assertThat(headers.get("/v1/metrics"))
        .doesNotContainKey("authorization")
        .containsEntry("x-a", "2")
        .containsEntry("content-encoding", "gzip");
    assertThat(headers.get("/v1/logs"))
        .containsEntry("authorization", "Bearer t")
        .doesNotContainKey("content-encoding");
  }

  @Test
  void headersReachTheReceiverOverGrpc() {
    OtlpReceiver receiver = opened(OtlpReceiver.grpc());
    recordAll(
        build(
            builder(receiver.authority())
                .addProperty("otel.exporter.otlp.compression", "gzip")
                .addProperty("otel.exporter.otlp.headers", "authorization=Bearer%20t")));
    assertAllArrived(receiver);
    assertThat(receiver.exports())
        .allSatisfy(
            export ->
                assertThat(export.headers())
                    .containsEntry("authorization", "Bearer t")
                    .containsEntry("grpc-encoding", "gzip"));
  }

  private static Map<String, Map<String, String>> headersByPath(OtlpReceiver receiver) {
    Map<String, Map<String, String>> headers = new HashMap<>();
    receiver.exports().forEach(export -> headers.put(export.path(), export.headers()));
    return headers;
  }

  @Test
  void trustsTheCertificateThatIsSet(@TempDir Path folder) throws Exception {
    TestCertificates server = new TestCertificates(folder, "server");
    OtlpReceiver receiver = opened(OtlpReceiver.https(server.server(server), false));
    recordAll(
        build(
            builder("https://" + receiver.authority() + "/v1/traces")
                .addProperty("otel.exporter.otlp.certificate", server.certificate.toString())));
    assertAllArrived(receiver);
  }

  @Test
  void sendsNothingToAServerThatItDoesNotTrust(@TempDir Path folder) throws Exception {
    TestCertificates server = new TestCertificates(folder, "server");
    OtlpReceiver receiver = opened(OtlpReceiver.https(server.server(server), false));
    Telemetry telemetry =
        build(
            builder("https://" + receiver.authority() + "/v1/traces")
                .addProperty("otel.metrics.exporter", "none")
                .addProperty("otel.java.exporter.otlp.retry.disabled", "true"));
    telemetry.span("work").run(() -> {});
    assertThat(telemetry.flush(LONG).complete()).isFalse();
    assertThat(receiver.exports()).isEmpty();
  }

  @Test
  void showsTheClientCertificateThatIsSet(@TempDir Path folder) throws Exception {
    TestCertificates server = new TestCertificates(folder, "server");
    TestCertificates client = new TestCertificates(folder, "client");
    OtlpReceiver receiver = opened(OtlpReceiver.https(server.server(client), true));
    recordAll(
        build(
            builder("https://" + receiver.authority() + "/v1/traces")
                .addProperty("otel.exporter.otlp.certificate", server.certificate.toString())
                .addProperty("otel.exporter.otlp.client.key", client.key.toString())
                .addProperty(
                    "otel.exporter.otlp.client.certificate", client.certificate.toString())));
    assertAllArrived(receiver);
  }

  @ParameterizedTest
  @CsvSource({"always_on, 25", "always_off, 0"})
  void batchesByTheSettings(String sampler, int expected) {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry =
        build(
            builder("http://" + receiver.authority() + "/v1/traces")
                .addProperty("otel.traces.sampler", sampler)
                .addProperty("otel.metrics.exporter", "none")
                .addProperty("otel.bsp.schedule.delay", "1h")
                .addProperty("otel.bsp.max.export.batch.size", "10"));
    for (int i = 0; i < 25; i++) {
      telemetry.span("work").run(() -> {});
    }
    assertThat(telemetry.flush(LONG).complete()).isTrue();
    assertThat(receiver.spans()).hasSize(expected);
    assertThat(receiver.exports())
        .extracting(export -> ((ExportTraceServiceRequest) export.body()))
        .allSatisfy(
            body ->
                assertThat(body.getResourceSpans(0).getScopeSpans(0).getSpansCount())
                    .isBetween(1, 10));
  }

  @Test
  void spansLeaveByTheScheduleDelayAlone() {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry =
        build(
            builder("http://" + receiver.authority() + "/v1/traces")
                .addProperty("otel.metrics.exporter", "none")
                .addProperty("otel.bsp.schedule.delay", "20ms"));
    telemetry.span("work").run(() -> {});
    Wait.until("the span arrives", () -> receiver.spans().size() == 1);
  }

  @Test
  void metricsLeaveByTheExportInterval() {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry =
        build(
            builder("http://" + receiver.authority() + "/v1/metrics")
                .addProperty("otel.metric.export.interval", "20"));
    telemetry.meter().counterBuilder("sessions").build().add(1);
    Wait.until(
        "metrics came twice",
        () ->
            receiver.exports().stream()
                    .filter(export -> export.body() instanceof ExportMetricsServiceRequest)
                    .count()
                > 1);
  }

  @Test
  void tracesOffLeavesMetricsAndLogsOn() {
    OtlpReceiver receiver = opened(OtlpReceiver.http());
    Telemetry telemetry =
        build(
            builder("http://" + receiver.authority() + "/v1/traces")
                .addProperty("tracing.enabled", "false"));
    assertThat(telemetry.isEnabled()).isTrue();
    Map<String, String> incoming =
        Map.of(
            "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "tracestate", "a=1 , b=2",
            "baggage", "customer_id=c%201;p=x");
    Map<String, String> outgoing = new HashMap<>();
    telemetry
        .span("work")
        .parent(telemetry.extract(incoming))
        .run(() -> telemetry.inject(outgoing));
    assertThat(outgoing).isEqualTo(incoming);

    outgoing.clear();
    telemetry
        .span("root")
        .run(
            span -> {
              assertThat(span.span().getSpanContext().isValid()).isFalse();
              telemetry.inject(outgoing);
            });
    assertThat(outgoing).isEmpty();
    assertThat(telemetry.tracer().spanBuilder("raw").startSpan().getSpanContext().isValid())
        .isFalse();

    recordAll(telemetry);
    assertThat(receiver.spans()).isEmpty();
    assertThat(receiver.metrics()).extracting(Metric::getName).contains("sessions");
    assertThat(receiver.logs()).hasSize(1);
  }

  @Test
  void anInstanceSharesNothingWithAnother() {
    OtlpReceiver firstReceiver = opened(OtlpReceiver.http());
    OtlpReceiver secondReceiver = opened(OtlpReceiver.grpc());
    Telemetry first =
        build(
            builder("http://" + firstReceiver.authority() + "/v1/traces")
                .addProperty("telemetry.baggage.attributes", "tenant")
                .setServiceName("first"));
    Telemetry second =
        build(
            builder(secondReceiver.authority())
                .addProperty("telemetry.baggage.attributes", "region")
                .setServiceName("second"));
    for (Telemetry telemetry : List.of(first, second)) {
      telemetry.span("work").baggage("tenant", "t").baggage("region", "r").run(() -> {});
      telemetry.meter().counterBuilder("sessions").build().add(1);
      assertThat(telemetry.flush(LONG).complete()).isTrue();
    }
    assertThat(attributes(firstReceiver.spans())).containsExactly("baggage.tenant");
    assertThat(attributes(secondReceiver.spans())).containsExactly("baggage.region");
    assertThat(serviceName(firstReceiver)).isEqualTo("first");
    assertThat(serviceName(secondReceiver)).isEqualTo("second");

    // Closing the one leaves the other at work, with its own counts.
    first.close();
    second.span("later").run(() -> {});
    first.span("dropped").run(() -> {});
    assertThat(second.flush(LONG).complete()).isTrue();
    assertThat(secondReceiver.spans()).extracting(Span::getName).containsExactly("work", "later");
    assertThat(firstReceiver.spans()).extracting(Span::getName).containsExactly("work");
    first.guard().caught("Hook", new IllegalStateException("of the first"));
    assertThat(first.guard().hits()).isEqualTo(1);
    assertThat(second.guard().hits()).isZero();
  }

  private static List<String> attributes(List<Span> spans) {
    return spans.stream()
        .flatMap(span -> span.getAttributesList().stream())
        .map(KeyValue::getKey)
        .toList();
  }

  private static String serviceName(OtlpReceiver receiver) {
    return receiver.resource().getAttributesList().stream()
        .filter(attribute -> attribute.getKey().equals("service.name"))
        .map(attribute -> attribute.getValue().getStringValue())
        .findFirst()
        .orElseThrow();
  }

  /** A child's id on the wire is below its parent's. */
  @Test
  void aTreeArrivesAsATree() {
    OtlpReceiver receiver = opened(OtlpReceiver.grpc());
    Telemetry telemetry = build(builder(receiver.authority()));
    telemetry.span("outer").run(() -> telemetry.span("inner").run(() -> {}));
    assertThat(telemetry.flush(LONG).complete()).isTrue();
    Map<String, Span> spans = new HashMap<>();
    receiver.spans().forEach(span -> spans.put(span.getName(), span));
    assertThat(spans.get("inner").getParentSpanId()).isEqualTo(spans.get("outer").getSpanId());
    assertThat(spans.get("inner").getTraceId()).isEqualTo(spans.get("outer").getTraceId());
    assertThat(spans.get("outer").getParentSpanId()).isEqualTo(ByteString.EMPTY);
  }

  @Test
  void theConsoleExporterPrints() {
    List<String> printed = new CopyOnWriteArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(java.util.logging.LogRecord line) {
            printed.add(line.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger("io.opentelemetry.exporter.logging.LoggingSpanExporter");
    logger.addHandler(handler);
    try {
      Telemetry telemetry =
          build(
              Telemetry.builder()
                  .ignoreEnvironment()
                  .addProperty("otel.traces.exporter", "console")
                  .addProperty("otel.metrics.exporter", "none")
                  .addProperty("otel.logs.exporter", "none"));
      telemetry.span("vnc.connect").run(() -> {});
      assertThat(printed).singleElement().asString().startsWith("'vnc.connect' : ");
    } finally {
      logger.removeHandler(handler);
    }
  }
}
