// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.common.AttributeKey;
import org.jspecify.annotations.Nullable;

/** Takes the attributes that a {@link RequestConvention} has for a request's span. */
public interface AttributeSink {

  /**
   * Sets an attribute of the span.
   *
   * @param value null is ignored
   */
  <T> void set(AttributeKey<T> key, @Nullable T value);

  /** Sets an attribute to a number that repeats, such as a port or a status code. */
  default void set(AttributeKey<Long> key, int value) {
    set(key, BoxedNumbers.of(value));
  }
}
