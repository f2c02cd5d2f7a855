// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HostAndPort;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.Memo;

/**
 * {@code server.address} and {@code server.port}: what the client asked for, by its Host header.
 */
final class ServerAddress {

  private final Memo<HostAndPort> authorities = new Memo<>();

  void set(AttributeSink attributes, ServerExchange exchange) {
    String host = exchange.header("Host");
    if (host == null || host.isEmpty()) {
      String name = exchange.serverName();
      attributes.set(HttpKeys.SERVER_ADDRESS, name);
      if (name != null && exchange.serverPort() > 0) {
        attributes.set(HttpKeys.SERVER_PORT, exchange.serverPort());
      }
      return;
    }
    String scheme = exchange.scheme();
    HostAndPort authority = authorities.get(host, scheme, null, null, 0, 0);
    if (authority == null) {
      HostAndPort parsed = HostAndPort.parse(host).orPort(HttpAttributes.defaultPort(scheme));
      authority = authorities.put(host, scheme, null, null, 0, 0, parsed);
    }
    HttpAttributes.setServer(attributes, authority);
  }
}
