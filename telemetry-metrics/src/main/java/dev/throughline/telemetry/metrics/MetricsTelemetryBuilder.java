// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static java.util.Objects.requireNonNull;

import io.prometheus.metrics.model.registry.PrometheusRegistry;

/** Builds a {@link MetricsTelemetry}. */
public final class MetricsTelemetryBuilder {

  PrometheusRegistry registry = PrometheusRegistry.defaultRegistry;
  boolean mounted = true;

  MetricsTelemetryBuilder() {}

  /**
   * Sets where the service registers its collectors of the Prometheus client; {@link
   * PrometheusRegistry#defaultRegistry} by default.
   */
  public MetricsTelemetryBuilder setRegistry(PrometheusRegistry registry) {
    this.registry = requireNonNull(registry, "registry");
    return this;
  }

  /**
   * Sets whether the service's own server shows the metrics; true by default. With false there is
   * no handler and no servlet, and with {@code OTEL_SDK_DISABLED=true} nothing is recorded at all.
   */
  public MetricsTelemetryBuilder setMounted(boolean mounted) {
    this.mounted = mounted;
    return this;
  }

  /** Builds it; it does nothing before it is given to {@code Telemetry.init}. */
  public MetricsTelemetry build() {
    return new MetricsTelemetry(this);
  }
}
