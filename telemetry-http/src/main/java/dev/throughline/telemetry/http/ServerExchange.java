// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HostAndPort;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.Memo;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request that is being served, and its response, as every kind of server shows them. */
abstract class ServerExchange extends Exchange {

  private static final Memo<HostAndPort> AUTHORITIES = new Memo<>();

  private @Nullable String route;
  private boolean routeIsLate;

  abstract @Nullable String query();

  @Override
  abstract String scheme();

  /** The protocol, e.g. {@code HTTP/1.1}. */
  abstract @Nullable String protocol();

  abstract @Nullable String peerAddress();

  /** 0 where it is not known. */
  abstract int peerPort();

  /** The server's name or address, for requests without a Host header. */
  abstract @Nullable String serverName();

  /** The port beside it; 0 where it is not known. */
  abstract int serverPort();

  /** The route by what the server knows. */
  abstract @Nullable String serverRoute();

  @Override
  final boolean sendsHeader(String name) {
    List<String> lines = responseHeaders(name);
    return lines != null && !lines.isEmpty();
  }

  /** Null for what no server speaks, since a request line may hold any text. */
  @Override
  final @Nullable String version() {
    String protocol = protocol();
    if (protocol == null) {
      return null;
    }
    return switch (protocol) {
      case "HTTP/1.1" -> "1.1";
      case "HTTP/1.0" -> "1.0";
      case "HTTP/2.0", "HTTP/2" -> "2";
      case "HTTP/3.0", "HTTP/3" -> "3";
      case "HTTP/0.9" -> "0.9";
      default -> null;
    };
  }

  @Override
  final void describe(AttributeSink attributes) {
    HttpAttributes.setServed(
        attributes, method(), route, path(), scheme(), query(), header("User-Agent"));
    attributes.set(HttpAttributes.NETWORK_PROTOCOL_VERSION, version());
    String forwarded = ClientAddress.forwarded(this);
    attributes.set(HttpKeys.CLIENT_ADDRESS, forwarded == null ? peerAddress() : forwarded);
  }

  @Override
  final void describeEnds(AttributeSink attributes) {
    attributes.set(HttpKeys.NETWORK_PEER_ADDRESS, peerAddress());
    if (peerPort() > 0) {
      attributes.set(HttpKeys.NETWORK_PEER_PORT, peerPort());
    }
    // The server is the one that the client asked for.
    String host = header("Host");
    if (host == null || host.isEmpty()) {
      attributes.set(HttpAttributes.SERVER_ADDRESS, serverName());
      if (serverPort() > 0) {
        attributes.set(HttpAttributes.SERVER_PORT, serverPort());
      }
    } else {
      HttpAttributes.setServer(attributes, authority(host, scheme()));
    }
  }

  private static HostAndPort authority(String host, String scheme) {
    HostAndPort authority = AUTHORITIES.get(host, scheme, null, null, 0, 0);
    if (authority != null) {
      return authority;
    }
    HostAndPort parsed = HostAndPort.parse(host).orPort(HttpAttributes.defaultPort(scheme));
    return AUTHORITIES.put(host, scheme, null, null, 0, 0, parsed);
  }

  @Override
  @Nullable String route() {
    return route;
  }

  @Override
  final void setEarlyRoute(@Nullable String template) {
    route = template == null ? serverRoute() : template;
  }

  /** What the handler declares; it wins. */
  void declareRoute(String route) {
    if (!route.equals(this.route)) {
      this.route = route;
      routeIsLate = true;
    }
  }

  @Override
  boolean routeIsLate() {
    return routeIsLate;
  }
}
