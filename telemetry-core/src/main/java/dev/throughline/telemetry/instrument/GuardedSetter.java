// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.context.propagation.TextMapSetter;
import org.jspecify.annotations.Nullable;

/** A setter for propagators: a header that the carrier refuses costs itself, and no other. */
final class GuardedSetter<C> implements TextMapSetter<C> {

  private final HeaderSetter<C> setter;
  private final Guard guard;
  private final String hook;

  /**
   * @param hook what the guard calls it, e.g. {@code RequestConvention.requestSetter}
   */
  GuardedSetter(HeaderSetter<C> setter, Guard guard, String hook) {
    this.setter = setter;
    this.guard = guard;
    this.hook = hook;
  }

  @Override
  public void set(@Nullable C carrier, String name, String value) {
    if (carrier == null) {
      return;
    }
    try {
      setter.set(carrier, name, value);
    } catch (Throwable t) {
      guard.caught(hook, t);
    }
  }
}
