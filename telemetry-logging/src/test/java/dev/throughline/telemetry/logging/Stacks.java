// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

/** Stack traces as far as they do not depend on who calls a test's scenario. */
final class Stacks {

  private Stacks() {}

  /** Without the frames below the scenario. */
  static String shortened(String line) {
    return line.replaceAll("(?s)(TransparencyKit\\.scenario\\([^\\n]*\\n).*", "$1")
        .replaceAll("(TransparencyKit\\.java):\\d+", "$1");
  }
}
