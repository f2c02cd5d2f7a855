// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import io.opentelemetry.api.common.AttributeKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The headers that a service chose to see on its spans. */
final class CapturedHeaders {

  private static final List<String> REDACTED = List.of("REDACTED");
  private static final Set<String> CREDENTIALS =
      Set.of(
          "authorization",
          "proxy-authorization",
          "cookie",
          "set-cookie",
          "x-api-key",
          "x-auth-token",
          "x-subject-token");

  private final String[] names;
  private final List<AttributeKey<List<String>>> keys = new ArrayList<>();

  CapturedHeaders(String prefix, List<String> names) {
    this.names = names.toArray(new String[0]);
    for (String name : names) {
      keys.add(AttributeKey.stringArrayKey(prefix + name.toLowerCase(Locale.ROOT)));
    }
  }

  boolean isEmpty() {
    return names.length == 0;
  }

  void capture(AttributeSink attributes, Function<String, @Nullable List<String>> headers) {
    for (int i = 0; i < names.length; i++) {
      List<String> values = headers.apply(names[i]);
      if (values != null && !values.isEmpty()) {
        attributes.set(keys.get(i), isCredential(names[i]) ? REDACTED : values);
      }
    }
  }

  /** A header that people capture by mistake, and whose value is a credential. */
  private static boolean isCredential(String header) {
    return CREDENTIALS.contains(header.toLowerCase(Locale.ROOT));
  }
}
