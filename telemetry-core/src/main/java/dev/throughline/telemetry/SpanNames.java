// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import dev.throughline.telemetry.instrument.LongValues;
import dev.throughline.telemetry.instrument.Printable;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Says once that span names carry values, which makes every back end slow and dear. */
final class SpanNames {

  private static final int LIMIT = 1_000;
  private static final int LONGEST = 256;

  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private volatile boolean said;

  void check(@Nullable String name) {
    // A name that is null is OpenTelemetry's to replace, and no reason to throw.
    if (said || name == null) {
      return;
    }
    String kept = LongValues.cut(name, LONGEST);
    if (seen.contains(kept)) {
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
      warn(kept);
      return;
    }
    seen.add(kept);
  }

  private static void warn(String name) {
    try {
      LoggerFactory.getLogger(SpanNames.class)
          .warn(
              "More than {} distinct span names, the latest is \"{}\": put what varies into"
                  + " attributes",
              LIMIT,
              Printable.of(name));
    } catch (RuntimeException e) {
      // Of a logging back end, which the work that the span is for can do without.
    }
  }
}
