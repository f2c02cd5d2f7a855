// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The route table: templates such as {@code /servers/{id}/power}. A segment in braces takes any one
 * segment, a last segment {@code *} takes the rest; the first template that fits wins.
 */
final class Routes {

  private final String[] templates;
  private final String[][] segments;

  Routes(List<String> templates) {
    this.templates = templates.toArray(new String[0]);
    segments = new String[this.templates.length][];
    for (int i = 0; i < segments.length; i++) {
      segments[i] = segments(this.templates[i]);
    }
  }

  /** The template that a path fits; null where there is none. */
  @Nullable String match(String path) {
    for (int i = 0; i < templates.length; i++) {
      if (fits(segments[i], path)) {
        return templates[i];
      }
    }
    return null;
  }

  private static boolean fits(String[] segments, String path) {
    int start = 1;
    for (int i = 0; i < segments.length; i++) {
      String segment = segments[i];
      if (segment.equals("*") && i == segments.length - 1) {
        return start <= path.length() + 1;
      }
      if (start > path.length()) {
        return false;
      }
      int end = path.indexOf('/', start);
      if (end < 0) {
        end = path.length();
      }
      boolean fits =
          isVariable(segment)
              ? end > start
              : end - start == segment.length()
                  && path.regionMatches(start, segment, 0, segment.length());
      if (!fits) {
        return false;
      }
      start = end + 1;
    }
    return start == path.length() + 1;
  }

  private static boolean isVariable(String segment) {
    return segment.startsWith("{") && segment.endsWith("}");
  }

  private static String[] segments(String template) {
    List<String> segments = new ArrayList<>();
    int start = 1;
    while (start <= template.length()) {
      int end = template.indexOf('/', start);
      if (end < 0) {
        end = template.length();
      }
      segments.add(template.substring(start, end));
      start = end + 1;
    }
    return segments.toArray(new String[0]);
  }
}
