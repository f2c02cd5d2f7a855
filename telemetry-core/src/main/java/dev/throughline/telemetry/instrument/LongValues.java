// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Cuts texts that come from a stranger, who may make them as long as he likes. */
public final class LongValues {

  /** How much of a value a metric shows, in characters. */
  public static final int LONGEST_ON_METRIC = 256;

  private static final AttributeKey<String> EXCEPTION_TYPE =
      AttributeKey.stringKey("exception.type");
  private static final AttributeKey<String> EXCEPTION_MESSAGE =
      AttributeKey.stringKey("exception.message");
  private static final AttributeKey<String> EXCEPTION_STACKTRACE =
      AttributeKey.stringKey("exception.stacktrace");
  // As deep as anybody reads; a chain of causes may have a loop.
  private static final int MOST_CAUSES = 16;
  private static final int STACK_TRACE_FACTOR = 4;

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

  /** The first characters, without half of one that takes two; the text itself if it is short. */
  public static String cut(String text, int longest) {
    if (text.length() <= longest) {
      return text;
    }
    return text.substring(
        0, Character.isHighSurrogate(text.charAt(longest - 1)) ? longest - 1 : longest);
  }

  /**
   * Records an exception on a span. A message often repeats what a stranger sent: one that is
   * longer is cut, and so is then the stack trace, which has it too.
   */
  public static void recordException(Span span, Throwable thrown, int longest) {
    if (!hasLongMessage(thrown, longest)) {
      span.recordException(thrown);
      return;
    }
    StringWriter stackTrace = new StringWriter();
    thrown.printStackTrace(new PrintWriter(stackTrace));
    String message = thrown.getMessage();
    // Not as an exception, of which the SDK keeps the message until it is delivered.
    span.addEvent(
        "exception",
        Attributes.of(
            EXCEPTION_TYPE,
            thrown.getClass().getName(),
            EXCEPTION_MESSAGE,
            message == null ? null : cut(message, longest),
            EXCEPTION_STACKTRACE,
            cut(stackTrace.toString(), STACK_TRACE_FACTOR * longest)));
  }

  private static boolean hasLongMessage(Throwable thrown, int longest) {
    @Nullable Throwable each = thrown;
    for (int depth = 0; each != null && depth < MOST_CAUSES; depth++, each = each.getCause()) {
      String message = each.getMessage();
      if (message != null && message.length() > longest) {
        return true;
      }
    }
    return false;
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
