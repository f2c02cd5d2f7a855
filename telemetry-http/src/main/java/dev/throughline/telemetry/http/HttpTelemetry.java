// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.util.Objects.requireNonNull;

import com.sun.net.httpserver.HttpContext;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import jakarta.servlet.Filter;
import jakarta.servlet.ServletContext;
import java.net.http.HttpClient;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * HTTP servers and clients in the trace: a servlet filter, a filter of the JDK's server, a wrapped
 * JDK client.
 *
 * <pre>{@code
 * HttpTelemetry http = HttpTelemetry.create(telemetry);
 * http.configure(servletContext);
 * HttpClient client = http.wrap(HttpClient.newHttpClient());
 * }</pre>
 *
 * <p>Thread-safe. What it records stands in {@code docs/recorded-data.md}.
 */
public final class HttpTelemetry {

  static final String SCOPE = "dev.throughline.telemetry.http";

  private final Instrumenters servers;
  private final Instrumenters clients;

  HttpTelemetry(HttpTelemetryBuilder builder) {
    servers = Instrumenters.ofServers(builder);
    clients = Instrumenters.ofClients(builder);
  }

  /** HTTP telemetry with all defaults. */
  public static HttpTelemetry create(Telemetry telemetry) {
    return builder(telemetry).build();
  }

  /** A builder where a default does not fit. */
  public static HttpTelemetryBuilder builder(Telemetry telemetry) {
    return new HttpTelemetryBuilder(telemetry);
  }

  /**
   * Declares the route of the request that is being served on this thread, e.g. {@code
   * /servers/{id}}: for frameworks that know it only while they handle the request. Where none is
   * being served it does nothing.
   *
   * @param template null is ignored
   */
  public static void route(@Nullable String template) {
    if (template == null) {
      return;
    }
    InstrumentedRequest<?, ?> served = InstrumentedRequest.fromContext(Context.current());
    if (served != null && served.request() instanceof ServerExchange exchange) {
      exchange.declareRoute(template);
    }
  }

  /** A servlet filter; it is to be registered for requests, async and error dispatches. */
  public Filter createFilter() {
    return ServletFilter.create(servers);
  }

  /** Registers the servlet filter first in its chain, for all paths and with async support. */
  public void configure(ServletContext servletContext) {
    ServletFilter.register(servers, servletContext);
  }

  /** A filter of the JDK's HTTP server. */
  public com.sun.net.httpserver.Filter createHttpServerFilter() {
    return new JdkServerFilter(servers);
  }

  // Design note: not an overload of configure, since a caller's compiler would then ask for the
  // servlet API.
  /** Puts the filter first in the chain of a context of the JDK's HTTP server, once. */
  public void addTo(HttpContext httpContext) {
    List<com.sun.net.httpserver.Filter> filters = httpContext.getFilters();
    for (com.sun.net.httpserver.Filter filter : filters) {
      if (filter instanceof JdkServerFilter) {
        return;
      }
    }
    filters.add(0, createHttpServerFilter());
  }

  /**
   * A client that records the requests of this one and sends them with it, trace context and
   * baggage in their headers; the client itself if it does so already.
   *
   * @throws NullPointerException if {@code client} is null
   */
  public HttpClient wrap(HttpClient client) {
    return requireNonNull(client, "client") instanceof TracedHttpClient
        ? client
        : new TracedHttpClient(client, clients);
  }
}
