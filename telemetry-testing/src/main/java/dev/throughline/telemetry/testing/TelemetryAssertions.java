// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

/** Assertions on telemetry, beside AssertJ's and OpenTelemetry's own. */
public final class TelemetryAssertions {

  private TelemetryAssertions() {}

  /** Assertions on what an extension recorded. */
  public static TelemetryAssert assertThat(TelemetryExtension telemetry) {
    return new TelemetryAssert(telemetry);
  }
}
