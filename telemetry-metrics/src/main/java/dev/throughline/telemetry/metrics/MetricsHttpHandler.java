// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.throughline.telemetry.instrument.Guard;
import io.prometheus.metrics.exporter.common.PrometheusHttpExchange;
import io.prometheus.metrics.exporter.common.PrometheusHttpRequest;
import io.prometheus.metrics.exporter.common.PrometheusHttpResponse;
import io.prometheus.metrics.exporter.common.PrometheusScrapeHandler;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;

/**
 * Answers with the metrics on the JDK's HTTP server. Not the Prometheus client's handler: that logs
 * a scrape which its client gives up as SEVERE, and answers a failed one with a stack trace.
 */
final class MetricsHttpHandler implements HttpHandler {

  private final PrometheusScrapeHandler handler;
  private final Guard guard;

  /**
   * @param guard counts scrapes that fail
   */
  MetricsHttpHandler(PrometheusRegistry registry, Guard guard) {
    handler = new PrometheusScrapeHandler(registry);
    this.guard = guard;
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    handler.handleRequest(new Scrape(exchange, guard));
  }

  /** The status to send: the handler's own 500 is about a parameter of the request. */
  static int status(int ofHandler) {
    return ofHandler == HttpURLConnection.HTTP_INTERNAL_ERROR
        ? HttpURLConnection.HTTP_BAD_REQUEST
        : ofHandler;
  }

  private record Scrape(HttpExchange exchange, Guard guard)
      implements PrometheusHttpExchange, PrometheusHttpRequest, PrometheusHttpResponse {

    @Override
    public PrometheusHttpRequest getRequest() {
      return this;
    }

    @Override
    public PrometheusHttpResponse getResponse() {
      return this;
    }

    @Override
    public String getQueryString() {
      return exchange.getRequestURI().getRawQuery();
    }

    @Override
    public Enumeration<String> getHeaders(String name) {
      List<String> lines = exchange.getRequestHeaders().get(name);
      return Collections.enumeration(lines == null ? List.of() : lines);
    }

    @Override
    public String getMethod() {
      return exchange.getRequestMethod();
    }

    @Override
    public String getRequestPath() {
      return exchange.getRequestURI().getPath();
    }

    @Override
    public void setHeader(String name, String value) {
      exchange.getResponseHeaders().set(name, value);
    }

    @Override
    public OutputStream sendHeadersAndGetBody(int status, int contentLength) throws IOException {
      exchange.sendResponseHeaders(status(status), contentLength);
      return exchange.getResponseBody();
    }

    @Override
    public void handleException(IOException e) {
      // The client has gone.
    }

    @Override
    public void handleException(RuntimeException e) {
      guard.caught("metrics.scrape", e);
      if (exchange.getResponseCode() == -1) {
        try {
          exchange.getResponseHeaders().clear();
          exchange.sendResponseHeaders(HttpURLConnection.HTTP_INTERNAL_ERROR, -1);
        } catch (IOException gone) {
          // The client has gone.
        }
      }
    }

    @Override
    public void close() {
      exchange.close();
    }
  }
}
