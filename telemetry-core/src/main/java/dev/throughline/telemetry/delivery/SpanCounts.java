// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

/**
 * What became of the sampled spans that ended since the start. But for those that are on their way
 * at this moment, {@code ended} is the sum of the others.
 *
 * @param ended spans that were to be exported
 * @param dropped those for which there was no room
 * @param exported those that an exporter said it delivered
 * @param failed those that it said it did not, or for which it took too long
 * @param waiting those that wait for their batch now
 */
public record SpanCounts(long ended, long dropped, long exported, long failed, long waiting) {

  /** Where no span is exported in batches. */
  public static final SpanCounts NONE = new SpanCounts(0, 0, 0, 0, 0);
}
