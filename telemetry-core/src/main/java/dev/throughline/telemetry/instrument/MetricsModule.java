// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.export.MetricExporter;

/**
 * What reads metrics beside core's own push: the seam of {@code telemetry-metrics}. A service gives
 * one to {@code Telemetry.init}, since a meter provider takes its readers while it is built.
 *
 * <p>Each method is called once for a {@code Telemetry}, in the order below, but for {@link
 * #exporterName} and {@link #isMounted}, which always answer the same, and {@link #watch}.
 */
public interface MetricsModule {

  /**
   * The name in {@code OTEL_METRICS_EXPORTER} by which this module serves metrics itself, e.g.
   * {@code prometheus}; autoconfigure then looks for no exporter of that name.
   */
  String exporterName();

  /**
   * Whether the service's own server shows what this reads. Metrics are then recorded also where
   * telemetry is off, with no exporter and no thread.
   */
  boolean isMounted();

  /** Sees what an exporter of the settings is to send; returns the exporter to use in its place. */
  MetricExporter watch(MetricExporter exporter);

  /**
   * Adds readers and producers.
   *
   * @param named whether {@code OTEL_METRICS_EXPORTER} has {@link #exporterName}; false where
   *     telemetry is off
   */
  void addTo(SdkMeterProviderBuilder meterProvider, ConfigProperties settings, boolean named);

  /**
   * Begins, once telemetry was built.
   *
   * @param guard the telemetry's, whose hits are metrics
   */
  void start(OpenTelemetry openTelemetry, Guard guard);
}
