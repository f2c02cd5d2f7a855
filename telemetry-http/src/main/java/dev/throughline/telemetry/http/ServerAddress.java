// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.Memo;
import org.jspecify.annotations.Nullable;

/**
 * {@code server.address} and {@code server.port}: what the client asked for, by its Host header.
 */
final class ServerAddress {

  private final Memo<Authority> authorities = new Memo<>();

  void set(AttributeSink attributes, ServerExchange exchange) {
    String host = exchange.header("Host");
    if (host == null || host.isEmpty()) {
      String name = exchange.serverName();
      attributes.set(HttpKeys.SERVER_ADDRESS, name);
      if (name != null && exchange.serverPort() > 0) {
        attributes.set(HttpKeys.SERVER_PORT, HttpValues.number(exchange.serverPort()));
      }
      return;
    }
    String scheme = exchange.scheme();
    Authority authority = authorities.get(host, scheme, null, null, 0, 0);
    if (authority == null) {
      authority = authorities.put(host, scheme, null, null, 0, 0, parse(host, scheme));
    }
    attributes.set(HttpKeys.SERVER_ADDRESS, authority.host);
    attributes.set(HttpKeys.SERVER_PORT, authority.port);
  }

  private static Authority parse(String host, String scheme) {
    int colon = host.lastIndexOf(':');
    long port = HttpValues.defaultPort(scheme);
    String address = host;
    // The colons of an IPv6 address stand inside brackets.
    if (colon > host.lastIndexOf(']')) {
      Integer parsed = port(host.substring(colon + 1));
      if (parsed != null) {
        port = parsed;
      }
      address = host.substring(0, colon);
    }
    if (address.startsWith("[") && address.endsWith("]")) {
      address = address.substring(1, address.length() - 1);
    }
    return new Authority(address, port);
  }

  private static @Nullable Integer port(String text) {
    try {
      int port = Integer.parseInt(text);
      return port > 0 && port <= 65535 ? port : null;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static final class Authority {
    final String host;
    final Long port;

    Authority(String host, long port) {
      this.host = host;
      this.port = port;
    }
  }
}
