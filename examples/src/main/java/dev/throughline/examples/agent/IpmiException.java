// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import java.io.IOException;

/** A BMC answered a command with an error. */
final class IpmiException extends IOException {

  private static final long serialVersionUID = 1L;

  private final int completionCode;

  IpmiException(int completionCode) {
    super("The BMC answered with completion code 0x%02X".formatted(completionCode));
    this.completionCode = completionCode;
  }

  int completionCode() {
    return completionCode;
  }
}
