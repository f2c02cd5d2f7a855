// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.time.Duration;

/**
 * How spans are batched, by the meaning of the {@code OTEL_BSP_*} variables.
 *
 * @param scheduleDelay the longest time that an ended span waits for its batch; a millisecond at
 *     least
 * @param maxQueueSize most spans that wait; further ones are dropped and counted
 * @param maxExportBatchSize most spans in one export
 * @param exportTimeout how long one export may take; zero is for ever
 * @see <a
 *     href="https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#batch-span-processor">Batch
 *     span processor variables</a>
 */
public record BatchSettings(
    Duration scheduleDelay, int maxQueueSize, int maxExportBatchSize, Duration exportTimeout) {

  private static final Duration UNLIMITED = Duration.ofNanos(Long.MAX_VALUE);
  private static final Duration SHORTEST_DELAY = Duration.ofMillis(1);

  public BatchSettings {
    // Without a delay the exporting thread would never rest.
    scheduleDelay = scheduleDelay.compareTo(SHORTEST_DELAY) < 0 ? SHORTEST_DELAY : scheduleDelay;
    maxQueueSize = Math.max(1, maxQueueSize);
    maxExportBatchSize = Math.min(Math.max(1, maxExportBatchSize), maxQueueSize);
    exportTimeout = exportTimeout.isZero() ? UNLIMITED : exportTimeout;
  }
}
