// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;

/**
 * Records the requests of a servlet container. A request is counted once, however often it is
 * dispatched: its further dispatches run in the context of the first.
 */
final class ServletFilter implements Filter {

  private static final String STARTED = "dev.throughline.telemetry.http.request";

  private final ServerInstrumenters instrumenters;

  private ServletFilter(ServerInstrumenters instrumenters) {
    this.instrumenters = instrumenters;
  }

  // The door calls these two, so that it loads without the servlet API on the class path.
  static Filter create(ServerInstrumenters instrumenters) {
    return new ServletFilter(instrumenters);
  }

  static void register(ServerInstrumenters instrumenters, ServletContext servletContext) {
    FilterRegistration.Dynamic registration =
        servletContext.addFilter("throughline", create(instrumenters));
    if (registration == null) {
      // Registered before, by a second call or by web.xml.
      return;
    }
    registration.setAsyncSupported(true);
    registration.addMappingForUrlPatterns(
        EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC, DispatcherType.ERROR),
        false,
        "/*");
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (!(request instanceof HttpServletRequest httpRequest)
        || !(response instanceof HttpServletResponse httpResponse)
        || isIgnored(httpRequest)) {
      chain.doFilter(request, response);
      return;
    }
    InstrumentedRequest<?, ?> before = (InstrumentedRequest<?, ?>) request.getAttribute(STARTED);
    if (before != null) {
      try (Scope ignored = before.makeCurrent()) {
        chain.doFilter(request, response);
      }
      return;
    }
    InstrumentedRequest<ServerExchange, ServerExchange> started =
        instrumenters.start(new ServletExchange(httpRequest, httpResponse));
    if (started == null) {
      chain.doFilter(request, response);
      return;
    }
    request.setAttribute(STARTED, started);
    serve(started, httpRequest, httpResponse, chain);
  }

  private boolean isIgnored(HttpServletRequest request) {
    return instrumenters
        .propagation()
        .hasNothingFrom(request, (received, field) -> received.getHeader(field) != null);
  }

  private static void serve(
      InstrumentedRequest<ServerExchange, ServerExchange> started,
      HttpServletRequest request,
      HttpServletResponse response,
      FilterChain chain)
      throws IOException, ServletException {
    ServerExchange exchange = started.request();
    HttpServletResponse traced = TracedServletResponse.of(started, exchange, response);
    Throwable thrown = null;
    try (Scope ignored = started.makeCurrent()) {
      chain.doFilter(TracedServletRequest.of(started, request), traced);
      if (traced instanceof TracedServletResponse watched) {
        watched.finish();
      }
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      if (thrown == null && request.isAsyncStarted()) {
        ServletAsyncEnd.listen(started, request);
      } else {
        if (thrown != null) {
          ((ServletExchange) exchange).threw();
        }
        started.end(exchange, cause(thrown));
      }
    }
  }

  /** What the application threw, without the container's wrapping. */
  static @Nullable Throwable cause(@Nullable Throwable thrown) {
    return thrown instanceof ServletException servlet && servlet.getRootCause() != null
        ? servlet.getRootCause()
        : thrown;
  }
}
