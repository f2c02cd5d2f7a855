// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How the names of instruments become names of series. */
enum Names {
  /** A name without a dot stays as it is; no labels tell the scope. */
  KEPT,
  /** As OpenTelemetry's exporter does: units as suffixes, and labels that tell the scope. */
  TRANSLATED;

  /** Null where it is none of them. */
  static @Nullable Names of(String word) {
    for (Names names : values()) {
      if (names.word().equals(word.toLowerCase(Locale.ROOT))) {
        return names;
      }
    }
    return null;
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
