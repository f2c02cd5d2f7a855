// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request and its response, on a server or on a client. */
abstract class Exchange {

  private @Nullable ConnectCall connectCall;

  abstract String method();

  /** The path as it is sent, undecoded, without the query. */
  abstract String path();

  /** The path below a server's context path, which excluded paths are named by. */
  String pathInApplication() {
    return path();
  }

  /** A server's route; null on a client. */
  @Nullable String route() {
    return null;
  }

  /** Whether the route was not known at the start. */
  boolean routeIsLate() {
    return false;
  }

  /** Says what the route table knows of the path. */
  void setEarlyRoute(@Nullable String template) {}

  /** A server's {@code http} or {@code https}; null on a client. */
  @Nullable String scheme() {
    return null;
  }

  /** The host that a client's request goes to; null on a server. */
  @Nullable String host() {
    return null;
  }

  /** The port beside it; 0 on a server. */
  int port() {
    return 0;
  }

  /** {@code network.protocol.version}, e.g. {@code 1.1}. */
  abstract @Nullable String version();

  /** 0 if no response was sent, or came. */
  abstract int status();

  /** The first line of a header of the request. */
  abstract @Nullable String header(String name);

  /** All lines of a header of the request; null or empty if it has none. */
  abstract @Nullable List<String> headers(String name);

  /** All lines of a header of the response; null or empty if it has none, or did not come yet. */
  abstract @Nullable List<String> responseHeaders(String name);

  /** Sets a header of ours on what this side sends: a client's request, a server's response. */
  abstract void setHeader(String name, String value);

  /** Whether what this side sends has a header. */
  abstract boolean sendsHeader(String name);

  /** Sets what is known of the request at its start, beside {@link #describeEnds}. */
  abstract void describe(AttributeSink attributes);

  /** Sets the attributes of the server, and on a server those of its peer. */
  abstract void describeEnds(AttributeSink attributes);

  /** The Connect RPC call that this is; null for plain HTTP. */
  final @Nullable ConnectCall connectCall() {
    return connectCall;
  }

  final void setConnectCall(@Nullable ConnectCall connectCall) {
    this.connectCall = connectCall;
  }
}
