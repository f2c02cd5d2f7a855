// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.internals.Suppression;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.MemoryMode;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Counts the metric points that an exporter is given, and what became of them. */
final class CountedMetrics implements MetricExporter {

  private final MetricExporter exporter;
  private final Ledger ledger;
  private final Guard guard;

  CountedMetrics(MetricExporter exporter, Ledger ledger, Guard guard) {
    this.exporter = exporter;
    this.ledger = ledger;
    this.guard = guard;
  }

  @Override
  public CompletableResultCode export(Collection<MetricData> metrics) {
    int points = MetricParts.points(metrics);
    ledger.arrived(points);
    CompletableResultCode result = export(metrics, points);
    ledger.logDropped(false);
    return result;
  }

  private CompletableResultCode export(Collection<MetricData> metrics, int points) {
    Request request = new Request(ledger, points, points > 1);
    request.begin();
    CompletableResultCode result =
        SpanPipeline.guarded(
            guard, "MetricExporter.export", () -> Suppression.call(() -> exporter.export(metrics)));
    if (!request.end() && !request.isTooLarge()) {
      settleBy(result, request);
    }
    if (!request.isTooLarge() || !request.withdraw()) {
      return result;
    }
    // One after the other: each waits for memory that those before it hold.
    List<CompletableResultCode> results = new ArrayList<>();
    for (List<MetricData> part : MetricParts.of(metrics, request.parts())) {
      results.add(export(part, MetricParts.points(part)));
    }
    return CompletableResultCode.ofAll(results);
  }

  private static void settleBy(CompletableResultCode result, Request request) {
    result.whenComplete(
        () ->
            request.settle(
                result.isSuccess() ? 0 : request.items(), "the exporter did not deliver it"));
  }

  /** Done once what was exported is settled, which OTLP exporters don't wait for. */
  @Override
  public CompletableResultCode flush() {
    return CompletableResultCode.ofAll(
        List.of(
            SpanPipeline.guarded(guard, "MetricExporter.flush", exporter::flush), ledger.flush()));
  }

  @Override
  public CompletableResultCode shutdown() {
    return SpanPipeline.guarded(guard, "MetricExporter.shutdown", exporter::shutdown);
  }

  @Override
  public AggregationTemporality getAggregationTemporality(InstrumentType instrumentType) {
    return exporter.getAggregationTemporality(instrumentType);
  }

  @Override
  public Aggregation getDefaultAggregation(InstrumentType instrumentType) {
    return exporter.getDefaultAggregation(instrumentType);
  }

  @Override
  public MemoryMode getMemoryMode() {
    return exporter.getMemoryMode();
  }

  @Override
  public String toString() {
    return "CountedMetrics{exporter=" + exporter + "}";
  }
}
