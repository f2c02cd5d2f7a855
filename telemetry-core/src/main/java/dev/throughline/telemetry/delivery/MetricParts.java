// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.metrics.data.Data;
import io.opentelemetry.sdk.metrics.data.ExponentialHistogramData;
import io.opentelemetry.sdk.metrics.data.GaugeData;
import io.opentelemetry.sdk.metrics.data.HistogramData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.metrics.data.PointData;
import io.opentelemetry.sdk.metrics.data.SumData;
import io.opentelemetry.sdk.metrics.data.SummaryData;
import io.opentelemetry.sdk.resources.Resource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Metrics of one export, divided between their points. */
final class MetricParts {

  private final int pointsOfPart;
  private final List<List<MetricData>> parts = new ArrayList<>();
  private List<MetricData> part = new ArrayList<>();
  private int points;

  private MetricParts(int pointsOfPart) {
    this.pointsOfPart = pointsOfPart;
  }

  static int points(Collection<MetricData> metrics) {
    int points = 0;
    for (MetricData metric : metrics) {
      points += metric.getData().getPoints().size();
    }
    return points;
  }

  /**
   * Divides them; a metric is cut if it has more points than a part.
   *
   * @param count how many parts of about the same number of points there are to be
   */
  static List<List<MetricData>> of(Collection<MetricData> metrics, int count) {
    MetricParts divided = new MetricParts(Math.max(1, points(metrics) / count));
    metrics.forEach(divided::add);
    divided.close();
    return divided.parts;
  }

  private void add(MetricData metric) {
    int size = metric.getData().getPoints().size();
    if (points + size > pointsOfPart) {
      close();
    }
    if (size <= pointsOfPart) {
      part.add(metric);
      points += size;
      return;
    }
    for (int from = 0; from < size; from += pointsOfPart) {
      part.add(new Cut(metric, cut(metric, from, Math.min(size, from + pointsOfPart))));
      close();
    }
  }

  private void close() {
    if (!part.isEmpty()) {
      parts.add(part);
    }
    part = new ArrayList<>();
    points = 0;
  }

  private static Data<?> cut(MetricData metric, int from, int to) {
    return switch (metric.getType()) {
      case LONG_GAUGE ->
          GaugeData.createLongGaugeData(cut(metric.getLongGaugeData().getPoints(), from, to));
      case DOUBLE_GAUGE ->
          GaugeData.createDoubleGaugeData(cut(metric.getDoubleGaugeData().getPoints(), from, to));
      case LONG_SUM ->
          SumData.createLongSumData(
              metric.getLongSumData().isMonotonic(),
              metric.getLongSumData().getAggregationTemporality(),
              cut(metric.getLongSumData().getPoints(), from, to));
      case DOUBLE_SUM ->
          SumData.createDoubleSumData(
              metric.getDoubleSumData().isMonotonic(),
              metric.getDoubleSumData().getAggregationTemporality(),
              cut(metric.getDoubleSumData().getPoints(), from, to));
      case SUMMARY -> SummaryData.create(cut(metric.getSummaryData().getPoints(), from, to));
      case HISTOGRAM ->
          HistogramData.create(
              metric.getHistogramData().getAggregationTemporality(),
              cut(metric.getHistogramData().getPoints(), from, to));
      case EXPONENTIAL_HISTOGRAM ->
          ExponentialHistogramData.create(
              metric.getExponentialHistogramData().getAggregationTemporality(),
              cut(metric.getExponentialHistogramData().getPoints(), from, to));
    };
  }

  private static <P extends PointData> List<P> cut(Collection<P> points, int from, int to) {
    return points.stream().skip(from).limit(to - from).toList();
  }

  /** A metric with some of its points. */
  private record Cut(MetricData of, Data<?> data) implements MetricData {

    @Override
    public Resource getResource() {
      return of.getResource();
    }

    @Override
    public InstrumentationScopeInfo getInstrumentationScopeInfo() {
      return of.getInstrumentationScopeInfo();
    }

    @Override
    public String getName() {
      return of.getName();
    }

    @Override
    public String getDescription() {
      return of.getDescription();
    }

    @Override
    public String getUnit() {
      return of.getUnit();
    }

    @Override
    public MetricDataType getType() {
      return of.getType();
    }

    @Override
    public Data<?> getData() {
      return data;
    }
  }
}
