// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.settings.Environment;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests go through a proxy of the JDK's settings, and it alone can be at fault. */
@Timeout(120)
class ProxyTest {

  private final LogCapture log = new LogCapture();
  private final ProxySelector before = ProxySelector.getDefault();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    log.close();
    ProxySelector.setDefault(before);
    for (AutoCloseable one : open) {
      one.close();
    }
  }

  private static void through(int port) {
    ProxySelector.setDefault(
        new ProxySelector() {
          @Override
          public List<Proxy> select(URI uri) {
            return List.of(
                new Proxy(
                    Proxy.Type.HTTP,
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port)));
          }

          @Override
          public void connectFailed(URI uri, SocketAddress address, IOException e) {}
        });
  }

  private String proxy(int status) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    server.start();
    open.add(() -> server.stop(0));
    through(server.getAddress().getPort());
    return "localhost:" + server.getAddress().getPort();
  }

  private static Map<String, String> settings(String endpoint, String protocol) {
    return Map.of(
        "otel.exporter.otlp.endpoint",
        endpoint,
        "otel.exporter.otlp.protocol",
        protocol,
        "otel.metrics.exporter",
        "none",
        "otel.logs.exporter",
        "none",
        "telemetry.close.timeout",
        "1ms");
  }

  private static String doctor(String endpoint) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int unused =
        Doctor.run(
            new Environment(settings(endpoint, "http/protobuf"), true),
            new PrintStream(out, true, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  /** What is logged of a span that is sent there. */
  private String logged(String endpoint) {
    return logged(endpoint, "http/protobuf");
  }

  private String logged(String endpoint, String protocol) {
    TelemetryBuilder builder = Telemetry.builder().ignoreEnvironment();
    settings(endpoint, protocol).forEach(builder::addProperty);
    builder.addProperty("otel.bsp.schedule.delay", "1ms");
    Telemetry telemetry = builder.build();
    open.add(telemetry);
    telemetry.span("s").run(() -> {});
    Wait.until("it is told", () -> !log.warnings().isEmpty());
    return log.warnings().get(0);
  }

  @Test
  void aProxyThatLetsThemPassIsNamed() throws IOException {
    String proxy = proxy(200);
    assertThat(doctor("http://collector.example:4318"))
        .contains("  proxy       ok       requests go through " + proxy)
        .contains("  traces      ok       the span telemetry.doctor is acknowledged")
        .doesNotContain("no address is known");
  }

  @Test
  void aProxyThatWantsCredentialsIsNamed() throws IOException {
    String proxy = proxy(407);
    assertThat(doctor("http://collector.example:4318"))
        .contains("  traces      failed   the proxy wants credentials (HTTP status 407")
        .contains("http.nonProxyHosts");
    assertThat(logged("http://collector.example:4318"))
        .contains(": the proxy wants credentials; ", "go through the proxy " + proxy);
  }

  /** It may be the proxy that forbids it. */
  @Test
  void aProxyIsNamedBesideARefusal() throws IOException {
    String proxy = proxy(403);
    assertThat(logged("http://collector.example:4318"))
        .contains(": the receiver does not let you in; ", "go through the proxy " + proxy);
  }

  @Test
  void aProxyThatOpensNoTunnelIsNamed() throws IOException {
    String proxy = proxy(403);
    assertThat(logged("https://collector.example:4318"))
        .contains(": the proxy " + proxy + " does not let requests pass; ");
    assertThat(doctor("https://collector.example:4318"))
        .contains("  traces      failed   sending them failed: ", "does not let requests pass");
  }

  @Test
  void aProxyThatWantsCredentialsForATunnelIsNamed() throws IOException {
    ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    open.add(server);
    Thread proxying = new Thread(() -> refuseTunnels(server), "proxy");
    proxying.setDaemon(true);
    proxying.start();
    through(server.getLocalPort());
    String proxy = "localhost:" + server.getLocalPort();
    assertThat(logged("https://collector.example:4317", "grpc"))
        .contains(": the proxy " + proxy + " wants credentials; let it pass the receiver's host");
  }

  private static void refuseTunnels(ServerSocket server) {
    while (!server.isClosed()) {
      try (Socket socket = server.accept()) {
        BufferedReader request =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        for (String line = request.readLine();
            line != null && !line.isEmpty();
            line = request.readLine()) {}
        socket
            .getOutputStream()
            .write(
                ("HTTP/1.1 407 Proxy Authentication Required\r\n"
                        + "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
      } catch (IOException e) {
        // The test is over, or this one is gone.
      }
    }
  }

  /** It knows no HTTP/2, and takes it for a broken request. */
  @Test
  void aProxyThatPassesNoGrpcOnIsNamed() throws IOException {
    String proxy = proxy(403);
    assertThat(logged("http://collector.example:4317", "grpc"))
        .contains(": the proxy " + proxy + " passes no gRPC on that is in clear; ")
        .contains("http.nonProxyHosts, or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf");
  }

  @Test
  void aProxyThatIsNotThereIsNamed() throws IOException {
    ClosedPort nobody = new ClosedPort();
    open.add(nobody);
    through(Integer.parseInt(nobody.authority().replaceFirst(".*:", "")));
    assertThat(logged("http://collector.example:4318"))
        .contains(": the proxy " + nobody.authority() + " can't be reached; ");
    assertThat(doctor("http://collector.example:4318"))
        .contains("  proxy       failed   the proxy " + nobody.authority() + " can't be reached")
        .contains("  traces      skipped  not tried");
  }
}
