// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import org.jspecify.annotations.Nullable;

/**
 * The ids of requests, in a header of the service's choice, e.g. {@code X-Request-Id}: taken from a
 * request that is served, or made for it; an attribute of its span; sent on with the requests that
 * are sent meanwhile, and echoed in the response.
 */
public final class RequestIds {

  static final AttributeKey<String> ATTRIBUTE = AttributeKey.stringKey("request.id");

  private static final ContextKey<String> KEY =
      ContextKey.named("dev.throughline.telemetry.request-id");
  private static final int MAX_LENGTH = 128;

  private final String header;

  /**
   * Ids in this header.
   *
   * @param header e.g. {@code X-Request-Id}; in any case
   */
  public RequestIds(String header) {
    this.header = header;
  }

  /**
   * The id of the request that is being served in a context.
   *
   * @return null where none is being served, or the service names no header
   */
  public static @Nullable String fromContext(Context context) {
    return context.get(KEY);
  }

  /**
   * Whether a text can be the name of a header.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc9110#name-field-names">RFC 9110, field
   *     names</a>
   */
  public static boolean isHeader(String name) {
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean letterOrDigit =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!letterOrDigit && "!#$%&'*+-.^_`|~".indexOf(c) < 0) {
        return false;
      }
    }
    return !name.isEmpty();
  }

  String header() {
    return header;
  }

  /**
   * The context with the id of a request.
   *
   * @param received the header's value; null where it did not come
   */
  static Context receive(Context context, @Nullable String received) {
    return context.with(
        KEY, received != null && isId(received) ? received : RandomUuid.next().toString());
  }

  /** What came in goes into logs and headers, so it is text on one line, and not much of it. */
  private static boolean isId(String value) {
    int length = value.length();
    if (length > MAX_LENGTH || value.isBlank()) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      char c = value.charAt(i);
      if (c < ' ' || c > '~') {
        return false;
      }
    }
    return true;
  }
}
