// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

/**
 * A WARN or an ERROR that the library logged.
 *
 * @param level e.g. {@code WARN}
 */
record Warning(String level, String logger, String message) {

  @Override
  public String toString() {
    return level + ' ' + logger + ": " + message;
  }
}
