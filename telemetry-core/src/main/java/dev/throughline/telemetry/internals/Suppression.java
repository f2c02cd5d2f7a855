// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.internals;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.api.impl.InstrumentationUtil;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Marks the context in which telemetry is sent, so that instrumentation and log appenders record
 * nothing of it: each export would make the next one.
 */
public final class Suppression {

  private Suppression() {}

  /** Calls what sends. */
  public static void run(Runnable sending) {
    InstrumentationUtil.suppressInstrumentation(sending);
  }

  /**
   * The same for what has a result.
   *
   * @throws NullPointerException if the result is null
   */
  public static <T> T call(Supplier<T> sending) {
    AtomicReference<T> result = new AtomicReference<>();
    run(() -> result.set(sending.get()));
    return requireNonNull(result.get());
  }
}
