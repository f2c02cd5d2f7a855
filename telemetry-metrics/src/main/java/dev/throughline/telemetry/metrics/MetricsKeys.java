// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import io.opentelemetry.api.common.AttributeKey;

/** The names of what this module records; each stands in {@code docs/recorded-data.md}. */
final class MetricsKeys {

  static final String SPANS_ENDED = "throughline.spans.ended";
  static final String SPANS_DROPPED = "throughline.spans.dropped";
  static final String SPANS_EXPORTED = "throughline.spans.exported";
  static final String SPANS_FAILED = "throughline.spans.failed";
  static final String SPANS_WAITING = "throughline.spans.waiting";
  static final String SCRAPES = "throughline.scrapes";
  static final String GUARD_HITS = "throughline.guard.hits";

  static final AttributeKey<String> MODULE = AttributeKey.stringKey("throughline.module");

  private MetricsKeys() {}
}
