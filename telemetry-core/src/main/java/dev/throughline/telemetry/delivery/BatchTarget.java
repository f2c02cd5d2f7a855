// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.sdk.common.CompletableResultCode;
import java.util.Collection;

/**
 * An exporter that is given batches.
 *
 * @param <T> what was recorded
 * @param <D> its data, as exporters take it
 */
interface BatchTarget<T, D> {

  /** The name of the exporter's type, for people to read. */
  String type();

  D data(T item);

  CompletableResultCode export(Collection<D> batch);

  CompletableResultCode shutdown();
}
