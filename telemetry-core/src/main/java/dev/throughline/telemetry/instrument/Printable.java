// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import org.jspecify.annotations.Nullable;

/**
 * Text of strangers for the log: control characters and Unicode's line separators, which could
 * begin a line of their own or move a terminal's cursor, are printed as <code>&#92;u000a</code>; a
 * text of more than 4,096 characters is cut.
 */
public final class Printable {

  private static final int LONGEST = 4_096;

  // As deep as anybody reads; a chain of causes may have a loop.
  private static final int MOST_CAUSES = 16;

  private Printable() {}

  /** The text with its control characters escaped, and cut; itself if there is nothing to do. */
  public static String of(String text) {
    if (text.length() > LONGEST) {
      return of(text.substring(0, LONGEST)) + "... (" + text.length() + " characters in all)";
    }
    for (int i = 0; i < text.length(); i++) {
      if (isControl(text.charAt(i))) {
        return escaped(text);
      }
    }
    return text;
  }

  private static boolean isControl(char c) {
    return Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
  }

  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isControl(c)) {
        escaped.append(String.format("\\u%04x", (int) c));
      } else {
        escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /**
   * An exception to print in the place of another: with the same stack trace, and with messages
   * that are printable. The exception itself if all of them are.
   */
  public static Throwable of(Throwable thrown) {
    int depth = 0;
    for (Throwable t = thrown; t != null && depth < MOST_CAUSES; t = t.getCause(), depth++) {
      String text = String.valueOf(t);
      if (!text.equals(of(text))) {
        return new Escaped(thrown, MOST_CAUSES);
      }
    }
    return thrown;
  }

  private static final class Escaped extends Throwable {

    private static final long serialVersionUID = 1;

    Escaped(Throwable thrown, int depth) {
      super(of(String.valueOf(thrown)), cause(thrown, depth), false, true);
      setStackTrace(thrown.getStackTrace());
    }

    private static @Nullable Throwable cause(Throwable thrown, int depth) {
      Throwable cause = thrown.getCause();
      return cause == null || depth == 0 ? null : new Escaped(cause, depth - 1);
    }
  }
}
