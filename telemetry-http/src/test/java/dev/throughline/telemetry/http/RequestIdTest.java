// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A request's id on its way from service to service, and back. */
class RequestIdTest {

  @RegisterExtension
  static final TelemetryExtension telemetry =
      TelemetryExtension.builder()
          .addProperty("telemetry.request.id.header", "X-OpenStack-Request-Id")
          .build();

  private static final String HEADER = "X-OpenStack-Request-Id";

  private final HttpClient plain = HttpClient.newHttpClient();
  private final List<String> received = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private HttpServer server;
  private HttpClient traced;

  @BeforeEach
  void start() throws IOException {
    HttpTelemetry http =
        HttpTelemetry.builder(telemetry.telemetry())
            .addConnectProcedure("/fleet.v1.FleetService/GetServer")
            .build();
    traced = http.wrap(plain);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    http.addTo(server.createContext("/front", answering(exchange -> call("/back"))));
    http.addTo(server.createContext("/own", answering(exchange -> call("/back", HEADER, "own"))));
    http.addTo(
        server.createContext(
            "/answers", answering(exchange -> exchange.getResponseHeaders().set(HEADER, "own"))));
    http.addTo(
        server.createContext(
            "/back",
            answering(exchange -> received.add(exchange.getRequestHeaders().getFirst(HEADER)))));
    http.addTo(
        server.createContext(
            "/fleet.v1.FleetService/",
            answering(exchange -> received.add(exchange.getRequestHeaders().getFirst(HEADER)))));
    server.createContext(
        "/plain",
        answering(exchange -> received.add(exchange.getRequestHeaders().getFirst(HEADER))));
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
    threads.shutdownNow();
  }

  @FunctionalInterface
  private interface Work {
    void on(HttpExchange exchange) throws Exception;
  }

  private static HttpHandler answering(Work work) {
    return exchange -> {
      try {
        work.on(exchange);
      } catch (Exception e) {
        throw new IOException(e);
      }
      exchange.sendResponseHeaders(204, -1);
    };
  }

  private HttpRequest request(String path, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
            URI.create("http://localhost:" + server.getAddress().getPort() + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return request.build();
  }

  private void call(String path, String... headers) throws Exception {
    traced.send(request(path, headers), BodyHandlers.discarding());
  }

  private String get(String path, String... headers) throws Exception {
    HttpResponse<Void> response = plain.send(request(path, headers), BodyHandlers.discarding());
    return response.headers().allValues(HEADER).toString();
  }

  @Test
  void goesThroughAllServices() throws Exception {
    assertThat(get("/front", HEADER, "req-1")).isEqualTo("[req-1]");
    assertThat(received).containsExactly("req-1");
    assertThat(telemetry)
        .tree(
            """
            GET /front   SERVER request.id=req-1
              GET        CLIENT request.id=req-1
                GET /back  SERVER request.id=req-1
            """);
  }

  @Test
  void isMadeWhereNoneComes() throws Exception {
    String echoed = get("/front");
    assertThat(received).hasSize(1);
    assertThat(echoed).isEqualTo(received.toString()).hasSize("[]".length() + 36);
    assertThat(telemetry.takeSpans(3))
        .allSatisfy(
            span ->
                assertThat(span.getAttributes().get(AttributeKey.stringKey("request.id")))
                    .isEqualTo(received.get(0)));
  }

  @Test
  void whatTheApplicationSendsStands() throws Exception {
    assertThat(get("/own", HEADER, "req-1")).isEqualTo("[req-1]");
    assertThat(received).containsExactly("own");
    assertThat(get("/answers", HEADER, "req-1")).isEqualTo("[own]");
    telemetry.takeSpans(4);
  }

  @Test
  void aClientWithoutARequestSendsNone() throws Exception {
    telemetry.telemetry().span("job").run(() -> call("/plain"));
    assertThat(received).containsOnlyNulls();
    telemetry.takeSpans(2);
  }

  @Test
  void goesThroughConnectRpcAsWell() throws Exception {
    HttpRequest rpc =
        HttpRequest.newBuilder(request("/fleet.v1.FleetService/GetServer").uri())
            .header("Content-Type", "application/json")
            .header("Connect-Protocol-Version", "1")
            .header(HEADER, "req-2")
            .POST(BodyPublishers.ofString("{}"))
            .build();
    assertThat(plain.send(rpc, BodyHandlers.discarding()).headers().allValues(HEADER))
        .containsExactly("req-2");
    assertThat(received).containsExactly("req-2");
    telemetry.takeSpan();
  }

  @Test
  void aHealthCheckHasNone() throws Exception {
    HttpTelemetry.create(telemetry.telemetry())
        .addTo(server.createContext("/health", answering(exchange -> {})));
    assertThat(get("/health", HEADER, "req-3")).isEqualTo("[]");
  }
}
