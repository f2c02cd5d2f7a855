// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Builds a {@link TelemetryExtension} whose telemetry has settings of its own. */
public final class TelemetryExtensionBuilder {

  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(5);

  final Map<String, String> properties = new HashMap<>();
  Duration timeout = DEFAULT_TIMEOUT;

  TelemetryExtensionBuilder() {
    properties.put("otel.traces.exporter", "none");
    properties.put("otel.metrics.exporter", "none");
    properties.put("otel.logs.exporter", "none");
  }

  /**
   * Sets a setting of the telemetry.
   *
   * @param key as a system property, e.g. {@code telemetry.baggage.attributes}
   */
  public TelemetryExtensionBuilder addProperty(String key, String value) {
    properties.put(requireNonNull(key, "key"), requireNonNull(value, "value"));
    return this;
  }

  /** Sets how long a take waits at the most; five seconds by default. */
  public TelemetryExtensionBuilder setTimeout(Duration timeout) {
    this.timeout = requireNonNull(timeout, "timeout");
    return this;
  }

  /** Builds the extension. */
  public TelemetryExtension build() {
    return new TelemetryExtension(this);
  }
}
