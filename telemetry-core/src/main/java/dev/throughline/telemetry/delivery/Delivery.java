// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

/**
 * The counts of all that was recorded since the start. For each signal {@code created} is the sum
 * of delivered, failed, dropped, spooled and pending, at any moment.
 *
 * @param complete whether nothing waits, and nothing was lost; as the answer of a flush, nothing
 *     since the flush before it
 * @param metricPoints a point counts each time it is sent
 */
public record Delivery(boolean complete, Counts spans, Counts logRecords, Counts metricPoints) {

  /** Where nothing is delivered from here. */
  public static final Delivery NONE = new Delivery(true, Counts.NONE, Counts.NONE, Counts.NONE);

  /**
   * The counts of one signal.
   *
   * @param created sampled spans that ended, log records that were emitted, metric points that were
   *     to be sent
   * @param delivered those that the receiver acknowledged
   * @param failed those that it refused, and those that were given up when telemetry closed
   * @param dropped those for which there was no memory, that had to leave the disk, or that came
   *     after the close
   * @param spooled those that are on disk now
   * @param pending those that wait or are on their way now
   * @param repeated those that were sent again although the first time may have arrived: the
   *     connection broke, or no answer came; a part of the others
   */
  public record Counts(
      long created,
      long delivered,
      long failed,
      long dropped,
      long spooled,
      long pending,
      long repeated) {

    /** Where nothing was recorded. */
    public static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0);

    /** Whether all were delivered. */
    public boolean isComplete() {
      return created == delivered;
    }

    /** How many are gone: neither delivered nor kept. */
    public long lost() {
      return failed + dropped;
    }
  }

  /** The same counts as the answer of a flush. */
  public Delivery withComplete(boolean complete) {
    return new Delivery(complete, spans, logRecords, metricPoints);
  }
}
