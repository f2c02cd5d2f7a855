// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestEvent;
import jakarta.servlet.ServletRequestListener;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;

/**
 * Records the requests of a servlet container. A request is recorded once, however often it is
 * dispatched and however many such filters it passes: its further dispatches run in the context of
 * the first.
 */
final class ServletFilter implements Filter, ServletRequestListener {

  private static final String RECORDED = "dev.throughline.telemetry.http.request";

  private final Instrumenters instrumenters;
  private boolean listening;

  private ServletFilter(Instrumenters instrumenters, boolean listening) {
    this.instrumenters = instrumenters;
    this.listening = listening;
  }

  // The door calls these two, so that it loads without the servlet API on the class path.
  static Filter create(Instrumenters instrumenters) {
    return new ServletFilter(instrumenters, false);
  }

  static void register(Instrumenters instrumenters, ServletContext servletContext) {
    ServletFilter filter = new ServletFilter(instrumenters, true);
    FilterRegistration.Dynamic registration = servletContext.addFilter("throughline", filter);
    if (registration == null) {
      // Registered before, by a second call or by web.xml.
      return;
    }
    registration.setAsyncSupported(true);
    registration.addMappingForUrlPatterns(
        EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC, DispatcherType.ERROR),
        false,
        "/*");
    servletContext.addListener(filter);
  }

  @Override
  public void init(FilterConfig config) {
    if (!listening) {
      try {
        config.getServletContext().addListener(this);
        listening = true;
      } catch (RuntimeException e) {
        // This container takes none any more; what throws is then taken to be answered by 500.
      }
    }
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
    if (request.getAttribute(RECORDED) instanceof ServletExchange recorded) {
      dispatch(recorded, httpRequest, httpResponse, chain);
      return;
    }
    ServletExchange exchange = new ServletExchange(httpRequest, httpResponse);
    InstrumentedRequest<Exchange, Exchange> started = instrumenters.start(exchange);
    exchange.setStarted(started);
    // Set for a request that is left out as well, so that its error page is left out too.
    request.setAttribute(RECORDED, exchange);
    if (started == null) {
      chain.doFilter(request, response);
      return;
    }
    // Now, since nothing tells when a container commits a response.
    started.responding();
    serve(exchange, httpRequest, httpResponse, chain);
  }

  private boolean isIgnored(HttpServletRequest request) {
    return instrumenters
        .propagation()
        .hasNothingFrom(request, (received, field) -> received.getHeader(field) != null);
  }

  private void serve(
      ServletExchange exchange,
      HttpServletRequest request,
      HttpServletResponse response,
      FilterChain chain)
      throws IOException, ServletException {
    Throwable thrown = null;
    try {
      chain(exchange, request, response, chain);
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      Throwable error = cause(thrown);
      if (request.isAsyncStarted()) {
        exchange.setThrew(thrown != null);
        ServletAsyncEnd.listen(exchange, error, instrumenters.guard());
      } else if (thrown == null && !exchange.mayHaveErrorPage()) {
        exchange.end(null);
      } else if (listening && !Containers.isJetty(request)) {
        exchange.whenDestroyed = () -> exchange.end(error);
      } else {
        exchange.setThrew(thrown != null);
        Containers.whenComplete(request, () -> exchange.end(error), instrumenters.guard());
      }
    }
  }

  /** Another dispatch of a request, be it this filter's or that of another one of ours. */
  private void dispatch(
      ServletExchange exchange,
      HttpServletRequest request,
      HttpServletResponse response,
      FilterChain chain)
      throws IOException, ServletException {
    if (exchange.isLeftOut()) {
      chain.doFilter(request, response);
      return;
    }
    try {
      chain(exchange, request, response, chain);
    } finally {
      if (request.getDispatcherType() == DispatcherType.ERROR) {
        run(exchange.afterErrorPage);
      }
    }
  }

  private void chain(
      ServletExchange exchange,
      HttpServletRequest request,
      HttpServletResponse response,
      FilterChain chain)
      throws IOException, ServletException {
    HttpServletRequest seenRequest = request;
    HttpServletResponse seenResponse = response;
    try {
      seenResponse = TracedServletResponse.of(exchange, response);
      seenRequest = TracedServletRequest.of(request, seenResponse);
    } catch (Throwable t) {
      instrumenters.guard().caught("HttpServletRequest", t);
    }
    try (Scope ignored = exchange.makeCurrent()) {
      chain.doFilter(seenRequest, seenResponse);
    }
  }

  /** By then a container other than Jetty has answered what was thrown. */
  @Override
  public void requestDestroyed(ServletRequestEvent event) {
    if (event.getServletRequest().getAttribute(RECORDED) instanceof ServletExchange exchange) {
      run(exchange.whenDestroyed);
    }
  }

  private static void run(@Nullable Runnable action) {
    if (action != null) {
      action.run();
    }
  }

  /** What the application threw, without the container's wrapping. */
  static @Nullable Throwable cause(@Nullable Throwable thrown) {
    return thrown instanceof ServletException servlet && servlet.getRootCause() != null
        ? servlet.getRootCause()
        : thrown;
  }
}
