// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import io.opentelemetry.api.common.AttributeKey;

/** The names of what this module records; each stands in {@code docs/recorded-data.md}. */
final class MetricsKeys {

  static final String SCRAPES = "throughline.scrapes";
  static final String GUARD_HITS = "throughline.guard.hits";

  static final AttributeKey<String> MODULE = AttributeKey.stringKey("throughline.module");

  private MetricsKeys() {}
}
