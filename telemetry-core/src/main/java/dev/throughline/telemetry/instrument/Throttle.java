// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import java.util.concurrent.TimeUnit;

/** Lets a line be logged at most once a minute, and counts those that it held back. Thread-safe. */
public final class Throttle {

  /** The answer of {@link #acquire()} within a minute of the last line. */
  public static final long HELD_BACK = -1;

  private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

  private boolean passed;
  private long passedAtNanos;
  private long heldBack;

  /** One that lets the first line pass. */
  public Throttle() {}

  /**
   * Asks for a line.
   *
   * @return {@link #HELD_BACK} if it must not be logged; else how many were held back since the
   *     last that was
   */
  public long acquire() {
    return acquire(System.nanoTime());
  }

  /** Whether a line may be logged now. */
  public boolean mayLog() {
    return acquire() != HELD_BACK;
  }

  synchronized long acquire(long now) {
    if (passed && now - passedAtNanos < QUIET_NANOS) {
      heldBack++;
      return HELD_BACK;
    }
    long since = heldBack;
    heldBack = 0;
    passed = true;
    passedAtNanos = now;
    return since;
  }
}
