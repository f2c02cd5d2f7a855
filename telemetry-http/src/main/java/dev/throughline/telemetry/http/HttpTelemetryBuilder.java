// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.ParentPolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Builds an {@link HttpTelemetry} with settings of its own. Not thread-safe. */
public final class HttpTelemetryBuilder {

  static final List<String> DEFAULT_EXCLUDED_PATHS =
      List.of("/health", "/healthz", "/livez", "/readyz", "/metrics");

  final Telemetry telemetry;
  final List<String> routes = new ArrayList<>();
  final Map<String, String> procedures = new HashMap<>();
  List<String> excludedPaths = DEFAULT_EXCLUDED_PATHS;
  List<String> requestHeaders = List.of();
  List<String> responseHeaders = List.of();
  ParentPolicy parentPolicy = ParentPolicy.CHILD;

  HttpTelemetryBuilder(Telemetry telemetry) {
    this.telemetry = requireNonNull(telemetry, "telemetry");
  }

  /**
   * Adds a template to the route table of servers, e.g. {@code /servers/{id}/power}; the first that
   * fits a request's path is its {@code http.route}, before what the server itself knows.
   *
   * @throws IllegalArgumentException if it does not begin with a slash
   */
  public HttpTelemetryBuilder addRoute(String template) {
    if (!template.startsWith("/")) {
      throw new IllegalArgumentException("route must begin with /: " + template);
    }
    routes.add(template);
    return this;
  }

  /**
   * Declares a procedure of Connect RPC that the service serves or calls, by the path of its URL,
   * e.g. {@code /fleet.v1.FleetService/GetServer}: requests to it are recorded as RPC calls. All
   * other requests are plain HTTP, whatever they look like.
   *
   * @throws IllegalArgumentException if it does not end in a service and a method
   * @see <a href="https://connectrpc.com/docs/protocol/">The Connect protocol</a>
   */
  public HttpTelemetryBuilder addConnectProcedure(String path) {
    int method = path.lastIndexOf('/');
    int service = path.lastIndexOf('/', method - 1);
    if (service < 0 || service + 1 == method || method + 1 == path.length()) {
      throw new IllegalArgumentException("procedure must end in /service/method: " + path);
    }
    procedures.put(path, path.substring(service + 1));
    return this;
  }

  /**
   * Sets the paths that leave no span and no metric point on servers; {@code /health}, {@code
   * /healthz}, {@code /livez}, {@code /readyz} and {@code /metrics} by default.
   *
   * @param paths whole paths, below the application's context path
   */
  public HttpTelemetryBuilder setExcludedPaths(Collection<String> paths) {
    excludedPaths = List.copyOf(paths);
    return this;
  }

  /**
   * Sets the request headers that spans of servers and clients show, as {@code
   * http.request.header.<name>}; none by default. Of a header that holds credentials, such as
   * {@code Authorization}, only that it was there is shown.
   */
  public HttpTelemetryBuilder setCapturedRequestHeaders(Collection<String> names) {
    requestHeaders = List.copyOf(names);
    return this;
  }

  /** Sets the response headers that spans show, as {@code http.response.header.<name>}. */
  public HttpTelemetryBuilder setCapturedResponseHeaders(Collection<String> names) {
    responseHeaders = List.copyOf(names);
    return this;
  }

  /**
   * Says that the servers stand at a public edge: an incoming trace context is not trusted to be
   * the parent, and becomes a link of a new trace; incoming baggage is not taken. False by default.
   */
  public HttpTelemetryBuilder setPublicEdge(boolean publicEdge) {
    parentPolicy = publicEdge ? ParentPolicy.EDGE : ParentPolicy.CHILD;
    return this;
  }

  /** Builds it. */
  public HttpTelemetry build() {
    return new HttpTelemetry(this);
  }
}
