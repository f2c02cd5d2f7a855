// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.delivery.Delivery;
import dev.throughline.telemetry.settings.Environment;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.opentelemetry.proto.collector.trace.v1.ExportTracePartialSuccess;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The doctor and delivery read an answer alike: one says what becomes of spans with the other. */
@Timeout(120)
class OneWireTest {

  private static final String LONG = "these spans are older than what is kept; ".repeat(10) + "bye";

  private final List<AutoCloseable> open = new ArrayList<>();
  private final LogCapture log = new LogCapture();

  @AfterEach
  void close() throws Exception {
    log.close();
    for (AutoCloseable one : open) {
      one.close();
    }
  }

  /**
   * An answer, and what is said of it.
   *
   * @param status of HTTP; 0 for gRPC
   * @param delivered what becomes of a span
   * @param doctor how the doctor's line begins, behind the signal
   * @param logged what is logged of it; empty if nothing is
   */
  private record Case(
      String name,
      int status,
      Status grpc,
      Metadata trailers,
      Map<String, String> headers,
      byte[] body,
      boolean delivered,
      String doctor,
      String logged) {

    @Override
    public String toString() {
      return name + (status == 0 ? " over gRPC" : " over HTTP");
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    both(cases, "all is taken", none(), true, "ok       the span", "");
    both(cases, "a partial success", partial(1, "too old"), false, refused("too old"), "too old");
    both(cases, "a long reason", partial(1, LONG), false, refused(LONG), LONG);
    both(
        cases,
        "a partial success without a reason",
        partial(1, ""),
        false,
        refused("the receiver does not say why"),
        "the receiver does not say why");
    both(
        cases,
        "a warning",
        partial(0, "use v2"),
        true,
        "warning  the span telemetry.doctor is acknowledged",
        " takes the spans, and warns: use v2");
    // Field 1 with a length that is more than what follows.
    both(cases, "a malformed answer", new byte[] {0x0a, 0x7f, 8, 1}, true, "ok       the span", "");
    both(
        cases,
        "many more rejected than were sent",
        partial(Long.MAX_VALUE, "all"),
        false,
        refused("all"),
        "failed for 1 of them: all");
    cases.add(
        http("gzip", 200, Map.of("Content-Encoding", "gzip"), gzip(partial(1, LONG)), false)
            .says(refused(LONG), LONG));
    cases.add(
        http("a page", 200, Map.of("Content-Type", "text/html"), "<html>".getBytes(UTF_8), false)
            .says("failed   the receiver does not take them there", "HTTP status 200, and a page"));
    cases.add(
        http("a page without a type", 200, Map.of(), "<html>".getBytes(UTF_8), false)
            .says("failed   the receiver does not take them there", "HTTP status 200, and a page"));
    cases.add(
        http("no key", 401, Map.of(), new byte[0], false)
            .says("failed   authentication: ", "the receiver does not let you in"));
    cases.add(
        http("nothing there", 405, Map.of(), new byte[0], false)
            .says("failed   the receiver does not take them there", "HTTP status 405"));
    cases.add(
        grpc("no key", Status.PERMISSION_DENIED, new Metadata())
            .says("failed   authentication: ", "the receiver does not let you in"));
    cases.add(
        grpc("nothing there", Status.UNIMPLEMENTED, new Metadata())
            .says("failed   the receiver does not take them there", "UNIMPLEMENTED"));
    cases.add(
        grpc("a delay that is asked for", Status.RESOURCE_EXHAUSTED.withDescription("no"), later())
            .says("failed   the receiver refuses them (gRPC status RESOURCE_EXHAUSTED, no)", "no"));
    cases.add(
        http("a delay that is asked for", 503, Map.of("Retry-After", "9"), new byte[0], false)
            .says("failed   the receiver refuses them (HTTP status 503)", "Service Unavailable"));
    cases.add(
        http("too large", 413, Map.of(), new byte[0], false)
            .says(
                "failed   the receiver takes no request of that size (HTTP status 413)",
                "raise its limit, e.g. max_recv_msg_size_mib"));
    for (String words :
        List.of(
            "grpc: received message larger than max (9 vs. 4)",
            "gRPC message exceeds maximum size 4: 9",
            "Received message exceeds the maximum configured message size.")) {
      cases.add(
          grpc(words, Status.RESOURCE_EXHAUSTED.withDescription(words), new Metadata())
              .says("failed   the receiver takes no request of that size", "raise its limit"));
    }
    cases.add(
        grpc(
                "too large, of Rust",
                Status.OUT_OF_RANGE.withDescription(
                    "Error, decoded message length too large: found 9 bytes, the limit is: 4"),
                new Metadata())
            .says("failed   the receiver takes no request of that size", "raise its limit"));
    for (int status : new int[] {301, 302, 303, 307, 308}) {
      cases.add(
          http(
                  "a redirect",
                  status,
                  Map.of("Location", "https://key:secret@other.example/v1/traces?key=secret"),
                  new byte[0],
                  false)
              .says(
                  "failed   the receiver sends them elsewhere (HTTP status "
                      + status
                      + " to https://other.example/v1/traces)",
                  "set the endpoint to that address"));
    }
    cases.add(
        http("a redirect to nowhere", 308, Map.of(), new byte[0], false)
            .says("failed   the receiver sends them elsewhere", "set the endpoint to"));
    both(
        cases,
        "control characters",
        partial(1, "full\u001b[2J\nforged"),
        false,
        refused("full [2J forged"),
        "failed for 1 of them: full [2J forged");
    return cases.stream();
  }

  private static final java.nio.charset.Charset UTF_8 = StandardCharsets.UTF_8;

  private static Metadata later() {
    Metadata trailers = new Metadata();
    trailers.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
        com.google.rpc.Status.newBuilder()
            .addDetails(
                Any.pack(
                    RetryInfo.newBuilder()
                        .setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(9))
                        .build()))
            .build()
            .toByteArray());
    return trailers;
  }

  private static String refused(String why) {
    return "failed   the receiver refuses them (partial success, " + why + ")";
  }

  private static void both(
      List<Case> cases, String name, byte[] body, boolean delivered, String doctor, String logged) {
    cases.add(http(name, 200, Map.of(), body, delivered).says(doctor, logged));
    cases.add(
        new Draft(name, 0, Status.OK, new Metadata(), Map.of(), body, delivered)
            .says(doctor, logged));
  }

  private static Draft http(
      String name, int status, Map<String, String> headers, byte[] body, boolean delivered) {
    return new Draft(name, status, Status.OK, new Metadata(), headers, body, delivered);
  }

  private static Draft grpc(String name, Status status, Metadata trailers) {
    return new Draft(name, 0, status, trailers, Map.of(), new byte[0], false);
  }

  private record Draft(
      String name,
      int status,
      Status grpc,
      Metadata trailers,
      Map<String, String> headers,
      byte[] body,
      boolean delivered) {

    Case says(String doctor, String logged) {
      return new Case(name, status, grpc, trailers, headers, body, delivered, doctor, logged);
    }
  }

  private static byte[] none() {
    return ExportTraceServiceResponse.getDefaultInstance().toByteArray();
  }

  private static byte[] partial(long rejected, String message) {
    return ExportTraceServiceResponse.newBuilder()
        .setPartialSuccess(
            ExportTracePartialSuccess.newBuilder()
                .setRejectedSpans(rejected)
                .setErrorMessage(message))
        .build()
        .toByteArray();
  }

  private static byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return zipped.toByteArray();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void bothSayTheSame(Case answer) throws IOException {
    Map<String, String> settings = new HashMap<>();
    settings.put("otel.exporter.otlp.endpoint", "http://" + receiver(answer));
    settings.put("otel.exporter.otlp.protocol", answer.status == 0 ? "grpc" : "http/protobuf");
    settings.put("otel.java.exporter.otlp.retry.disabled", "true");
    settings.put("otel.metrics.exporter", "none");
    settings.put("otel.logs.exporter", "none");

    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int exit = Doctor.run(new Environment(settings, true), new PrintStream(out, true, UTF_8));
    assertThat(out.toString(UTF_8)).contains("  traces      " + answer.doctor);
    assertThat(exit).isEqualTo(answer.delivered ? 0 : 1);

    TelemetryBuilder builder = Telemetry.builder().ignoreEnvironment();
    settings.forEach(builder::addProperty);
    Telemetry telemetry = builder.build();
    telemetry.span("s").run(() -> {});
    Delivery delivery = telemetry.flush(Wait.LIMIT.multipliedBy(3));
    assertThat(delivery.complete()).isEqualTo(answer.delivered);
    assertThat(delivery.spans().delivered()).isEqualTo(answer.delivered ? 1 : 0);
    if (answer.delivered && answer.logged.isEmpty()) {
      assertThat(log.warnings()).isEmpty();
    } else {
      assertThat(log.warnings()).singleElement().asString().contains(answer.logged);
    }
    telemetry.close();
  }

  private String receiver(Case answer) throws IOException {
    return answer.status == 0 ? grpcReceiver(answer) : httpReceiver(answer);
  }

  private String httpReceiver(Case answer) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            exchange.getRequestBody().readAllBytes();
            answer.headers.forEach(exchange.getResponseHeaders()::set);
            exchange.sendResponseHeaders(
                answer.status, answer.body.length == 0 ? -1 : answer.body.length);
            exchange.getResponseBody().write(answer.body);
          }
        });
    server.start();
    open.add(() -> server.stop(0));
    return "localhost:" + server.getAddress().getPort();
  }

  private String grpcReceiver(Case answer) throws IOException {
    MethodDescriptor<byte[], byte[]> export =
        MethodDescriptor.newBuilder(new Bytes(), new Bytes())
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("opentelemetry.proto.collector.trace.v1.TraceService/Export")
            .build();
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(
                ServerServiceDefinition.builder(
                        "opentelemetry.proto.collector.trace.v1.TraceService")
                    .addMethod(
                        export,
                        ServerCalls.asyncUnaryCall(
                            (request, observer) -> {
                              if (answer.grpc.isOk()) {
                                observer.onNext(answer.body);
                                observer.onCompleted();
                              } else {
                                observer.onError(answer.grpc.asRuntimeException(answer.trailers));
                              }
                            }))
                    .build())
            .build()
            .start();
    open.add(server::shutdownNow);
    return "localhost:" + server.getPort();
  }

  /** Messages as they are. */
  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {

    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
