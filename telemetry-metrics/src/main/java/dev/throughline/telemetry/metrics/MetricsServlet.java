// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import io.prometheus.metrics.exporter.common.PrometheusHttpExchange;
import io.prometheus.metrics.exporter.common.PrometheusHttpRequest;
import io.prometheus.metrics.exporter.common.PrometheusHttpResponse;
import io.prometheus.metrics.exporter.common.PrometheusScrapeHandler;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Enumeration;

/** Answers with the metrics in a servlet container. */
final class MetricsServlet extends HttpServlet {

  private static final long serialVersionUID = 1;

  private final transient PrometheusScrapeHandler handler;

  private MetricsServlet(PrometheusRegistry registry) {
    handler = new PrometheusScrapeHandler(registry);
  }

  /** Returns what is declared, so that its caller loads without the servlet API. */
  static HttpServlet create(PrometheusRegistry registry) {
    return new MetricsServlet(registry);
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    handler.handleRequest(new Exchange(request, response));
  }

  private record Exchange(HttpServletRequest request, HttpServletResponse response)
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
      return request.getQueryString();
    }

    @Override
    public Enumeration<String> getHeaders(String name) {
      return request.getHeaders(name);
    }

    @Override
    public String getMethod() {
      return request.getMethod();
    }

    @Override
    public String getRequestPath() {
      return request.getRequestURI();
    }

    @Override
    public String[] getParameterValues(String name) {
      return request.getParameterValues(name);
    }

    @Override
    public void setHeader(String name, String value) {
      response.setHeader(name, value);
    }

    @Override
    public OutputStream sendHeadersAndGetBody(int status, int contentLength) throws IOException {
      // A length of 0 says that it is not known yet, one of -1 that there is no body.
      response.setStatus(MetricsHttpHandler.status(status));
      return response.getOutputStream();
    }

    @Override
    public void handleException(IOException e) throws IOException {
      throw e;
    }

    @Override
    public void handleException(RuntimeException e) {
      throw e;
    }

    @Override
    public void close() {}
  }
}
