// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletMapping;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.MappingMatch;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A request of a servlet container. */
final class ServletExchange extends ServerExchange {

  private static final int UNDECIDED = -1;

  final HttpServletRequest request;
  private final HttpServletResponse response;
  private final String path;
  private final @Nullable String query;
  private @Nullable Map<String, String> ownHeaders;
  private @Nullable TracedAsyncContext asyncContext;
  private @Nullable InstrumentedRequest<Exchange, Exchange> started;

  /** Ends the request when the container is through with it. */
  @Nullable Runnable whenDestroyed;

  /** Ends the request after the dispatch to its error page. */
  @Nullable Runnable afterErrorPage;

  private boolean threw;
  private int decidedStatus = UNDECIDED;

  ServletExchange(HttpServletRequest request, HttpServletResponse response) {
    this.request = request;
    this.response = response;
    // The first that is seen of a request may be its forward or its error page.
    String prefix =
        switch (request.getDispatcherType()) {
          case FORWARD -> "jakarta.servlet.forward.";
          case ASYNC -> "jakarta.servlet.async.";
          case ERROR -> "jakarta.servlet.error.";
          default -> null;
        };
    Object original = prefix == null ? null : request.getAttribute(prefix + "request_uri");
    path = original instanceof String uri ? uri : request.getRequestURI();
    query =
        original == null
            ? request.getQueryString()
            : (String) request.getAttribute(prefix + "query_string");
  }

  /** Says which request this is; null for one that is left out. */
  void setStarted(@Nullable InstrumentedRequest<Exchange, Exchange> started) {
    this.started = started;
  }

  boolean isLeftOut() {
    return started == null;
  }

  Scope makeCurrent() {
    return started == null ? Scope.noop() : started.makeCurrent();
  }

  boolean writesHeaders() {
    return started != null && started.writesResponseHeaders();
  }

  void end(@Nullable Throwable error) {
    if (started != null) {
      started.end(this, error);
    }
  }

  @Override
  String method() {
    return request.getMethod();
  }

  @Override
  String path() {
    return path;
  }

  @Override
  String pathInApplication() {
    String contextPath = request.getContextPath();
    return contextPath == null || contextPath.isEmpty()
        ? path
        : path.substring(Math.min(contextPath.length(), path.length()));
  }

  @Override
  @Nullable String query() {
    return query;
  }

  @Override
  String scheme() {
    // A request line in absolute form may hold any scheme.
    String scheme = request.getScheme();
    return "https".equalsIgnoreCase(scheme) || "wss".equalsIgnoreCase(scheme) ? "https" : "http";
  }

  @Override
  @Nullable String protocol() {
    return request.getProtocol();
  }

  @Override
  @Nullable String header(String name) {
    return request.getHeader(name);
  }

  @Override
  @Nullable List<String> headers(String name) {
    // Most requests have no such header, and asking for one line allocates nothing.
    String first = request.getHeader(name);
    if (first == null) {
      return null;
    }
    Enumeration<String> lines = request.getHeaders(name);
    return lines == null ? List.of(first) : Collections.list(lines);
  }

  @Override
  List<String> responseHeaders(String name) {
    return List.copyOf(response.getHeaders(name));
  }

  @Override
  void setHeader(String name, String value) {
    response.setHeader(name, value);
    if (ownHeaders == null) {
      ownHeaders = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    }
    ownHeaders.put(name, value);
  }

  /** Whether a header of the response is still the one that we set early. */
  boolean isOwnHeader(String name) {
    return ownHeaders != null
        && ownHeaders.containsKey(name)
        && ownHeaders.get(name).equals(response.getHeader(name));
  }

  /** Sets our headers again, when the application has thrown all away. */
  void restoreOwnHeaders() {
    if (ownHeaders != null) {
      ownHeaders.forEach(response::setHeader);
    }
  }

  /**
   * Whether the application may go on in other threads. The container's own servlet for files does
   * not, and sends them by a shorter way if it sees its own request and response.
   */
  boolean mayBeAsync() {
    HttpServletMapping mapping = request.getHttpServletMapping();
    return request.isAsyncSupported()
        && (mapping == null || !"default".equals(mapping.getServletName()));
  }

  /** The container's asynchronous context as the application sees it: the same each time. */
  AsyncContext traced(
      AsyncContext own, TracedServletRequest seenRequest, TracedServletResponse seenResponse) {
    TracedAsyncContext traced = asyncContext;
    if (traced == null || traced.own != own) {
      traced = new TracedAsyncContext(own, seenRequest, seenResponse);
      asyncContext = traced;
    }
    return traced;
  }

  @Override
  @Nullable String peerAddress() {
    return request.getRemoteAddr();
  }

  @Override
  int peerPort() {
    return request.getRemotePort();
  }

  /** HTTP/2 has no Host header, but an authority, which the container knows. */
  @Override
  @Nullable String serverName() {
    return isServerNamed() ? request.getServerName() : request.getLocalAddr();
  }

  @Override
  int serverPort() {
    return isServerNamed() ? request.getServerPort() : request.getLocalPort();
  }

  private boolean isServerNamed() {
    String name = request.getServerName();
    return name != null && !name.isEmpty();
  }

  /** The mapping's pattern below the context path; the default servlet's tells nothing. */
  @Override
  @Nullable String serverRoute() {
    HttpServletMapping mapping = request.getHttpServletMapping();
    if (mapping == null || mapping.getMappingMatch() == null) {
      return null;
    }
    MappingMatch match = mapping.getMappingMatch();
    String pattern = mapping.getPattern();
    if (match == MappingMatch.DEFAULT || pattern == null) {
      return null;
    }
    // Not the request's own context path, which is what the client wrote, dots and all.
    String contextPath = request.getServletContext().getContextPath();
    String route = match == MappingMatch.EXTENSION ? "/" + pattern : pattern;
    if (route.isEmpty()) {
      route = "/";
    }
    return contextPath == null || contextPath.isEmpty() ? route : contextPath + route;
  }

  /** Whether the container may yet dispatch to an error page, which may change the status. */
  boolean mayHaveErrorPage() {
    return response.isCommitted() && response.getStatus() >= 400;
  }

  /** Says that the container is to answer 500 for what was thrown, unless it has answered. */
  void setThrew(boolean threw) {
    this.threw = threw;
  }

  /** Says that the container closes the connection and answers nothing. */
  void setUnanswered() {
    if (!response.isCommitted()) {
      decidedStatus = 0;
    }
  }

  /** Says the status, for when the container has taken its response back. */
  void decideStatus(int status) {
    decidedStatus = status;
  }

  @Override
  int status() {
    if (decidedStatus != UNDECIDED) {
      return decidedStatus;
    }
    int status = response.getStatus();
    return threw && status < 400 && !response.isCommitted() ? 500 : status;
  }
}
