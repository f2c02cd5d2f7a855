// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ThrottleTest {

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  @Test
  void letsOneALinePassEachMinute() {
    Throttle throttle = new Throttle();
    // The clock is one of intervals: it may begin anywhere, and wrap.
    long start = Long.MAX_VALUE - 30 * SECOND;
    assertThat(throttle.acquire(start)).isZero();
    assertThat(throttle.acquire(start + SECOND)).isEqualTo(Throttle.HELD_BACK);
    assertThat(throttle.acquire(start + 59 * SECOND)).isEqualTo(Throttle.HELD_BACK);
    assertThat(throttle.acquire(start + 60 * SECOND)).isEqualTo(2);
    assertThat(throttle.acquire(start + 61 * SECOND)).isEqualTo(Throttle.HELD_BACK);
    assertThat(throttle.acquire(start + 180 * SECOND)).isEqualTo(1);
    assertThat(throttle.acquire(start + 300 * SECOND)).isZero();
  }

  @Test
  void saysWhetherALineMayBeLogged() {
    Throttle throttle = new Throttle();
    assertThat(throttle.mayLog()).isTrue();
    assertThat(throttle.mayLog()).isFalse();
  }
}
