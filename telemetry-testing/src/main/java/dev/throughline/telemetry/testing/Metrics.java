// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.DoublePointData;
import io.opentelemetry.sdk.metrics.data.HistogramData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.PointData;
import io.opentelemetry.sdk.metrics.data.SumData;
import io.opentelemetry.sdk.metrics.export.DefaultAggregationSelector;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.opentelemetry.sdk.metrics.internal.data.ImmutableDoublePointData;
import io.opentelemetry.sdk.metrics.internal.data.ImmutableHistogramPointData;
import io.opentelemetry.sdk.metrics.internal.data.ImmutableLongPointData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.metrics.TestMetricData;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BinaryOperator;
import java.util.function.Predicate;

/**
 * What instruments recorded since the test began; alone here in its use of OpenTelemetry's
 * internals, for points that are added up. An instrument lives longer than a test and can't be
 * cleared, so its deltas are collected and added up; what is observed is as it was observed last.
 */
final class Metrics {

  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final InMemoryMetricReader reader =
      InMemoryMetricReader.create(Metrics::temporality, DefaultAggregationSelector.getDefault());
  private final Map<String, MetricData> collected = new LinkedHashMap<>();

  MetricReader reader() {
    return reader;
  }

  synchronized void clear() {
    reader.collectAllMetrics();
    collected.clear();
  }

  synchronized List<MetricData> collect() {
    for (MetricData metric : reader.collectAllMetrics()) {
      collected.merge(
          metric.getInstrumentationScopeInfo().getName() + ' ' + metric.getName(),
          metric,
          Metrics::add);
    }
    return List.copyOf(collected.values());
  }

  MetricData await(String name, Predicate<? super MetricData> until, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      List<MetricData> named =
          collect().stream().filter(metric -> metric.getName().equals(name)).toList();
      for (MetricData metric : named) {
        if (until.test(metric)) {
          return metric;
        }
      }
      if (System.nanoTime() > deadline || Thread.currentThread().isInterrupted()) {
        throw new AssertionError(
            "Waited %s ms for the metric %s. Recorded: %s."
                .formatted(
                    timeout.toMillis(),
                    named.isEmpty() ? name : name + " to be as asked for",
                    named.isEmpty()
                        ? collect().stream().map(MetricData::getName).toList()
                        : named));
      }
      // Nothing tells that an instrument has recorded.
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private static AggregationTemporality temporality(InstrumentType type) {
    return switch (type) {
      case OBSERVABLE_COUNTER, OBSERVABLE_UP_DOWN_COUNTER, OBSERVABLE_GAUGE ->
          AggregationTemporality.CUMULATIVE;
      default -> AggregationTemporality.DELTA;
    };
  }

  private static MetricData add(MetricData before, MetricData since) {
    TestMetricData.Builder sum =
        TestMetricData.builder()
            .setResource(since.getResource())
            .setInstrumentationScopeInfo(since.getInstrumentationScopeInfo())
            .setName(since.getName())
            .setDescription(since.getDescription())
            .setUnit(since.getUnit());
    switch (since.getType()) {
      case LONG_SUM -> {
        SumData<LongPointData> data = since.getLongSumData();
        if (data.getAggregationTemporality() == AggregationTemporality.CUMULATIVE) {
          return since;
        }
        return sum.setLongSumData(
                SumData.createLongSumData(
                    data.isMonotonic(),
                    data.getAggregationTemporality(),
                    add(before.getLongSumData().getPoints(), data.getPoints(), Metrics::add)))
            .build();
      }
      case DOUBLE_SUM -> {
        SumData<DoublePointData> data = since.getDoubleSumData();
        if (data.getAggregationTemporality() == AggregationTemporality.CUMULATIVE) {
          return since;
        }
        return sum.setDoubleSumData(
                SumData.createDoubleSumData(
                    data.isMonotonic(),
                    data.getAggregationTemporality(),
                    add(before.getDoubleSumData().getPoints(), data.getPoints(), Metrics::add)))
            .build();
      }
      case HISTOGRAM -> {
        HistogramData data = since.getHistogramData();
        return sum.setHistogramData(
                HistogramData.create(
                    data.getAggregationTemporality(),
                    add(before.getHistogramData().getPoints(), data.getPoints(), Metrics::add)))
            .build();
      }
      default -> {
        return since;
      }
    }
  }

  // The points' own factories are internal, since the public ones take no exemplars.

  /** The points of both, those with the same attributes as one. */
  private static <P extends PointData> Collection<P> add(
      Collection<P> before, Collection<P> since, BinaryOperator<P> add) {
    Map<Object, P> points = new LinkedHashMap<>();
    before.forEach(point -> points.put(point.getAttributes(), point));
    since.forEach(point -> points.merge(point.getAttributes(), point, add));
    return points.values();
  }

  private static LongPointData add(LongPointData before, LongPointData since) {
    return ImmutableLongPointData.create(
        before.getStartEpochNanos(),
        since.getEpochNanos(),
        since.getAttributes(),
        before.getValue() + since.getValue(),
        both(before.getExemplars(), since.getExemplars()));
  }

  private static DoublePointData add(DoublePointData before, DoublePointData since) {
    return ImmutableDoublePointData.create(
        before.getStartEpochNanos(),
        since.getEpochNanos(),
        since.getAttributes(),
        before.getValue() + since.getValue(),
        both(before.getExemplars(), since.getExemplars()));
  }

  private static HistogramPointData add(HistogramPointData before, HistogramPointData since) {
    List<Long> counts = new ArrayList<>();
    for (int i = 0; i < since.getCounts().size(); i++) {
      counts.add(before.getCounts().get(i) + since.getCounts().get(i));
    }
    return ImmutableHistogramPointData.create(
        before.getStartEpochNanos(),
        since.getEpochNanos(),
        since.getAttributes(),
        before.getSum() + since.getSum(),
        since.hasMin(),
        Math.min(before.getMin(), since.getMin()),
        since.hasMax(),
        Math.max(before.getMax(), since.getMax()),
        since.getBoundaries(),
        counts,
        both(before.getExemplars(), since.getExemplars()));
  }

  private static <E> List<E> both(List<E> before, List<E> since) {
    List<E> all = new ArrayList<>(before);
    all.addAll(since);
    return all;
  }
}
