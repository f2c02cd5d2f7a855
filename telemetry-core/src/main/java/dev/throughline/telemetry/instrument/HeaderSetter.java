// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

/**
 * Writes one header into a carrier, and takes the place of what the carrier has under that name.
 * Called guarded: if it throws for one header, the others are written all the same.
 *
 * @param <C> the carrier, never null
 */
@FunctionalInterface
public interface HeaderSetter<C> {

  /**
   * Sets a header.
   *
   * @param name e.g. {@code traceparent}
   */
  void set(C carrier, String name, String value);
}
