// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import org.jspecify.annotations.Nullable;

/** Ports and status codes as attribute values, boxed once as long as they repeat. */
final class BoxedNumbers {

  private static final int SLOTS = 1_024;

  // A race costs a box more. Each slot keeps the latest, which is a value and never changes.
  private static final @Nullable Long[] LATEST = new Long[SLOTS];

  private BoxedNumbers() {}

  static Long of(int number) {
    int slot = (number ^ (number >>> 10)) & (SLOTS - 1);
    Long latest = LATEST[slot];
    if (latest == null || latest != number) {
      latest = (long) number;
      LATEST[slot] = latest;
    }
    return latest;
  }
}
