// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What can be done with a server's power, in the words of both protocols. */
enum PowerAction {
  ON("On", 1),
  OFF("ForceOff", 0),
  CYCLE("PowerCycle", 2),
  SHUTDOWN("GracefulShutdown", 5);

  private final String resetType;
  private final int chassisControl;

  PowerAction(String resetType, int chassisControl) {
    this.resetType = resetType;
    this.chassisControl = chassisControl;
  }

  /** The action of this name, e.g. {@code cycle}. */
  static Optional<PowerAction> of(String word) {
    return Arrays.stream(values()).filter(action -> action.word().equals(word)).findFirst();
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Redfish's ResetType. */
  String resetType() {
    return resetType;
  }

  /** IPMI's data byte of Chassis Control. */
  int chassisControl() {
    return chassisControl;
  }
}
