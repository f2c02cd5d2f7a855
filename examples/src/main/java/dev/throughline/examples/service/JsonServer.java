// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.http.HttpTelemetry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An HTTP server of the JDK that takes and gives JSON objects, on the loopback interface. Each
 * route is recorded; {@code /health} is there from the start.
 */
public final class JsonServer implements AutoCloseable {

  /** Answers one request. */
  @FunctionalInterface
  public interface Handler {

    /**
     * The body of the answer; null where there is none.
     *
     * @throws Refusal to answer with an error
     * @throws Exception for whatever else goes wrong; it is logged, and the answer is a 500
     */
    @Nullable ObjectNode handle(JsonRequest request) throws Exception;
  }

  private static final Logger LOGGER = LoggerFactory.getLogger(JsonServer.class);
  private static final int THREADS = 8;

  private final HttpServer server;
  private final HttpTelemetry telemetry;
  private final ErrorStyle errors;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  /**
   * A server that is not listening yet.
   *
   * @param port 0 for a free one
   */
  public JsonServer(HttpTelemetry telemetry, int port, ErrorStyle errors) {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    this.telemetry = telemetry;
    this.errors = errors;
    route("GET", "/health", request -> Json.object().put("status", "up"));
  }

  /** Adds a route, e.g. {@code POST} and {@code /servers/{id}/power}. */
  public void route(String method, String path, Handler handler) {
    route(method, path, errors, handler);
  }

  /** Adds a route whose errors are worded in their own way. */
  public void route(String method, String path, ErrorStyle errors, Handler handler) {
    PathTemplate template = new PathTemplate(path);
    telemetry.addTo(
        server.createContext(
            template.prefix(), exchange -> serve(exchange, method, template, errors, handler)));
  }

  /** Adds what answers by itself, e.g. metrics; it is not recorded. */
  public void mount(String path, HttpHandler handler) {
    server.createContext(path, handler);
  }

  /** Adds a page: an HTML file that lies beside a class. */
  public void page(String path, Class<?> beside, String file) {
    telemetry.addTo(server.createContext(path, exchange -> servePage(exchange, beside, file)));
  }

  private static void servePage(HttpExchange exchange, Class<?> beside, String file)
      throws IOException {
    try (exchange;
        InputStream page = beside.getResourceAsStream(file)) {
      byte[] bytes = requireNonNull(page, file).readAllBytes();
      exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  /** Starts to listen. */
  public void start() {
    server.start();
  }

  /** Where it listens. */
  public int port() {
    return server.getAddress().getPort();
  }

  /** Where it is reached, without a path. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + port());
  }

  private static void serve(
      HttpExchange exchange,
      String method,
      PathTemplate template,
      ErrorStyle errors,
      Handler handler)
      throws IOException {
    try (exchange) {
      int status;
      @Nullable ObjectNode body;
      try {
        body = handler.handle(request(exchange, method, template));
        status = body == null ? 204 : 200;
      } catch (Refusal refusal) {
        body = errors.body(refusal);
        status = refusal.status();
      } catch (Exception e) {
        LOGGER.error("{} {} failed", method, template.template(), e);
        body = errors.body(new Refusal(500, "An internal error"));
        status = 500;
      }
      send(exchange, status, body);
    }
  }

  private static JsonRequest request(HttpExchange exchange, String method, PathTemplate template)
      throws Refusal {
    String path = exchange.getRequestURI().getPath();
    Map<String, String> variables =
        template.match(path).orElseThrow(() -> new Refusal(404, "There is no " + path));
    HttpTelemetry.route(template.template());
    if (!method.equals(exchange.getRequestMethod())) {
      exchange.getResponseHeaders().set("Allow", method);
      throw new Refusal(405, "Only " + method + " is allowed here");
    }
    return new JsonRequest(exchange, variables);
  }

  private static void send(HttpExchange exchange, int status, @Nullable ObjectNode body)
      throws IOException {
    if (body == null) {
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    byte[] bytes = Json.write(body);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
