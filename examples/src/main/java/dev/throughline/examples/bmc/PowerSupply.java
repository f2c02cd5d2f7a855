// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

/** The server's power, one for all of the ports that switch it; on at first. */
final class PowerSupply {

  private final ResponseDelay delay;
  private volatile boolean on = true;

  PowerSupply(ResponseDelay delay) {
    this.delay = delay;
  }

  /** Never waits for a switch that is under way. */
  boolean isOn() {
    return on;
  }

  synchronized void turnOn() {
    on = true;
  }

  synchronized void turnOff() {
    on = false;
  }

  /**
   * Turns the power off and, once the supply has discharged, on again.
   *
   * @return false where it was off, and stays off
   */
  synchronized boolean cycle() {
    if (!on) {
      return false;
    }
    on = false;
    delay.pass();
    on = true;
    return true;
  }
}
