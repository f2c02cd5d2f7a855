// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request that is being served, and its response, as every kind of server shows them. */
abstract class ServerExchange {

  private @Nullable String route;
  private boolean routeIsLate;
  private @Nullable ConnectCall connectCall;

  abstract String method();

  /** The path as it came in, undecoded, without the query. */
  abstract String path();

  /** The path below the application's own context path, which excluded paths are named by. */
  String pathInApplication() {
    return path();
  }

  abstract @Nullable String query();

  abstract String scheme();

  /** The protocol, e.g. {@code HTTP/1.1}. */
  abstract @Nullable String protocol();

  /** The first line of a header. */
  abstract @Nullable String header(String name);

  /** All lines of a header. */
  abstract @Nullable List<String> headers(String name);

  abstract @Nullable List<String> responseHeaders(String name);

  final boolean sendsHeader(String name) {
    List<String> lines = responseHeaders(name);
    return lines != null && !lines.isEmpty();
  }

  abstract void setResponseHeader(String name, String value);

  abstract @Nullable String peerAddress();

  /** 0 where it is not known. */
  abstract int peerPort();

  /** The server's name or address, for requests without a Host header. */
  abstract @Nullable String serverName();

  /** The port beside it; 0 where it is not known. */
  abstract int serverPort();

  /** The route by what the server knows. */
  abstract @Nullable String serverRoute();

  /** 0 where no response was sent. */
  abstract int status();

  @Nullable String route() {
    return route;
  }

  /** What the route table or the server says, at the start. */
  void setEarlyRoute(@Nullable String route) {
    this.route = route;
  }

  /** What the handler declares; it wins. */
  void declareRoute(String route) {
    if (!route.equals(this.route)) {
      this.route = route;
      routeIsLate = true;
    }
  }

  boolean routeIsLate() {
    return routeIsLate;
  }

  /** The Connect RPC call that this is; null for plain HTTP. */
  @Nullable ConnectCall connectCall() {
    return connectCall;
  }

  void setConnectCall(@Nullable ConnectCall connectCall) {
    this.connectCall = connectCall;
  }
}
