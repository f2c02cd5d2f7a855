// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import dev.throughline.examples.fleet.TelemetryStore.ReceivedLog;
import dev.throughline.examples.fleet.TelemetryStore.ReceivedMetric;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse;
import io.opentelemetry.proto.collector.logs.v1.LogsServiceGrpc.LogsServiceImplBase;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.metrics.v1.MetricsServiceGrpc.MetricsServiceImplBase;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc.TraceServiceImplBase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Receives OTLP over gRPC on a free port of the loopback interface, as a Collector does.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/otlp/#otlpgrpc">OTLP/gRPC</a>
 */
final class OtlpReceiver implements AutoCloseable {

  private final TelemetryStore store = new TelemetryStore();
  private final Server server;

  OtlpReceiver() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(new Traces())
            .addService(new Metrics())
            .addService(new Logs())
            .build()
            .start();
  }

  /** What OTEL_EXPORTER_OTLP_ENDPOINT is to be. */
  String endpoint() {
    return "http://127.0.0.1:" + server.getPort();
  }

  /** What came in. */
  TelemetryStore store() {
    return store;
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Traces extends TraceServiceImplBase {
    @Override
    public void export(
        ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> response) {
      List<ReceivedSpan> spans = new ArrayList<>();
      for (var resource : request.getResourceSpansList()) {
        String service = Otlp.service(resource.getResource());
        for (var scope : resource.getScopeSpansList()) {
          scope.getSpansList().forEach(span -> spans.add(ReceivedSpan.of(span, service)));
        }
      }
      store.addSpans(spans);
      answer(response, ExportTraceServiceResponse.getDefaultInstance());
    }
  }

  private final class Metrics extends MetricsServiceImplBase {
    @Override
    public void export(
        ExportMetricsServiceRequest request,
        StreamObserver<ExportMetricsServiceResponse> response) {
      List<ReceivedMetric> metrics = new ArrayList<>();
      for (var resource : request.getResourceMetricsList()) {
        String service = Otlp.service(resource.getResource());
        for (var scope : resource.getScopeMetricsList()) {
          scope
              .getMetricsList()
              .forEach(metric -> metrics.add(new ReceivedMetric(service, metric.getName())));
        }
      }
      store.addMetrics(metrics);
      answer(response, ExportMetricsServiceResponse.getDefaultInstance());
    }
  }

  private final class Logs extends LogsServiceImplBase {
    @Override
    public void export(
        ExportLogsServiceRequest request, StreamObserver<ExportLogsServiceResponse> response) {
      List<ReceivedLog> logs = new ArrayList<>();
      for (var resource : request.getResourceLogsList()) {
        String service = Otlp.service(resource.getResource());
        for (var scope : resource.getScopeLogsList()) {
          for (var log : scope.getLogRecordsList()) {
            logs.add(new ReceivedLog(service, Otlp.id(log.getTraceId()), Otlp.text(log.getBody())));
          }
        }
      }
      store.addLogs(logs);
      answer(response, ExportLogsServiceResponse.getDefaultInstance());
    }
  }

  private static <T> void answer(StreamObserver<T> response, T message) {
    response.onNext(message);
    response.onCompleted();
  }
}
