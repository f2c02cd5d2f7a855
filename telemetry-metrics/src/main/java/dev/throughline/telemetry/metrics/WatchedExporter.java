// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.MemoryMode;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import java.util.Collection;

/** An exporter whose metrics are looked at for how many points they have. */
final class WatchedExporter implements MetricExporter {

  private final MetricExporter exporter;
  private final CardinalityWatch cardinality;
  private final Guard guard;

  WatchedExporter(MetricExporter exporter, CardinalityWatch cardinality, Guard guard) {
    this.exporter = exporter;
    this.cardinality = cardinality;
    this.guard = guard;
  }

  @Override
  public CompletableResultCode export(Collection<MetricData> metrics) {
    try {
      metrics.forEach(cardinality::look);
    } catch (Throwable t) {
      guard.caught("CardinalityWatch.look", t);
    }
    return exporter.export(metrics);
  }

  @Override
  public AggregationTemporality getAggregationTemporality(InstrumentType type) {
    return exporter.getAggregationTemporality(type);
  }

  @Override
  public Aggregation getDefaultAggregation(InstrumentType type) {
    return exporter.getDefaultAggregation(type);
  }

  @Override
  public MemoryMode getMemoryMode() {
    return exporter.getMemoryMode();
  }

  @Override
  public CompletableResultCode flush() {
    return exporter.flush();
  }

  @Override
  public CompletableResultCode shutdown() {
    return exporter.shutdown();
  }

  @Override
  public String toString() {
    return exporter.toString();
  }
}
