// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
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
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A metric without what OpenTelemetry's exporter makes no label of: there, one such attribute of
 * one point or of the resource costs the whole.
 */
record WritableMetric(MetricData metric, Resource resource, MetricDataType type, Data<?> data)
    implements MetricData {

  /** Without the points that have such an attribute. */
  static MetricData withPoints(MetricData metric) {
    return new WritableMetric(
        metric,
        metric.getResource(),
        metric.getType(),
        switch (metric.getType()) {
          case LONG_GAUGE ->
              GaugeData.createLongGaugeData(points(metric, metric.getLongGaugeData()));
          case DOUBLE_GAUGE ->
              GaugeData.createDoubleGaugeData(points(metric, metric.getDoubleGaugeData()));
          case LONG_SUM -> {
            SumData<?> sum = metric.getLongSumData();
            yield SumData.createLongSumData(
                sum.isMonotonic(),
                sum.getAggregationTemporality(),
                points(metric, metric.getLongSumData()));
          }
          case DOUBLE_SUM -> {
            SumData<?> sum = metric.getDoubleSumData();
            yield SumData.createDoubleSumData(
                sum.isMonotonic(),
                sum.getAggregationTemporality(),
                points(metric, metric.getDoubleSumData()));
          }
          case SUMMARY -> SummaryData.create(points(metric, metric.getSummaryData()));
          case HISTOGRAM ->
              HistogramData.create(
                  metric.getHistogramData().getAggregationTemporality(),
                  points(metric, metric.getHistogramData()));
          case EXPONENTIAL_HISTOGRAM ->
              ExponentialHistogramData.create(
                  metric.getExponentialHistogramData().getAggregationTemporality(),
                  points(metric, metric.getExponentialHistogramData()));
        });
  }

  /** The resource alone, without such attributes. */
  static MetricData ofResource(MetricData metric) {
    AttributesBuilder attributes = metric.getResource().getAttributes().toBuilder();
    attributes.removeIf(key -> !isLabel(key));
    return new WritableMetric(
        metric,
        Resource.create(attributes.build()),
        MetricDataType.DOUBLE_GAUGE,
        GaugeData.createDoubleGaugeData(List.of()));
  }

  /** The first such attribute; null where there is none. */
  static @Nullable String unwritable(MetricData metric) {
    for (PointData point : metric.getData().getPoints()) {
      for (AttributeKey<?> key : point.getAttributes().asMap().keySet()) {
        if (!isLabel(key) || isReserved(key, metric.getType())) {
          return key.getKey();
        }
      }
    }
    return null;
  }

  private static <P extends PointData> List<P> points(MetricData metric, Data<P> data) {
    Collection<P> points = data.getPoints();
    return points.stream().filter(point -> isWritable(point.getAttributes(), metric)).toList();
  }

  private static boolean isWritable(Attributes attributes, MetricData metric) {
    return attributes.asMap().keySet().stream()
        .allMatch(key -> isLabel(key) && !isReserved(key, metric.getType()));
  }

  /** Whatever is none of these becomes an underscore, and a label needs more than that. */
  private static boolean isLabel(AttributeKey<?> key) {
    return key.getKey().chars().anyMatch(c -> c < 128 && Character.isLetterOrDigit(c));
  }

  private static boolean isReserved(AttributeKey<?> key, MetricDataType type) {
    return switch (type) {
      case HISTOGRAM, EXPONENTIAL_HISTOGRAM -> key.getKey().equals("le");
      case SUMMARY -> key.getKey().equals("quantile");
      default -> false;
    };
  }

  @Override
  public Resource getResource() {
    return resource;
  }

  @Override
  public InstrumentationScopeInfo getInstrumentationScopeInfo() {
    return metric.getInstrumentationScopeInfo();
  }

  @Override
  public String getName() {
    return metric.getName();
  }

  @Override
  public String getDescription() {
    return metric.getDescription();
  }

  @Override
  public String getUnit() {
    return metric.getUnit();
  }

  @Override
  public MetricDataType getType() {
    return type;
  }

  @Override
  public Data<?> getData() {
    return data;
  }
}
