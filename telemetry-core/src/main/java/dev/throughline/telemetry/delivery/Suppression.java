// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.api.impl.InstrumentationUtil;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Marks the context in which telemetry is sent, so that instrumentation and log appenders record
 * nothing of it: each export would make the next one. The one use of OpenTelemetry's internals in
 * this package.
 */
final class Suppression {

  private Suppression() {}

  static void run(Runnable sending) {
    InstrumentationUtil.suppressInstrumentation(sending);
  }

  static <T> T call(Supplier<T> sending) {
    AtomicReference<T> result = new AtomicReference<>();
    run(() -> result.set(sending.get()));
    return requireNonNull(result.get());
  }
}
