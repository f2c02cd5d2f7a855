// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

/** The names of the metrics that tell how delivery is. */
final class DeliveryKeys {

  static final String SPANS = "throughline.spans.";
  static final String SPANS_ENDED = SPANS + "ended";
  static final String LOG_RECORDS = "throughline.log_records.";
  static final String LOG_RECORDS_EMITTED = LOG_RECORDS + "emitted";
  static final String METRIC_POINTS = "throughline.metric_points.";
  static final String METRIC_POINTS_SENT = METRIC_POINTS + "sent";

  static final String EXPORTED = "exported";
  static final String FAILED = "failed";
  static final String DROPPED = "dropped";
  static final String REPEATED = "repeated";
  static final String SPOOLED = "spooled";
  static final String WAITING = "waiting";

  private DeliveryKeys() {}
}
