// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.Memo;
import org.jspecify.annotations.Nullable;

/**
 * {@code server.address} and {@code server.port}: whom the client asked for, by the authority of
 * its channel, which a server gets as {@code :authority}.
 */
final class Authority {

  private static final Authority NONE = new Authority(null, null);

  final @Nullable String host;
  final @Nullable Long port;

  private Authority(@Nullable String host, @Nullable Long port) {
    this.host = host;
    this.port = port;
  }

  static Authority of(Memo<Authority> known, @Nullable String authority) {
    if (authority == null || authority.isEmpty()) {
      return NONE;
    }
    Authority parsed = known.get(authority, null, null, null, 0, 0);
    return parsed == null ? known.put(authority, null, null, null, 0, 0, parse(authority)) : parsed;
  }

  void set(AttributeSink attributes) {
    attributes.set(GrpcKeys.SERVER_ADDRESS, host);
    attributes.set(GrpcKeys.SERVER_PORT, port);
  }

  private static Authority parse(String authority) {
    String host = authority.substring(authority.indexOf('@') + 1);
    Long port = null;
    int colon = host.lastIndexOf(':');
    // The colons of an IPv6 address stand inside brackets.
    if (colon > host.lastIndexOf(']')) {
      port = port(host.substring(colon + 1));
      host = host.substring(0, colon);
    }
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    return new Authority(host, port);
  }

  private static @Nullable Long port(String text) {
    try {
      long port = Integer.parseInt(text);
      return port > 0 && port <= 65535 ? port : null;
    } catch (NumberFormatException e) {
      return null;
    }
  }
}
