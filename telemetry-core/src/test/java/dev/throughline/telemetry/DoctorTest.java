// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.delivery.Answer;
import dev.throughline.telemetry.delivery.Receiver;
import dev.throughline.telemetry.doctor.Diagnostics;
import dev.throughline.telemetry.settings.Environment;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.trace.v1.ExportTracePartialSuccess;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each mistake is made for real. */
class DoctorTest {

  private static final Logger EXPORTERS = Logger.getLogger("io.opentelemetry");

  private final List<AutoCloseable> servers = new ArrayList<>();
  private Level level;

  @BeforeEach
  void quietExporters() {
    level = EXPORTERS.getLevel();
    EXPORTERS.setLevel(Level.OFF);
  }

  @AfterEach
  void close() throws Exception {
    EXPORTERS.setLevel(level);
    for (AutoCloseable server : servers) {
      server.close();
    }
  }

  /** What the doctor says, with how it ends in the last line. */
  private static String table(Map<String, String> properties, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int exit =
        Doctor.run(
            new Environment(properties, true),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            args);
    String text = out.toString(StandardCharsets.UTF_8);
    return text + "exit " + exit;
  }

  private static Map<String, String> settings(String... pairs) {
    Map<String, String> settings = new HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      settings.put(
          pairs[i].startsWith("otel.") ? pairs[i] : "otel.exporter.otlp." + pairs[i], pairs[i + 1]);
    }
    return settings;
  }

  private OtlpReceiver http() {
    OtlpReceiver receiver = OtlpReceiver.http();
    servers.add(receiver);
    return receiver;
  }

  private OtlpReceiver grpc() {
    OtlpReceiver receiver = OtlpReceiver.grpc();
    servers.add(receiver);
    return receiver;
  }

  private OtlpReceiver https(TestCertificates certificates, boolean ofClients) throws Exception {
    OtlpReceiver receiver = OtlpReceiver.https(certificates.server(certificates), ofClients);
    servers.add(receiver);
    return receiver;
  }

  /** Answers each path with a status of HTTP. */
  private String answering(ToIntFunction<String> status, byte[] body) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(
                status.applyAsInt(exchange.getRequestURI().getPath()),
                body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
          }
        });
    server.start();
    servers.add(() -> server.stop(0));
    return "localhost:" + server.getAddress().getPort();
  }

  private String closedPort() throws IOException {
    ClosedPort port = new ClosedPort();
    servers.add(port);
    return port.authority();
  }

  @Test
  void isContentWithAReceiverOfGrpc() {
    OtlpReceiver receiver = grpc();
    String table =
        table(
            settings(
                "endpoint", receiver.authority(), "protocol", "grpc", "otel.service.name", "s"));
    assertThat(table)
        .contains("settings    ok       all that is set can be used")
        .contains("http://" + receiver.authority() + " (grpc)\n")
        .contains("  name        ok       localhost is ")
        .contains("  connection  ok       to port ")
        .contains("  tls         skipped  the endpoint begins with http://")
        .contains("  protocol    ok       the port speaks HTTP/2, as gRPC needs it")
        .contains("  clock       skipped  the receiver tells no time")
        .contains("  traces      ok       the span telemetry.doctor is acknowledged, of trace ")
        .contains("  metrics     ok       taken")
        .contains("  logs        ok       taken")
        .endsWith("Telemetry arrives.\nexit 0");
    assertThat(receiver.spans())
        .singleElement()
        .satisfies(span -> assertThat(span.getName()).isEqualTo("telemetry.doctor"));
    assertThat(receiver.resource().toString()).contains("service.name").contains("\"s\"");
    assertThat(receiver.metrics()).isEmpty();
    assertThat(receiver.logs()).isEmpty();
    // The steps are told once for all signals.
    assertThat(table.split("  name  ", -1)).hasSize(2);
  }

  @Test
  void isContentWithAReceiverOfHttp() {
    OtlpReceiver receiver = http();
    String table = table(settings("endpoint", receiver.authority(), "protocol", "http/protobuf"));
    assertThat(table)
        .contains("  protocol    ok       the port speaks HTTP/1")
        .contains("  clock       ok       the receiver's differs by less than 5 s")
        .endsWith("Telemetry arrives.\nexit 0");
    assertThat(receiver.spans()).hasSize(1);
    assertThat(receiver.exports()).hasSize(3);
  }

  @Test
  void isContentWithTlsThatIsTrusted(@TempDir Path folder) throws Exception {
    TestCertificates certificates = new TestCertificates(folder, "receiver");
    OtlpReceiver receiver = https(certificates, true);
    String table =
        table(
            settings(
                "endpoint",
                "https://" + receiver.authority(),
                "protocol",
                "http/protobuf",
                "certificate",
                certificates.certificate.toString(),
                "client.certificate",
                certificates.certificate.toString(),
                "client.key",
                certificates.key.toString()));
    assertThat(table)
        .contains("  tls         ok       TLSv1.3, and the certificate is trusted")
        .endsWith("exit 0");
    assertThat(receiver.spans()).hasSize(1);
  }

  @Test
  void namesAHostThatIsUnknown() {
    assertThat(table(settings("endpoint", "no-such-host.invalid:4317")))
        .contains("  name        failed   no address is known of no-such-host.invalid\n")
        .contains("-> correct the endpoint's host; a container knows the names of its own network")
        .contains("  traces      skipped  not tried")
        .endsWith("Telemetry does not arrive, or not all of it.\nexit 1");
  }

  @Test
  void namesAPortWhereNobodyListens() throws IOException {
    String nobody = closedPort();
    assertThat(table(settings("endpoint", nobody)))
        .contains("  connection  failed   nothing listens at " + nobody)
        .endsWith("exit 1");
  }

  @Test
  void namesAPortOfHttpWhereGrpcIsSet() {
    assertThat(table(settings("endpoint", http().authority(), "protocol", "grpc")))
        .contains("  protocol    failed   this port speaks HTTP/1, the setting says grpc\n")
        .contains("-> set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or name the port of gRPC")
        .endsWith("exit 1");
  }

  @Test
  void namesAPortOfGrpcWhereHttpIsSet() {
    assertThat(table(settings("endpoint", grpc().authority(), "protocol", "http/protobuf")))
        .contains(
            "  protocol    failed   this port speaks HTTP/2 as gRPC does, the setting says"
                + " http/protobuf\n")
        .contains("-> set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or name the port of HTTP")
        .endsWith("exit 1");
  }

  @Test
  void namesTlsThatIsNotSet(@TempDir Path folder) throws Exception {
    OtlpReceiver receiver = https(new TestCertificates(folder, "receiver"), false);
    for (String protocol : List.of("grpc", "http/protobuf")) {
      assertThat(table(settings("endpoint", receiver.authority(), "protocol", protocol)))
          .contains("  protocol    failed   this port speaks TLS, the endpoint begins with http://")
          .contains("-> begin the endpoint with https://")
          .endsWith("exit 1");
    }
  }

  @Test
  void namesTlsThatIsNotThere() {
    assertThat(table(settings("endpoint", "https://" + http().authority())))
        .contains("  tls         failed   this port speaks no TLS, the endpoint begins with https")
        .endsWith("exit 1");
  }

  @Test
  void namesWhatIsWrongWithACertificate(@TempDir Path folder) throws Exception {
    TestCertificates good = new TestCertificates(folder, "good");
    assertThat(tls(good, null))
        .contains("the receiver's certificate is from an issuer that is not trusted\n")
        .contains("-> name the issuer's PEM file in OTEL_EXPORTER_OTLP_CERTIFICATE");
    TestCertificates issuer = new TestCertificates(folder, "issuer");
    TestCertificates expired =
        issuer.issue(folder, "expired", "-startdate", "-3d", "-validity", "1");
    assertThat(tls(expired, issuer)).contains("the receiver's certificate has expired\n");
    TestCertificates early = issuer.issue(folder, "early", "-startdate", "+3d", "-validity", "9");
    assertThat(tls(early, issuer)).contains("the receiver's certificate is not valid yet\n");
    TestCertificates other = new TestCertificates(folder, "other", "dns:collector.example");
    assertThat(tls(other, other)).contains("the receiver's certificate is not for localhost\n");
  }

  private String tls(TestCertificates shown, TestCertificates trusted) throws Exception {
    Map<String, String> settings =
        settings("endpoint", "https://" + https(shown, false).authority());
    if (trusted != null) {
      settings.put("otel.exporter.otlp.certificate", trusted.certificate.toString());
    }
    String table = table(settings);
    assertThat(table).contains("  tls         failed   ").endsWith("exit 1");
    return table;
  }

  @Test
  void namesACertificateOfTheClientThatIsMissing(@TempDir Path folder) throws Exception {
    TestCertificates certificates = new TestCertificates(folder, "receiver");
    assertThat(
            table(
                settings(
                    "endpoint",
                    "https://" + https(certificates, true).authority(),
                    "protocol",
                    "http/protobuf",
                    "certificate",
                    certificates.certificate.toString())))
        .contains("failed   the receiver wants to see a certificate of the client's")
        .endsWith("exit 1");
  }

  @Test
  void namesAKeyThatIsMissing() throws IOException {
    String receiver = answering(path -> 401, new byte[0]);
    Map<String, String> settings = settings("endpoint", receiver, "protocol", "http/protobuf");
    assertThat(table(settings))
        .contains(
            "  traces      failed   authentication: the receiver does not let you in (HTTP status"
                + " 401)\n")
        .contains("-> set OTEL_EXPORTER_OTLP_HEADERS, e.g. Authorization=Bearer%20abc")
        .endsWith("exit 1");
    settings.put("otel.exporter.otlp.headers", "Authorization=Bearer%20secret");
    assertThat(table(settings))
        .contains("-> correct OTEL_EXPORTER_OTLP_HEADERS")
        .doesNotContain("secret");
  }

  /** Answers spans over gRPC, and knows no other signal. */
  private String grpcAnswering(Status status, ExportTraceServiceResponse response)
      throws IOException {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(
                new TraceServiceGrpc.TraceServiceImplBase() {
                  @Override
                  public void export(
                      ExportTraceServiceRequest request,
                      StreamObserver<ExportTraceServiceResponse> observer) {
                    if (status.isOk()) {
                      observer.onNext(response);
                      observer.onCompleted();
                    } else {
                      observer.onError(status.asRuntimeException());
                    }
                  }
                })
            .build()
            .start();
    servers.add(server::shutdownNow);
    return "localhost:" + server.getPort();
  }

  @Test
  void tellsEachSignalByItself() throws IOException {
    String receiver =
        grpcAnswering(
            Status.UNAUTHENTICATED.withDescription("no key"),
            ExportTraceServiceResponse.getDefaultInstance());
    assertThat(table(settings("endpoint", receiver)))
        .containsPattern("traces +failed +authentication: .*UNAUTHENTICATED, no key")
        .containsPattern("metrics +failed +the receiver does not take them there .*UNIMPLEMENTED")
        .contains("set OTEL_METRICS_EXPORTER=none")
        .contains("set OTEL_LOGS_EXPORTER=none")
        .endsWith("exit 1");
    String withoutLogs = answering(path -> path.equals("/v1/logs") ? 404 : 200, new byte[0]);
    assertThat(table(settings("endpoint", withoutLogs, "protocol", "http/protobuf")))
        .containsPattern("traces +ok +the span telemetry.doctor is acknowledged")
        .containsPattern("metrics +ok +taken")
        .containsPattern("logs +failed +the receiver does not take them there .HTTP status 404")
        .endsWith("exit 1");
  }

  @Test
  void believesNoPageAndNoPartialSuccess() throws IOException {
    String page = answering(path -> 200, "<html>".getBytes(StandardCharsets.US_ASCII));
    assertThat(table(settings("endpoint", page, "protocol", "http/protobuf")))
        .containsPattern("traces +failed +the receiver does not take them there .*and a page")
        .endsWith("exit 1");
    ExportTraceServiceResponse partial =
        ExportTraceServiceResponse.newBuilder()
            .setPartialSuccess(
                ExportTracePartialSuccess.newBuilder()
                    .setRejectedSpans(1)
                    .setErrorMessage("too old"))
            .build();
    assertThat(table(settings("endpoint", grpcAnswering(Status.OK, partial))))
        .containsPattern("traces +failed +the receiver refuses them .partial success, .*too old")
        .endsWith("exit 1");
    assertThat(
            table(
                settings(
                    "endpoint",
                    answering(path -> 200, partial.toByteArray()),
                    "protocol",
                    "http/protobuf")))
        .containsPattern("traces +failed +the receiver refuses them .partial success, .*too old");
  }

  @Test
  void namesAReceiverThatRefuses() throws IOException {
    String receiver = answering(path -> 503, new byte[0]);
    assertThat(table(settings("endpoint", receiver, "protocol", "http/protobuf")))
        .contains("  traces      failed   the receiver refuses them (HTTP status 503)")
        .endsWith("exit 1");
  }

  @Test
  void comparesTheClocks() throws Exception {
    ServerSocket listener = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
    servers.add(listener);
    Thread server = new Thread(() -> answerFromTheFuture(listener), "future");
    server.start();
    assertThat(
            table(
                settings(
                    "endpoint",
                    "localhost:" + listener.getLocalPort(),
                    "protocol",
                    "http/protobuf")))
        .containsPattern("clock +warning +the receiver's is (119|120) s ahead")
        .contains("-> synchronize both by NTP")
        .endsWith("exit 0");
    listener.close();
    server.join();
  }

  private static void answerFromTheFuture(ServerSocket listener) {
    while (!listener.isClosed()) {
      try (Socket socket = listener.accept()) {
        InputStream in = socket.getInputStream();
        StringBuilder request = new StringBuilder();
        int bodyLeft = -1;
        while (bodyLeft != 0) {
          int read = in.read();
          if (read < 0) {
            throw new IOException("it only knocked");
          }
          request.append((char) read);
          if (bodyLeft > 0) {
            bodyLeft--;
          } else if (request.toString().endsWith("\r\n\r\n")) {
            var length =
                java.util.regex.Pattern.compile("(?i)content-length: (\\d+)").matcher(request);
            bodyLeft = length.find() ? Integer.parseInt(length.group(1)) : 0;
          }
        }
        String date =
            DateTimeFormatter.RFC_1123_DATE_TIME.format(
                // A date has no fractions of a second: this is 120 to 121 s ahead.
                ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(121));
        socket
            .getOutputStream()
            .write(
                ("HTTP/1.1 200 OK\r\nDate: "
                        + date
                        + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
      } catch (IOException e) {
        // The test is over, or the doctor has heard enough.
      }
    }
  }

  @Test
  void namesEachTargetOnce() throws IOException {
    String nobody = closedPort();
    String nobodyElse = closedPort();
    assertThat(
            table(
                settings(
                    "endpoint",
                    nobody,
                    "metrics.endpoint",
                    nobodyElse,
                    "metrics.protocol",
                    "grpc",
                    "otel.logs.exporter",
                    "none")))
        .containsPattern("java agent .*\n  logs        skipped  go to none\nhttp://")
        .containsOnlyOnce("http://" + nobody + " (grpc)\n")
        .containsOnlyOnce("http://" + nobodyElse + " (grpc)\n")
        .doesNotContain("\n\n");
    assertThat(table(settings("endpoint", nobody, "metrics.endpoint", nobodyElse)))
        .containsPattern(
            "  traces      skipped  not tried\n  logs        skipped  not tried\nhttp://");
  }

  @Test
  void tellsWhatIsSetWrongly() {
    OtlpReceiver receiver = grpc();
    assertThat(
            table(
                settings(
                    "endpoint",
                    receiver.authority(),
                    "headers",
                    "Authorization: secret",
                    "otel.traces.sampler",
                    "bogus",
                    "otel.logs.exporter",
                    "none",
                    "otel.sdk.disabled",
                    "yes")))
        .contains("  settings    warning  OTEL_TRACES_SAMPLER: \"bogus\" can't be used")
        .contains("-> accepted: always_on, ")
        .contains("  settings    warning  OTEL_EXPORTER_OTLP_HEADERS: \"***\" can't be used")
        .contains("  settings    warning  telemetry is off, since OTEL_SDK_DISABLED=true")
        .contains("  logs        skipped  go to none")
        .doesNotContain("secret")
        .endsWith("exit 0");
  }

  @Test
  void speaksJson() throws IOException {
    String nobody = closedPort();
    String text =
        table(settings("endpoint", nobody, "otel.resource.attributes", "a\\\"b"), "--json");
    assertThat(text).endsWith("exit 1");
    JsonObject json =
        JsonParser.parseString(text.substring(0, text.lastIndexOf("exit"))).getAsJsonObject();
    assertThat(json.get("well").getAsBoolean()).isFalse();
    List<JsonObject> findings = new ArrayList<>();
    json.getAsJsonArray("findings").forEach(finding -> findings.add(finding.getAsJsonObject()));
    assertThat(findings)
        .anySatisfy(
            finding -> {
              assertThat(finding.get("target").getAsString())
                  .isEqualTo("http://" + nobody + " (grpc)");
              assertThat(finding.get("check").getAsString()).isEqualTo("connection");
              assertThat(finding.get("result").getAsString()).isEqualTo("failed");
              assertThat(finding.get("text").getAsString())
                  .isEqualTo("nothing listens at " + nobody);
              assertThat(finding.get("remedy").getAsString()).startsWith("start the collector");
            })
        .anySatisfy(
            finding -> assertThat(finding.get("text").getAsString()).contains("\"a\\\"b\""));
  }

  @Test
  void tellsHowItIsCalled() {
    assertThat(table(Map.of(), "--help")).startsWith("Usage: java -cp ").endsWith("exit 2");
    assertThat(table(Map.of(), "--json", "x")).endsWith("exit 2");
  }

  @Test
  void runsInAProcessOfItsOwnAndSeesTheAgent() {
    OtlpReceiver receiver = http();
    for (boolean agent : new boolean[] {false, true}) {
      ChildJvm.Launch launch =
          ChildJvm.of(Doctor.class)
              .environment("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.authority())
              .environment("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
              .environment("OTEL_LOGS_EXPORTER", "none");
      if (agent) {
        launch.option("-javaagent:target/agent/opentelemetry-javaagent.jar");
      }
      try (ChildJvm child = launch.start()) {
        assertThat(child.awaitExit()).isZero();
        assertThat(child.output())
            .contains("Telemetry arrives.")
            .anyMatch(
                line ->
                    line.startsWith(
                        agent
                            ? "  java agent  warning  the OpenTelemetry Java agent runs: target/"
                            : "  java agent  ok       none runs"));
      }
    }
  }

  @Test
  void explainsWhyAnExportFailed() throws IOException {
    assertThat(explain("http://h:4317", true, new UnknownHostException("h")))
        .isEqualTo(
            "no address is known of h; correct the endpoint's host; a container knows the names of"
                + " its own network alone");
    assertThat(explain("http://h:4317", true, new IOException(new ConnectException("refused"))))
        .startsWith("nothing listens at h:4317; start the collector, or correct the endpoint");
    assertThat(explain("http://h:4317", true, new SocketTimeoutException("Connect timed out")))
        .startsWith("h:4317 does not answer; ");
    assertThat(explain("http://h:4317", true, new SocketTimeoutException("timeout"))).isNull();
    IOException vague = new IOException("unexpected end of stream");
    assertThat(explain("http://" + http().authority(), true, vague))
        .startsWith("this port speaks HTTP/1, the setting says grpc; ");
    assertThat(explain("http://" + grpc().authority(), false, vague))
        .startsWith("this port speaks HTTP/2 as gRPC does, the setting says http/protobuf; ");
    assertThat(explain("http://" + grpc().authority(), true, vague)).isNull();
    assertThat(explain("http://" + closedPort(), true, vague)).startsWith("nothing listens at ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"troubleshooting", "delivery"})
  void thePagesShowAnExplanation(String page) throws IOException {
    assertThat(Files.readString(Path.of("..", "docs", page + ".md")))
        .contains(
            "\nDelivery of spans to http://localhost:4317 fails and is tried again: "
                + explain("http://localhost:4317", true, new ConnectException("refused"))
                + " (Failed to connect to localhost/127.0.0.1:4317)\n");
  }

  private static @Nullable String explain(String endpoint, boolean grpc, IOException failure) {
    return Diagnostics.explain(
        new Receiver(URI.create(endpoint), grpc, null, null),
        new Answer(
            Answer.Kind.TRY_AGAIN, Answer.Cause.OTHER, 0, "thrown", "thrown", 0, false, failure));
  }

  /** The page has what the doctor says to six mistakes, with the usual ports. */
  @Test
  void thePageShowsSixMistakes(@TempDir Path folder) throws Exception {
    String page = Files.readString(Path.of("../docs/troubleshooting.md"));
    String http = http().authority();
    String grpc = grpc().authority();
    TestCertificates certificates = new TestCertificates(folder, "receiver");
    String https = https(certificates, false).authority();
    String closed = answering(path -> 401, new byte[0]);
    String nobody = closedPort();
    List<String> shown = new ArrayList<>();
    shown.add(shown(settings("endpoint", nobody), nobody, "localhost:4317"));
    shown.add(shown(settings("endpoint", "collecter.invalid:4317"), nobody, "localhost:4317"));
    shown.add(shown(settings("endpoint", http, "protocol", "grpc"), http, "localhost:4318"));
    shown.add(
        shown(settings("endpoint", grpc, "protocol", "http/protobuf"), grpc, "localhost:4317"));
    shown.add(
        shown(
            settings("endpoint", "https://" + https, "protocol", "http/protobuf"),
            https,
            "localhost:4318"));
    shown.add(
        shown(settings("endpoint", closed, "protocol", "http/protobuf"), closed, "localhost:4318"));
    Files.writeString(Path.of("target/doctor.md"), String.join("\n```\n\n```\n", shown));
    assertThat(shown).allSatisfy(text -> assertThat(page).contains("```\n" + text + "\n```"));
  }

  /** What it says of spans. */
  private static String shown(Map<String, String> settings, String authority, String usual) {
    settings.put("otel.metrics.exporter", "none");
    settings.put("otel.logs.exporter", "none");
    return table(settings)
        .replaceFirst("(?s)^.*?(?=http)", "")
        .replaceFirst("\nexit 1$", "")
        .replaceFirst("localhost is .*", "localhost is 127.0.0.1")
        .replace(authority, usual)
        .replaceFirst("to port \\d+", "to port " + usual.replaceFirst(".*:", ""));
  }
}
