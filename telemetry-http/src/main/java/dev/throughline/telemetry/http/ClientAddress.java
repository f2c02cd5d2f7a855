// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.HostAndPort;
import org.jspecify.annotations.Nullable;

/**
 * The client behind proxies, as {@code Forwarded} or else {@code X-Forwarded-For} tell it: the
 * first of the list.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7239#section-4">RFC 7239</a>
 */
final class ClientAddress {

  private ClientAddress() {}

  /** Null where neither header tells an address. */
  static @Nullable String forwarded(ServerExchange exchange) {
    String forwarded = exchange.header("Forwarded");
    if (forwarded != null) {
      String address = firstFor(forwarded);
      if (address != null) {
        return address;
      }
    }
    String list = exchange.header("X-Forwarded-For");
    if (list == null) {
      return null;
    }
    int comma = list.indexOf(',');
    return address(comma < 0 ? list : list.substring(0, comma));
  }

  /** Of the first element of the list alone; signs in quotes separate nothing. */
  private static @Nullable String firstFor(String forwarded) {
    boolean quoted = false;
    int start = 0;
    for (int i = 0; i <= forwarded.length(); i++) {
      char c = i == forwarded.length() ? ',' : forwarded.charAt(i);
      if (c == '"') {
        quoted = !quoted;
      } else if (c == '\\' && quoted) {
        i++;
      } else if (!quoted && (c == ';' || c == ',')) {
        String pair = forwarded.substring(start, i).strip();
        if (pair.regionMatches(true, 0, "for=", 0, "for=".length())) {
          return address(pair.substring("for=".length()));
        }
        if (c == ',') {
          return null;
        }
        start = i + 1;
      }
    }
    return null;
  }

  /** An address without quotes, brackets and port; null for one that is hidden or unknown. */
  private static @Nullable String address(String node) {
    String quoted = node.trim();
    boolean inQuotes = quoted.length() > 1 && quoted.startsWith("\"") && quoted.endsWith("\"");
    String address =
        HostAndPort.parse(inQuotes ? quoted.substring(1, quoted.length() - 1) : quoted).host();
    return address == null || address.startsWith("_") || address.equalsIgnoreCase("unknown")
        ? null
        : address;
  }
}
