// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.MemoryMode;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import java.util.Collection;
import java.util.List;

/** Counts the metric points that an exporter is given, and what became of them. */
final class CountedMetrics implements MetricExporter {

  private final MetricExporter exporter;
  private final Ledger ledger;

  CountedMetrics(MetricExporter exporter, Ledger ledger) {
    this.exporter = exporter;
    this.ledger = ledger;
  }

  @Override
  public CompletableResultCode export(Collection<MetricData> metrics) {
    ledger.arrived(points(metrics));
    CompletableResultCode result = exportArrived(metrics);
    ledger.logDropped(false);
    return result;
  }

  private CompletableResultCode exportArrived(Collection<MetricData> metrics) {
    Request request = new Request(ledger, points(metrics), metrics.size() > 1);
    request.begin();
    CompletableResultCode result = CompletableResultCode.ofFailure();
    try {
      result = Suppression.call(() -> exporter.export(metrics));
    } finally {
      if (!request.end() && !request.isTooLarge()) {
        settleBy(result, request);
      }
    }
    if (request.isTooLarge() && request.withdraw()) {
      List<MetricData> all = List.copyOf(metrics);
      int half = all.size() / 2;
      return CompletableResultCode.ofAll(
          List.of(
              exportArrived(all.subList(0, half)), exportArrived(all.subList(half, all.size()))));
    }
    return result;
  }

  private static int points(Collection<MetricData> metrics) {
    int points = 0;
    for (MetricData metric : metrics) {
      points += metric.getData().getPoints().size();
    }
    return points;
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
    return CompletableResultCode.ofAll(List.of(exporter.flush(), ledger.flush()));
  }

  @Override
  public CompletableResultCode shutdown() {
    return exporter.shutdown();
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
