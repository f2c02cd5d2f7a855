// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The values of HTTP attributes, made without allocation wherever they repeat. */
final class HttpValues {

  static final String OTHER = "_OTHER";

  // Every status code and port, boxed once when it is first seen: a box lives as long as its span.
  private static final @Nullable Long[] NUMBERS = new Long[65_536];

  private HttpValues() {}

  /**
   * {@code http.request.method}: one that the conventions know, else {@code _OTHER}; method names
   * are case-sensitive.
   */
  static String method(String method) {
    return switch (method) {
      case "GET",
          "POST",
          "PUT",
          "DELETE",
          "HEAD",
          "OPTIONS",
          "PATCH",
          "CONNECT",
          "TRACE",
          "QUERY" ->
          method;
      default -> OTHER;
    };
  }

  /** The method as span names have it. */
  static String methodInName(String method) {
    return method.equals(OTHER) ? "HTTP" : method;
  }

  /** A status code or port, boxed. */
  static Long number(int number) {
    if (number < 0 || number >= NUMBERS.length) {
      return (long) number;
    }
    Long boxed = NUMBERS[number];
    if (boxed == null) {
      boxed = (long) number;
      NUMBERS[number] = boxed;
    }
    return boxed;
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

  /** {@code network.protocol.version}, from a protocol such as {@code HTTP/1.1}. */
  static @Nullable String version(@Nullable String protocol) {
    if (protocol == null) {
      return null;
    }
    return switch (protocol) {
      case "HTTP/1.1" -> "1.1";
      case "HTTP/1.0" -> "1.0";
      case "HTTP/2.0", "HTTP/2" -> "2";
      case "HTTP/3.0", "HTTP/3" -> "3";
      default -> protocol.startsWith("HTTP/") ? protocol.substring("HTTP/".length()) : null;
    };
  }

  static int defaultPort(@Nullable String scheme) {
    return "https".equals(scheme) ? 443 : 80;
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
