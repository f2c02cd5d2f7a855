// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import java.util.List;

/**
 * Copies the baggage entries that a service lists to its spans, as {@code baggage.<key>}, so that
 * traces are found by them on every service that the baggage reaches.
 */
public final class BaggageAttributes {

  private final String[] entries;
  private final AttributeKey<String>[] attributes;
  private final int longestValue;

  /**
   * Attributes for the entries of these keys.
   *
   * @param keys baggage keys, case-sensitive; empty copies nothing
   * @param longestValue how many characters of a value are copied
   */
  @SuppressWarnings({"unchecked", "rawtypes"})
  public BaggageAttributes(List<String> keys, int longestValue) {
    this.longestValue = longestValue;
    entries = keys.toArray(new String[0]);
    attributes = new AttributeKey[entries.length];
    for (int i = 0; i < entries.length; i++) {
      attributes[i] = AttributeKey.stringKey("baggage." + entries[i]);
    }
  }

  /** Copies the listed entries of the context's baggage to the span. */
  public void copy(Context context, Span span) {
    Baggage baggage = Baggage.fromContext(context);
    if (baggage.isEmpty()) {
      return;
    }
    for (int i = 0; i < entries.length; i++) {
      String value = baggage.getEntryValue(entries[i]);
      if (value != null) {
        span.setAttribute(attributes[i], LongValues.cut(value, longestValue));
      }
    }
  }
}
