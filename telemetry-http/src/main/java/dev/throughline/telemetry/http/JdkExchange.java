// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsExchange;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request of the JDK's HTTP server. */
final class JdkExchange extends ServerExchange {

  private final HttpExchange exchange;

  JdkExchange(HttpExchange exchange) {
    this.exchange = exchange;
  }

  @Override
  String method() {
    return exchange.getRequestMethod();
  }

  @Override
  String path() {
    String path = exchange.getRequestURI().getRawPath();
    return path == null ? "" : path;
  }

  @Override
  @Nullable String query() {
    return exchange.getRequestURI().getRawQuery();
  }

  @Override
  String scheme() {
    return exchange instanceof HttpsExchange ? "https" : "http";
  }

  @Override
  @Nullable String protocol() {
    return exchange.getProtocol();
  }

  @Override
  @Nullable String header(String name) {
    return exchange.getRequestHeaders().getFirst(name);
  }

  @Override
  @Nullable List<String> headers(String name) {
    return exchange.getRequestHeaders().get(name);
  }

  @Override
  @Nullable List<String> responseHeaders(String name) {
    return exchange.getResponseHeaders().get(name);
  }

  @Override
  void setHeader(String name, String value) {
    exchange.getResponseHeaders().put(name, new GivingWay(value));
  }

  /** Whether these are the headers of this response, whichever object stands around it. */
  @SuppressWarnings("ReferenceEquality") // another response's headers may be equal
  boolean answersWith(Headers headers) {
    return exchange.getResponseHeaders() == headers;
  }

  @Override
  @Nullable String peerAddress() {
    return address(exchange.getRemoteAddress());
  }

  @Override
  int peerPort() {
    InetSocketAddress remote = exchange.getRemoteAddress();
    return remote == null ? 0 : remote.getPort();
  }

  @Override
  @Nullable String serverName() {
    return address(exchange.getLocalAddress());
  }

  @Override
  int serverPort() {
    InetSocketAddress local = exchange.getLocalAddress();
    return local == null ? 0 : local.getPort();
  }

  /** The context's path, which is the prefix that the server matched. */
  @Override
  @Nullable String serverRoute() {
    return exchange.getHttpContext().getPath();
  }

  @Override
  int status() {
    return Math.max(0, exchange.getResponseCode());
  }

  private static @Nullable String address(@Nullable InetSocketAddress socketAddress) {
    InetAddress address = socketAddress == null ? null : socketAddress.getAddress();
    return address == null ? null : address.getHostAddress();
  }

  /** The value of a header that we set early, and that gives way to what the application adds. */
  private static final class GivingWay extends ArrayList<String> {

    private static final long serialVersionUID = 1;

    private boolean gaveWay;

    GivingWay(String value) {
      super(1);
      super.add(value);
    }

    @Override
    public boolean add(String value) {
      if (!gaveWay) {
        gaveWay = true;
        clear();
      }
      return super.add(value);
    }
  }
}
