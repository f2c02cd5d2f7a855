// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import io.opentelemetry.api.impl.InstrumentationUtil;
import io.opentelemetry.context.Context;

/**
 * All that this module uses of OpenTelemetry's internals, which another version may have moved;
 * {@code InternalsTest} fails then.
 */
final class Internals {

  static final String SEMCONV_STABILITY =
      "io.opentelemetry.instrumentation.api.internal.SemconvStability";
  private static final String OPT_IN = "otel.semconv-stability.opt-in";

  private Internals() {}

  /** Whether what runs in a context sends telemetry, and is to make none. */
  static boolean isSuppressed(Context context) {
    return InstrumentationUtil.shouldSuppressInstrumentation(context);
  }

  /**
   * Makes OpenTelemetry's appenders write code locations under the stable names. They write the
   * former names unless a system property says otherwise, which they read once.
   */
  static void chooseStableNames() {
    if (System.getProperty(OPT_IN) != null
        || System.getenv("OTEL_SEMCONV_STABILITY_OPT_IN") != null) {
      return;
    }
    System.setProperty(OPT_IN, "code");
    try {
      Class.forName(SEMCONV_STABILITY);
    } catch (ClassNotFoundException e) {
      // Another version writes the names that it has.
    } finally {
      System.clearProperty(OPT_IN);
    }
  }
}
