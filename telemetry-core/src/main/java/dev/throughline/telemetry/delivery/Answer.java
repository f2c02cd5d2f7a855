// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.io.IOException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What came of sending a request once.
 *
 * @param rejected items that a receiver did not take though it acknowledged the others
 * @param reason in words; null where all was well
 * @param retryAfterNanos how long the receiver asks to be left alone; 0 where it does not say
 * @param mayHaveArrived whether no answer came though some of the request had left
 */
record Answer(
    Kind kind,
    long rejected,
    @Nullable String reason,
    long retryAfterNanos,
    boolean mayHaveArrived,
    @Nullable IOException failure) {

  enum Kind {
    ACKNOWLEDGED,
    REFUSED,
    TRY_AGAIN
  }

  private static final long FIRST_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long LAST_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final double BACKOFF_MULTIPLIER = 1.5;
  private static final double JITTER = 0.2;

  /** What is longer, the receiver asked for. */
  static final long LONGEST_OWN_DELAY_NANOS = (long) (LAST_BACKOFF_NANOS * (1 + JITTER));

  static Answer acknowledged(PartialSuccess partial) {
    return new Answer(Kind.ACKNOWLEDGED, partial.rejected(), partial.message(), 0, false, null);
  }

  static Answer refused(String reason) {
    return new Answer(Kind.REFUSED, 0, reason, 0, false, null);
  }

  static Answer tryAgain(String reason, long retryAfterNanos) {
    return new Answer(Kind.TRY_AGAIN, 0, reason, retryAfterNanos, false, null);
  }

  static Answer noAnswer(String reason, boolean mayHaveArrived, IOException failure) {
    return new Answer(Kind.TRY_AGAIN, 0, reason, 0, mayHaveArrived, failure);
  }

  /**
   * How long to wait before the next try: as the receiver says, else longer each time, and not at
   * the same moment as others whose receiver came back.
   *
   * @param failures one after the other, from 1
   */
  long delayNanos(int failures) {
    if (retryAfterNanos > 0) {
      return retryAfterNanos;
    }
    double delay =
        Math.min(
            (double) LAST_BACKOFF_NANOS,
            FIRST_BACKOFF_NANOS * Math.pow(BACKOFF_MULTIPLIER, failures - 1));
    return (long) (delay * (1 - JITTER + 2 * JITTER * ThreadLocalRandom.current().nextDouble()));
  }
}
