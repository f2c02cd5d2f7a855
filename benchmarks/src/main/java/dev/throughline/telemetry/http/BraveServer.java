// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import brave.http.HttpServerRequest;
import brave.http.HttpServerResponse;
import org.jspecify.annotations.Nullable;

/** A request and its response as Brave's handler of HTTP servers wants them. */
final class BraveServer {

  private BraveServer() {}

  static final class Request extends HttpServerRequest {

    private final ServerExchange exchange;

    Request(ServerExchange exchange) {
      this.exchange = exchange;
    }

    @Override
    public Object unwrap() {
      return exchange;
    }

    @Override
    public String method() {
      return exchange.method();
    }

    @Override
    public String path() {
      return exchange.path();
    }

    @Override
    public @Nullable String route() {
      return exchange.serverRoute();
    }

    @Override
    public String url() {
      return exchange.path();
    }

    @Override
    public @Nullable String header(String name) {
      return exchange.header(name);
    }

    @Override
    public boolean parseClientIpAndPort(brave.Span span) {
      return span.remoteIpAndPort(exchange.peerAddress(), exchange.peerPort());
    }
  }

  static final class Response extends HttpServerResponse {

    private final Request request;
    private final ServerExchange exchange;

    Response(Request request, ServerExchange exchange) {
      this.request = request;
      this.exchange = exchange;
    }

    @Override
    public Request request() {
      return request;
    }

    @Override
    public Object unwrap() {
      return exchange;
    }

    @Override
    public int statusCode() {
      return exchange.status();
    }
  }
}
