// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import org.jspecify.annotations.Nullable;

/**
 * A host and a port as one text names them: a {@code Host} header, an authority, the node of a
 * {@code Forwarded} header, a part of a URL.
 *
 * @param host without brackets and user info; null if the text names none, or no valid one
 * @param port 1 to 65535; null if the text names none, or no valid one; null without a host
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3986#section-3.2">RFC 3986, authority</a>
 */
public record HostAndPort(@Nullable String host, @Nullable Long port) {

  /** Neither a host nor a port. */
  public static final HostAndPort NONE = new HostAndPort(null, null);

  // A name of DNS has 253 characters; an IPv6 address with its zone has fewer.
  private static final int LONGEST_HOST = 255;
  private static final int LARGEST_PORT = 65_535;

  /**
   * Reads {@code host}, {@code host:port}, {@code [address]:port} and an IPv6 address without
   * brackets, which has no port. What stands before the last {@code @} is left out.
   *
   * <p>A text without a valid host, such as {@code :80} or {@code a b}, is {@link #NONE}; a port
   * that is no number from 1 to 65535 is left out, and the host stays.
   *
   * @param text null is {@link #NONE}
   */
  public static HostAndPort parse(@Nullable String text) {
    if (text == null) {
      return NONE;
    }
    String place = text.substring(text.lastIndexOf('@') + 1).strip();
    if (place.startsWith("[")) {
      return bracketed(place);
    }
    int colon = place.indexOf(':');
    if (colon < 0) {
      return of(place, null);
    }
    if (colon == place.lastIndexOf(':')) {
      return of(place.substring(0, colon), place.substring(colon + 1));
    }
    return isIpv6(place) ? new HostAndPort(place, null) : NONE;
  }

  /** The same host, with this port if the text named none. */
  public HostAndPort orPort(long otherwise) {
    return host == null || port != null ? this : new HostAndPort(host, otherwise);
  }

  private static HostAndPort bracketed(String place) {
    int end = place.indexOf(']');
    if (end < 0 || !isIpv6(place.substring(1, end))) {
      return NONE;
    }
    String rest = place.substring(end + 1);
    if (!rest.isEmpty() && rest.charAt(0) != ':') {
      return NONE;
    }
    return new HostAndPort(
        place.substring(1, end), rest.isEmpty() ? null : port(rest.substring(1)));
  }

  private static HostAndPort of(String host, @Nullable String port) {
    return isName(host) ? new HostAndPort(host, port == null ? null : port(port)) : NONE;
  }

  /** Letters and digits of any alphabet, and what a registered name may hold beside them. */
  private static boolean isName(String host) {
    if (host.isEmpty() || host.length() > LONGEST_HOST) {
      return false;
    }
    for (int i = 0; i < host.length(); i++) {
      char c = host.charAt(i);
      if (!Character.isLetterOrDigit(c) && "-._~%!$&'()*+,;=".indexOf(c) < 0) {
        return false;
      }
    }
    return true;
  }

  /** By its form: hexadecimal digits in groups, an IPv4 address as the last two, a zone. */
  private static boolean isIpv6(String address) {
    int zone = address.indexOf('%');
    String digits = zone < 0 ? address : address.substring(0, zone);
    if (address.length() > LONGEST_HOST || (zone >= 0 && !isName(address.substring(zone)))) {
      return false;
    }
    int colons = 0;
    for (int i = 0; i < digits.length(); i++) {
      char c = digits.charAt(i);
      if (c == ':') {
        colons++;
      } else if (c != '.' && (c > 'f' || Character.digit(c, 16) < 0)) {
        return false;
      }
    }
    return digits.contains("::")
        ? colons <= 7
        : colons == 7 || (colons == 6 && digits.indexOf('.') > 0);
  }

  private static @Nullable Long port(String text) {
    if (text.isEmpty() || text.length() > 5) {
      return null;
    }
    long port = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return null;
      }
      port = 10 * port + (c - '0');
    }
    return port > 0 && port <= LARGEST_PORT ? port : null;
  }
}
