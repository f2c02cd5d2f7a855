// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.HttpAttributes;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The values of HTTP attributes, made without allocation wherever they repeat. */
final class HttpValues {

  private HttpValues() {}

  /** The method as span names have it. */
  static String methodInName(String method) {
    return method.equals(HttpAttributes.OTHER_METHOD) ? "HTTP" : method;
  }

  /** {@code error.type} of a status code. */
  static String statusText(int status) {
    return switch (status) {
      case 500 -> "500";
      case 503 -> "503";
      case 404 -> "404";
      default -> Integer.toString(status);
    };
  }

  /**
   * {@code network.protocol.version}, from a protocol such as {@code HTTP/1.1}; null for what no
   * server speaks, since a request line may hold any text.
   */
  static @Nullable String version(@Nullable String protocol) {
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

  /** A header that people capture by mistake, and whose value is a credential. */
  static boolean isCredential(String header) {
    return switch (header.toLowerCase(Locale.ROOT)) {
      case "authorization",
          "proxy-authorization",
          "cookie",
          "set-cookie",
          "x-api-key",
          "x-auth-token",
          "x-subject-token" ->
          true;
      default -> false;
    };
  }
}
