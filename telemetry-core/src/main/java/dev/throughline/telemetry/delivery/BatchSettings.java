// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.time.Duration;

/**
 * How spans are batched, by the meaning of the {@code OTEL_BSP_*} variables.
 *
 * @param scheduleDelay the longest time that an ended span waits for its batch
 * @param maxQueueSize spans that wait at the most; further ones are dropped and counted
 * @param maxExportBatchSize spans in one export at the most
 * @param exportTimeout how long one export may take
 * @see <a
 *     href="https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#batch-span-processor">Batch
 *     span processor variables</a>
 */
public record BatchSettings(
    Duration scheduleDelay, int maxQueueSize, int maxExportBatchSize, Duration exportTimeout) {

  public BatchSettings {
    maxQueueSize = Math.max(1, maxQueueSize);
    maxExportBatchSize = Math.min(Math.max(1, maxExportBatchSize), maxQueueSize);
  }
}
