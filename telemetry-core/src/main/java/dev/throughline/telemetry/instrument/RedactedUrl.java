// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import java.net.URI;

/**
 * URLs and queries as they may be recorded: without what is a secret or personal.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/">URL
 *     attributes</a>
 */
public final class RedactedUrl {

  private RedactedUrl() {}

  /** The URL without credentials, query values and fragment. */
  public static String of(URI uri) {
    String query = uri.getRawQuery();
    String userInfo = uri.getRawUserInfo();
    if (query == null && userInfo == null && uri.getRawFragment() == null) {
      return uri.toString();
    }
    StringBuilder url = new StringBuilder();
    url.append(uri.getScheme()).append("://");
    if (userInfo != null) {
      url.append(userInfo.indexOf(':') < 0 ? "REDACTED@" : "REDACTED:REDACTED@");
    }
    String authority = uri.getRawAuthority();
    url.append(authority, authority.lastIndexOf('@') + 1, authority.length());
    url.append(uri.getRawPath());
    if (query != null) {
      url.append('?').append(query(query));
    }
    return url.toString();
  }

  /**
   * A query with its values taken out, which may be secrets or personal: {@code a=1&b=2} becomes
   * {@code a=REDACTED&b=REDACTED}.
   */
  public static String query(String query) {
    if (query.indexOf('=') < 0) {
      // A query that is one bare value, such as a token, has no name to be told by.
      return query.isEmpty() ? query : "REDACTED";
    }
    StringBuilder redacted = new StringBuilder(query.length());
    int start = 0;
    while (start <= query.length()) {
      int end = query.indexOf('&', start);
      if (end < 0) {
        end = query.length();
      }
      int equals = query.indexOf('=', start);
      if (equals >= 0 && equals < end) {
        redacted.append(query, start, equals + 1).append("REDACTED");
      } else if (end > start) {
        redacted.append("REDACTED");
      }
      if (end < query.length()) {
        redacted.append('&');
      }
      start = end + 1;
    }
    return redacted.toString();
  }
}
