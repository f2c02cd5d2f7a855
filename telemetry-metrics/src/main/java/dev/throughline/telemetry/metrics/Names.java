// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import java.util.Locale;

/** How the names of instruments become names of series. */
enum Names {
  /** A name without a dot stays as it is; no labels tell the scope. */
  KEPT,
  /** As OpenTelemetry's exporter does: units as suffixes, and labels that tell the scope. */
  TRANSLATED;

  static Names of(String word) {
    return valueOf(word.toUpperCase(Locale.ROOT));
  }
}
