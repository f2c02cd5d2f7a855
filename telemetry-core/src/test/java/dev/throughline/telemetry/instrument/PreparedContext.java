// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import org.junit.jupiter.api.extension.Extension;

/**
 * Wraps OpenTelemetry's context before the first test of the JVM, whichever that is: after one that
 * uses the context and builds no telemetry it would be too late for those that follow.
 */
public final class PreparedContext implements Extension {

  static {
    ScopeHooks.prepare();
  }
}
