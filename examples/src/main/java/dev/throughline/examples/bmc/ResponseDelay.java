// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import java.time.Duration;

/** How long the hardware takes before each answer, on every port. */
final class ResponseDelay {

  private volatile Duration delay;

  ResponseDelay(Duration delay) {
    set(delay);
  }

  final void set(Duration delay) {
    if (delay.isNegative()) {
      throw new IllegalArgumentException("A delay can't be negative: " + delay);
    }
    this.delay = delay;
  }

  /** Takes the time. An interrupt ends it early and stays set. */
  void pass() {
    try {
      Thread.sleep(delay.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
