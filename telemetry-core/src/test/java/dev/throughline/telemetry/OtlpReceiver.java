// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import com.google.protobuf.Message;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse;
import io.opentelemetry.proto.collector.logs.v1.LogsServiceGrpc;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.metrics.v1.MetricsServiceGrpc;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** Receives OTLP on a real socket and keeps what came, decoded. */
final class OtlpReceiver implements AutoCloseable {

  /**
   * One export.
   *
   * @param path the URL's path; the service's name over gRPC
   * @param headers by their names in lower case
   */
  record Export(String path, Map<String, String> headers, Message body) {}

  /**
   * What an export is answered with.
   *
   * @param status over gRPC; OK acknowledges
   * @param trailers over gRPC
   * @param httpStatus over HTTP; 200 acknowledges
   * @param headers over HTTP
   * @param rejected items that are not taken though the others are
   * @param message said with the status, or with those that are not taken
   */
  record Reply(
      Status status,
      Metadata trailers,
      int httpStatus,
      Map<String, String> headers,
      long rejected,
      String message) {

    static final Reply OK = new Reply(Status.OK, new Metadata(), 200, Map.of(), 0, "");

    static Reply http(int status, Map<String, String> headers) {
      return new Reply(Status.OK, new Metadata(), status, headers, 0, "");
    }

    static Reply grpc(Status status, Metadata trailers) {
      return new Reply(status, trailers, 200, Map.of(), 0, "");
    }

    static Reply partial(long rejected, String message) {
      return new Reply(Status.OK, new Metadata(), 200, Map.of(), rejected, message);
    }

    boolean acknowledges() {
      return status.isOk() && httpStatus == 200;
    }
  }

  private final List<Export> exports = new CopyOnWriteArrayList<>();
  private final AtomicInteger attempts = new AtomicInteger();
  private volatile Function<Message, Reply> replies = request -> Reply.OK;
  private final ExecutorService workers = Executors.newCachedThreadPool();
  private final Runnable stop;
  private final int port;
  private volatile Map<String, String> lastMetadata = Map.of();
  private volatile CountDownLatch held = new CountDownLatch(0);

  static OtlpReceiver http() {
    return new OtlpReceiver(null, false);
  }

  /**
   * @param clientCertificate whether a client has to show one
   */
  static OtlpReceiver https(SSLContext tls, boolean clientCertificate) {
    return new OtlpReceiver(tls, clientCertificate);
  }

  static OtlpReceiver grpc() {
    return grpc(0);
  }

  /** One that comes where nobody was. */
  static OtlpReceiver grpc(int port) {
    return new OtlpReceiver(port, InsecureServerCredentials.create());
  }

  static OtlpReceiver grpc(ServerCredentials tls) {
    return new OtlpReceiver(0, tls);
  }

