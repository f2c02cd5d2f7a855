// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import dev.throughline.telemetry.Telemetry;

/** A room that knows what stands on it: for the test of the doors. */
public interface Upwards {

  /** Knows what users type. */
  Telemetry telemetry();
}
