// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.common.AttributeKey;
import org.jspecify.annotations.Nullable;

/** Where a {@link RequestConvention} puts the attributes of a request's span. */
public interface AttributeSink {

  /**
   * Sets an attribute of the span.
   *
   * @param value null is ignored
   */
  <T> void set(AttributeKey<T> key, @Nullable T value);
}