  private OtlpReceiver(SSLContext tls, boolean clientCertificate) {
    try {
      HttpServer server = tls == null ? HttpServer.create() : HttpsServer.create();
      if (server instanceof HttpsServer https) {
        https.setHttpsConfigurator(
            new HttpsConfigurator(tls) {
              @Override
              public void configure(HttpsParameters params) {
                SSLParameters parameters = tls.getDefaultSSLParameters();
                parameters.setNeedClientAuth(clientCertificate);
                params.setSSLParameters(parameters);
              }
            });
      }
      server.bind(anyPort(), 0);
      server.setExecutor(workers);
      server.createContext("/", this::receive);
      server.start();
      port = server.getAddress().getPort();
      stop = () -> server.stop(0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private OtlpReceiver(int wantedPort, ServerCredentials credentials) {
    try {
      Server server =
          NettyServerBuilder.forAddress(
                  new InetSocketAddress(InetAddress.getLoopbackAddress(), wantedPort), credentials)
              .executor(workers)
              .maxInboundMessageSize(64 << 20)
              .intercept(new KeepMetadata())
              .addService(new Traces())
              .addService(new Metrics())
              .addService(new Logs())
              .build()
              .start();
      port = server.getPort();
      stop = server::shutdownNow;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static InetSocketAddress anyPort() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  /** Host and port, without a scheme. */
  String authority() {
    return "localhost:" + port;
  }

  /** Acknowledges nothing until the latch that it returns is down. */
  CountDownLatch hold() {
    held = new CountDownLatch(1);
    return held;
  }

  /** Answers what comes from now on as told; what is not acknowledged is not kept. */
  void reply(Function<Message, Reply> replies) {
    this.replies = replies;
  }

  /** Exports that came, acknowledged or not. */
  int attempts() {
    return attempts.get();
  }

  List<Export> exports() {
    return exports;
  }

  List<Span> spans() {
    return bodies(ExportTraceServiceRequest.class)
        .flatMap(body -> body.getResourceSpansList().stream())
        .flatMap(resource -> resource.getScopeSpansList().stream())
        .flatMap(scope -> scope.getSpansList().stream())
        .toList();
  }

  List<Metric> metrics() {
    return bodies(ExportMetricsServiceRequest.class)
        .flatMap(body -> body.getResourceMetricsList().stream())
        .flatMap(resource -> resource.getScopeMetricsList().stream())
        .flatMap(scope -> scope.getMetricsList().stream())
        .toList();
  }

  List<LogRecord> logs() {
    return bodies(ExportLogsServiceRequest.class)
        .flatMap(body -> body.getResourceLogsList().stream())
        .flatMap(resource -> resource.getScopeLogsList().stream())
        .flatMap(scope -> scope.getLogRecordsList().stream())
        .toList();
  }

  /** The resource of the spans that came first. */
  Resource resource() {
    return bodies(ExportTraceServiceRequest.class)
        .findFirst()
        .orElseThrow()
        .getResourceSpans(0)
        .getResource();
  }

  <T extends Message> Stream<T> bodies(Class<T> type) {
    return exports.stream().map(Export::body).filter(type::isInstance).map(type::cast);
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      Map<String, String> headers = new TreeMap<>();
      exchange
          .getRequestHeaders()
          .forEach((name, lines) -> headers.put(name.toLowerCase(Locale.ROOT), lines.get(0)));
      String path = exchange.getRequestURI().getPath();
      InputStream body = exchange.getRequestBody();
      if ("gzip".equals(headers.get("content-encoding"))) {
        body = new GZIPInputStream(body);
      }
      Message request;
      if (path.endsWith("/v1/traces")) {
        request = ExportTraceServiceRequest.parseFrom(body);
      } else if (path.endsWith("/v1/metrics")) {
        request = ExportMetricsServiceRequest.parseFrom(body);
      } else if (path.endsWith("/v1/logs")) {
        request = ExportLogsServiceRequest.parseFrom(body);
      } else {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      Reply reply = keep(path, headers, request);
      exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
      reply.headers().forEach(exchange.getResponseHeaders()::set);
      byte[] answer =
          reply.acknowledges()
              ? response(request, reply).toByteArray()
              : com.google.rpc.Status.newBuilder()
                  .setMessage(reply.message())
                  .build()
                  .toByteArray();
      exchange.sendResponseHeaders(reply.httpStatus(), answer.length == 0 ? -1 : answer.length);
      exchange.getResponseBody().write(answer);
    }
  }

  private static Message response(Message request, Reply reply) {
    if (reply.rejected() == 0 && reply.message().isEmpty()) {
      return request instanceof ExportTraceServiceRequest
          ? ExportTraceServiceResponse.getDefaultInstance()
          : request instanceof ExportLogsServiceRequest
              ? ExportLogsServiceResponse.getDefaultInstance()
              : ExportMetricsServiceResponse.getDefaultInstance();
    }
    if (request instanceof ExportTraceServiceRequest) {
      ExportTraceServiceResponse.Builder traces = ExportTraceServiceResponse.newBuilder();
      traces
          .getPartialSuccessBuilder()
          .setRejectedSpans(reply.rejected())
          .setErrorMessage(reply.message());
      return traces.build();
    }
    if (request instanceof ExportLogsServiceRequest) {
      ExportLogsServiceResponse.Builder logs = ExportLogsServiceResponse.newBuilder();
      logs.getPartialSuccessBuilder()
          .setRejectedLogRecords(reply.rejected())
          .setErrorMessage(reply.message());
      return logs.build();
    }
    ExportMetricsServiceResponse.Builder metrics = ExportMetricsServiceResponse.newBuilder();
    metrics
        .getPartialSuccessBuilder()
        .setRejectedDataPoints(reply.rejected())
        .setErrorMessage(reply.message());
    return metrics.build();
  }

  private Reply keep(String path, Map<String, String> headers, Message body) {
    attempts.incrementAndGet();
    Reply reply = replies.apply(body);
    if (!reply.acknowledges()) {
      return reply;
    }
    exports.add(new Export(path, headers, body));
    try {
      held.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return reply;
  }

  @SuppressWarnings("unchecked")
  private <T> void answer(Message request, T none, StreamObserver<T> observer) {
    Reply reply = keep(request.getDescriptorForType().getFullName(), lastMetadata, request);
    if (!reply.status().isOk()) {
      observer.onError(reply.status().asRuntimeException(reply.trailers()));
      return;
    }
    observer.onNext(reply.rejected() == 0 ? none : (T) response(request, reply));
    observer.onCompleted();
  }

  private final class KeepMetadata implements ServerInterceptor {
    @Override
    public <REQ, RES> ServerCall.Listener<REQ> interceptCall(
        ServerCall<REQ, RES> call, Metadata headers, ServerCallHandler<REQ, RES> next) {
      Map<String, String> kept = new TreeMap<>();
      for (String name : headers.keys()) {
        if (!name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
          kept.put(name, headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)));
        }
      }
      lastMetadata = kept;
      return next.startCall(call, headers);
    }
  }

  private final class Traces extends TraceServiceGrpc.TraceServiceImplBase {
    @Override
    public void export(
        ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> observer) {
      answer(request, ExportTraceServiceResponse.getDefaultInstance(), observer);
    }
  }

  private final class Metrics extends MetricsServiceGrpc.MetricsServiceImplBase {
    @Override
    public void export(
        ExportMetricsServiceRequest request,
        StreamObserver<ExportMetricsServiceResponse> observer) {
      answer(request, ExportMetricsServiceResponse.getDefaultInstance(), observer);
    }
  }

  private final class Logs extends LogsServiceGrpc.LogsServiceImplBase {
    @Override
    public void export(
        ExportLogsServiceRequest request, StreamObserver<ExportLogsServiceResponse> observer) {
      answer(request, ExportLogsServiceResponse.getDefaultInstance(), observer);
    }
  }

  @Override
  public void close() {
    stop.run();
    workers.shutdownNow();
  }
}
