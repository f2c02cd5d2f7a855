// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
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
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.Test;

/**
 * Holds every kind of span and metric that this module records against the semantic conventions,
 * and writes them to {@code target/otlp.jsonl}, one OTLP/JSON request a line, for other checkers.
 */
class ConformanceTest {

  private static final AttributeKey<String> RPC_SYSTEM = AttributeKey.stringKey("rpc.system.name");

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final InMemoryMetricReader metrics = InMemoryMetricReader.create();

  @Test
  void followsTheConventions() throws Exception {
    try (Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("conformance")
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addSpanProcessor(SimpleSpanProcessor.create(spans))
            .addMetricReader(metrics)
            .build()) {
      HttpTelemetryBuilder builder =
          HttpTelemetry.builder(telemetry)
              .addRoute("/items/{id}")
              .setCapturedRequestHeaders(List.of("X-Request-Id"))
              .setCapturedResponseHeaders(List.of("Content-Type"));
      for (String call : List.of("Say", "Fail", "Crash", "Unknown", "Stream")) {
        builder.addConnectProcedure("/kit.v1.Service/" + call);
      }
      HttpTelemetry http = builder.build();
      HttpClient client =
          http.wrap(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build());
      onTheJdkServer(http, client);
      onAServletContainer(http, client);
      onNoServer(client);
      Collection<MetricData> recorded = metrics.collectAllMetrics();
      write(spans.getFinishedSpanItems(), recorded);
      assertThat(spans.getFinishedSpanItems()).hasSizeGreaterThan(40).allSatisfy(this::conforms);
      assertThat(recorded)
          .extracting(MetricData::getName)
          .containsExactlyInAnyOrder(
              "http.server.request.duration",
              "http.client.request.duration",
              "http.server.active_requests",
              "rpc.server.call.duration",
              "rpc.client.call.duration");
    }
  }

  private void onTheJdkServer(HttpTelemetry http, HttpClient client) throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    http.addTo(server.createContext("/", ConformanceTest::answer));
    server.start();
    try {
      requests(client, URI.create("http://localhost:" + server.getAddress().getPort()));
    } finally {
      server.stop(0);
    }
  }

  private void onAServletContainer(HttpTelemetry http, HttpClient client) throws Exception {
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("localhost");
    server.addConnector(connector);
    ServletContextHandler context = new ServletContextHandler("/");
    context.addServlet(new ServletHolder(new Answers()), "/*");
    context.addServletContainerInitializer(
        (classes, servletContext) -> http.configure(servletContext));
    server.setHandler(context);
    server.start();
    try {
      requests(client, URI.create("http://localhost:" + connector.getLocalPort()));
    } finally {
      server.stop();
    }
  }

  private void onNoServer(HttpClient client) throws Exception {
    // Its port is nobody else's to listen on, as long as it is bound.
    try (Socket bound = new Socket()) {
      bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      URI uri = URI.create("http://localhost:" + bound.getLocalPort() + "/x?secret=1");
      assertThat(
              catchThrowable(
                  () -> client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())))
          .isInstanceOf(IOException.class);
      assertThat(
              catchThrowable(
                  () ->
                      client.send(
                          connect(uri.resolve("/kit.v1.Service/Say"), "application/json"),
                          BodyHandlers.ofString())))
          .isInstanceOf(IOException.class);
    }
  }

  private static void requests(HttpClient client, URI base) throws Exception {
    for (String path :
        List.of("/items/1", "/items/1?token=abc&b", "/status/404", "/status/503", "/status/204")) {
      client.send(
          HttpRequest.newBuilder(base.resolve(path)).header("X-Request-Id", "r-1").build(),
          BodyHandlers.ofString());
    }
    for (String method : List.of("POST", "HEAD", "BREW")) {
      client.send(
          HttpRequest.newBuilder(base.resolve("/items/2"))
              .method(method, BodyPublishers.noBody())
              .build(),
          BodyHandlers.ofString());
    }
    catchThrowable(
        () ->
            client.send(
                HttpRequest.newBuilder(base.resolve("/throw"))
                    .POST(BodyPublishers.noBody())
                    .build(),
                BodyHandlers.ofString()));
    for (String call : List.of("Say", "Fail", "Crash", "Unknown")) {
      client.send(
          connect(base.resolve("/kit.v1.Service/" + call), "application/json"),
          BodyHandlers.ofString());
    }
    client.send(
        connect(base.resolve("/kit.v1.Service/Stream"), "application/connect+json"),
        BodyHandlers.ofString());
  }

  private static HttpRequest connect(URI uri, String contentType) {
    return HttpRequest.newBuilder(uri)
        .header("Content-Type", contentType)
        .header("Connect-Protocol-Version", "1")
        .POST(BodyPublishers.ofString("{}"))
        .build();
  }

  private static void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    byte[] body = body(path);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    boolean none = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status(path), none ? -1 : body.length);
    try (OutputStream out = exchange.getResponseBody()) {
      if (!none) {
        out.write(body);
      }
    }
  }

  private static int status(String path) {
    if (path.startsWith("/status/")) {
      return Integer.parseInt(path.substring("/status/".length()));
    }
    return switch (path) {
      case "/kit.v1.Service/Fail", "/kit.v1.Service/Unknown" -> 404;
      case "/kit.v1.Service/Crash" -> 500;
      default -> 200;
    };
  }

  private static byte[] body(String path) {
    if (path.equals("/throw")) {
      throw new IllegalStateException("of the handler");
    }
    return switch (path) {
      case "/kit.v1.Service/Fail" -> "{\"code\":\"not_found\"}".getBytes(UTF_8);
      case "/kit.v1.Service/Crash" -> "{\"code\":\"internal\"}".getBytes(UTF_8);
      case "/kit.v1.Service/Unknown" -> "no such page".getBytes(UTF_8);
      case "/kit.v1.Service/Stream" ->
          "\002\000\000\000\041{\"error\":{\"code\":\"unavailable\"}}  ".getBytes(UTF_8);
      case "/status/204" -> new byte[0];
      default -> "{}".getBytes(UTF_8);
    };
  }

  private void conforms(SpanData span) {
    Set<String> keys =
        span.getAttributes().asMap().keySet().stream()
            .map(AttributeKey::getKey)
            .collect(Collectors.toSet());
    boolean failed = span.getStatus().getStatusCode() == StatusCode.ERROR;
    assertThat(keys.contains("error.type")).as("error.type of %s", span).isEqualTo(failed);
    if (span.getAttributes().get(RPC_SYSTEM) != null) {
      assertThat(keys).contains("rpc.method", "server.address", "server.port");
      assertThat(keys).noneMatch(key -> key.startsWith("http.") || key.startsWith("url."));
    } else if (span.getKind() == SpanKind.SERVER) {
      assertThat(keys)
          .contains(
              "http.request.method",
              "url.path",
              "url.scheme",
              "server.address",
              "server.port",
              "client.address",
              "network.peer.address",
              "network.peer.port",
              "network.protocol.version",
              "user_agent.original");
    } else {
      assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
      assertThat(keys).contains("http.request.method", "url.full", "server.address", "server.port");
    }
    assertThat(span.getAttributes().asMap().values())
        .allSatisfy(value -> assertThat(value.toString()).doesNotContain("abc", "secret=1"));
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

  private static final class Answers extends HttpServlet {

    private static final long serialVersionUID = 1;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      String path = request.getRequestURI();
      byte[] body = body(path);
      response.setStatus(status(path));
      response.setContentType("application/json");
      response.getOutputStream().write(body);
    }
  }
}
