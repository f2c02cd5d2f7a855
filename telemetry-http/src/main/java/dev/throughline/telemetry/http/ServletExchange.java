// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import jakarta.servlet.http.HttpServletMapping;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.MappingMatch;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request of a servlet container. */
final class ServletExchange extends ServerExchange {

  private final HttpServletRequest request;
  private final HttpServletResponse response;
  private boolean threw;

  ServletExchange(HttpServletRequest request, HttpServletResponse response) {
    this.request = request;
    this.response = response;
  }

  @Override
  String method() {
    return request.getMethod();
  }

  @Override
  String path() {
    return request.getRequestURI();
  }

  @Override
  String pathInApplication() {
    String contextPath = request.getContextPath();
    return contextPath == null || contextPath.isEmpty()
        ? path()
        : path().substring(Math.min(contextPath.length(), path().length()));
  }

  @Override
  @Nullable String query() {
    return request.getQueryString();
  }

  @Override
  String scheme() {
    return request.getScheme();
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
  void setResponseHeader(String name, String value) {
    response.setHeader(name, value);
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
    return request.getServerName();
  }

  @Override
  int serverPort() {
    return request.getServerPort();
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
    String contextPath = request.getContextPath();
    String route = match == MappingMatch.EXTENSION ? "/" + pattern : pattern;
    if (route.isEmpty()) {
      route = "/";
    }
    return contextPath == null || contextPath.isEmpty() ? route : contextPath + route;
  }

  /** The container answers 500 for what the application threw, after the filter has returned. */
  void threw() {
    threw = true;
  }

  @Override
  int status() {
    int status = response.getStatus();
    return threw && status < 400 && !response.isCommitted() ? 500 : status;
  }
}
