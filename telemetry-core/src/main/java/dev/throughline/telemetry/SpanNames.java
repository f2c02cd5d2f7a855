// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Says once that span names carry values, which makes every back end slow and dear. */
final class SpanNames {

  private static final int LIMIT = 1_000;

  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private volatile boolean said;

  void check(@Nullable String name) {
    // A name that is null is OpenTelemetry's to replace, and no reason to throw.
    if (said || name == null || seen.contains(name)) {
      return;
    }
    if (seen.size() >= LIMIT) {
      synchronized (this) {
        if (said) {
          return;
        }
        said = true;
      }
      seen.clear();
      warn(name);
      return;
    }
    seen.add(name);
  }

  private static void warn(String name) {
    try {
      LoggerFactory.getLogger(SpanNames.class)
          .warn(
              "More than {} distinct span names, the latest is \"{}\": put what varies into"
                  + " attributes",
              LIMIT,
              name);
    } catch (RuntimeException e) {
      // Of a logging back end, which the work that the span is for can do without.
    }
  }
}
