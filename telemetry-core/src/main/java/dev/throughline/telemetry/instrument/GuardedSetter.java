// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.context.propagation.TextMapSetter;
import org.jspecify.annotations.Nullable;

/**
 * A setter for propagators: a header that the carrier refuses costs itself, and no other. A header
 * of other propagators than the W3C's is left out if it has a control character, which would end it
 * and begin another, or is longer than what servers take; the W3C's are checked when they come in.
 */
final class GuardedSetter<C> implements TextMapSetter<C> {

  // As long as the W3C's baggage may be.
  private static final int LONGEST_VALUE = 8_192;

  private final HeaderSetter<C> setter;
  private final Guard guard;
  private final String hook;
  private final boolean checksAll;

  /**
   * @param hook what the guard calls it, e.g. {@code RequestConvention.requestSetter}
   * @param checksAll whether the W3C's headers, too, are written by somebody else
   */
  GuardedSetter(HeaderSetter<C> setter, Guard guard, String hook, boolean checksAll) {
    this.setter = setter;
    this.guard = guard;
    this.hook = hook;
    this.checksAll = checksAll;
  }

  @Override
  public void set(@Nullable C carrier, String name, String value) {
    if (carrier == null) {
      return;
    }
    try {
      if ((checksAll || !isChecked(name)) && !(RequestIds.isHeader(name) && isPrintable(value))) {
        throw new IllegalArgumentException("no valid header: " + name);
      }
      setter.set(carrier, name, value);
    } catch (Throwable t) {
      guard.caught(hook, t);
    }
  }

  private static boolean isChecked(String name) {
    return name.equals("traceparent") || name.equals("tracestate") || name.equals("baggage");
  }

  private static boolean isPrintable(String value) {
    if (value.length() > LONGEST_VALUE) {
      return false;
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if ((c < ' ' && c != '\t') || c > '~') {
        return false;
      }
    }
    return true;
  }
}
