// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.common.AttributeKey;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts the values of attributes that come from a stranger, who may make them as long as he likes.
 */
final class LongValues {

  // The text of a statement is the application's own, and is cut where it is made.
  private static final String OWN = "db.query.text";

  private LongValues() {}

  /** The value itself unless it is a text, or a list of texts, of which one is longer. */
  @SuppressWarnings("unchecked") // a text for a text, and a list of texts for one
  static <T> T cut(AttributeKey<T> key, T value, int longest) {
    if (value instanceof String text) {
      return text.length() <= longest || key.getKey().equals(OWN) ? value : (T) cut(text, longest);
    }
    return value instanceof List<?> list && hasLong(list, longest) ? (T) cut(list, longest) : value;
  }

  /** The first characters, without half of one that takes two. */
  static String cut(String text, int longest) {
    if (text.length() <= longest) {
      return text;
    }
    return text.substring(
        0, Character.isHighSurrogate(text.charAt(longest - 1)) ? longest - 1 : longest);
  }

  private static boolean hasLong(List<?> list, int longest) {
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i) instanceof String text && text.length() > longest) {
        return true;
      }
    }
    return false;
  }

  private static List<Object> cut(List<?> list, int longest) {
    List<Object> cut = new ArrayList<>(list.size());
    for (Object value : list) {
      cut.add(value instanceof String text ? cut(text, longest) : value);
    }
    return cut;
  }
}
