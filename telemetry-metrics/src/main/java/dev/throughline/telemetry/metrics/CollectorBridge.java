// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.DoubleExemplarData;
import io.opentelemetry.sdk.metrics.data.DoublePointData;
import io.opentelemetry.sdk.metrics.data.ExponentialHistogramBuckets;
import io.opentelemetry.sdk.metrics.data.ExponentialHistogramData;
import io.opentelemetry.sdk.metrics.data.ExponentialHistogramPointData;
import io.opentelemetry.sdk.metrics.data.GaugeData;
import io.opentelemetry.sdk.metrics.data.HistogramData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.SumData;
import io.opentelemetry.sdk.metrics.data.SummaryData;
import io.opentelemetry.sdk.metrics.data.SummaryPointData;
import io.opentelemetry.sdk.metrics.data.ValueAtQuantile;
import io.opentelemetry.sdk.metrics.export.MetricProducer;
import io.opentelemetry.sdk.metrics.internal.data.ImmutableHistogramPointData;
import io.opentelemetry.sdk.metrics.internal.data.ImmutableMetricData;
import io.opentelemetry.sdk.resources.Resource;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Exemplar;
import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Label;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import io.prometheus.metrics.model.snapshots.Quantile;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot.StateSetDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Unit;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot.UnknownDataPointSnapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Gives exporters what the service registered with the Prometheus client, under the names and
 * labels that Prometheus shows. The client's own exporter for this brings OpenTelemetry's incubator
 * and resource providers with it.
 *
 * <p>Alone here in its use of OpenTelemetry's internals, which another version may have moved:
 * {@code CollectorBridgeTest} fails then.
 */
final class CollectorBridge implements MetricProducer {

  private static final InstrumentationScopeInfo SCOPE =
      InstrumentationScopeInfo.create("io.prometheus.metrics");
  private static final AggregationTemporality CUMULATIVE = AggregationTemporality.CUMULATIVE;

  private final ExistingCollectors existing;
  private final PulledMetrics pulled;
  private final Guard guard;
  private final long startMillis = System.currentTimeMillis();

  CollectorBridge(ExistingCollectors existing, PulledMetrics pulled, Guard guard) {
    this.existing = existing;
    this.pulled = pulled;
    this.guard = guard;
  }

  @Override
  public Collection<MetricData> produce(Resource resource) {
    if (pulled.isCollecting()) {
      // Shows them itself, as they are.
      return List.of();
    }
    List<MetricData> metrics = new ArrayList<>();
    long now = System.currentTimeMillis();
    for (MetricSnapshot snapshot : existing.collect(null)) {
      try {
        MetricData metric = convert(snapshot, resource, now);
        if (metric != null) {
          metrics.add(metric);
        }
      } catch (Throwable t) {
        guard.caught("CollectorBridge.convert", t);
      }
    }
    return metrics;
  }

  /** Null for what OTLP has nothing for, a histogram of gauges, and for what has no points. */
  private @Nullable MetricData convert(MetricSnapshot snapshot, Resource resource, long now) {
    if (snapshot.getDataPoints().isEmpty()) {
      return null;
    }
    String name = snapshot.getMetadata().getPrometheusName();
    String help = snapshot.getMetadata().getHelp();
    String description = help == null ? "" : help;
    String unit = unit(snapshot.getMetadata().getUnit());
    if (snapshot instanceof CounterSnapshot counter) {
      return ImmutableMetricData.createDoubleSum(
          resource,
          SCOPE,
          name + "_total",
          description,
          unit,
          SumData.createDoubleSumData(true, CUMULATIVE, counters(counter, now)));
    } else if (snapshot instanceof HistogramSnapshot histogram) {
      return histogram.isGaugeHistogram()
          ? null
          : histogram(histogram, resource, name, description, unit, now);
    } else if (snapshot instanceof SummarySnapshot summary) {
      return ImmutableMetricData.createDoubleSummary(
          resource, SCOPE, name, description, unit, SummaryData.create(summaries(summary, now)));
    }
    return ImmutableMetricData.createDoubleGauge(
        resource,
        SCOPE,
        snapshot instanceof InfoSnapshot ? name + "_info" : name,
        description,
        unit,
        GaugeData.createDoubleGaugeData(gauges(snapshot, name, now)));
  }

  private List<DoublePointData> counters(CounterSnapshot counter, long now) {
    List<DoublePointData> points = new ArrayList<>();
    for (CounterDataPointSnapshot point : counter.getDataPoints()) {
      Exemplar exemplar = point.getExemplar();
      points.add(
          DoublePointData.create(
              start(point),
              end(point, now),
              attributes(point.getLabels()),
              point.getValue(),
              exemplar == null ? List.of() : List.of(exemplar(exemplar))));
    }
    return points;
  }

  private List<DoublePointData> gauges(MetricSnapshot snapshot, String name, long now) {
    if (snapshot instanceof GaugeSnapshot gauge) {
      return gauges(gauge.getDataPoints(), GaugeDataPointSnapshot::getValue, now);
    } else if (snapshot instanceof UnknownSnapshot unknown) {
      return gauges(unknown.getDataPoints(), UnknownDataPointSnapshot::getValue, now);
    } else if (snapshot instanceof InfoSnapshot info) {
      return gauges(info.getDataPoints(), (InfoDataPointSnapshot point) -> 1, now);
    }
    List<DoublePointData> points = new ArrayList<>();
    for (StateSetDataPointSnapshot point : ((StateSetSnapshot) snapshot).getDataPoints()) {
      for (int i = 0; i < point.size(); i++) {
        Attributes attributes =
            attributes(point.getLabels()).toBuilder().put(name, point.getName(i)).build();
        points.add(gauge(point, attributes, point.isTrue(i) ? 1 : 0, now));
      }
    }
    return points;
  }

  private <P extends DataPointSnapshot> List<DoublePointData> gauges(
      List<P> snapshots, ToDoubleFunction<P> value, long now) {
    List<DoublePointData> points = new ArrayList<>();
    for (P point : snapshots) {
      points.add(gauge(point, attributes(point.getLabels()), value.applyAsDouble(point), now));
    }
    return points;
  }

  private DoublePointData gauge(
      DataPointSnapshot point, Attributes attributes, double value, long now) {
    return DoublePointData.create(start(point), end(point, now), attributes, value, List.of());
  }

  private List<SummaryPointData> summaries(SummarySnapshot summary, long now) {
    List<SummaryPointData> points = new ArrayList<>();
    for (SummaryDataPointSnapshot point : summary.getDataPoints()) {
      List<ValueAtQuantile> quantiles = new ArrayList<>();
      for (Quantile quantile : point.getQuantiles()) {
        quantiles.add(ValueAtQuantile.create(quantile.getQuantile(), quantile.getValue()));
      }
      points.add(
          SummaryPointData.create(
              start(point),
              end(point, now),
              attributes(point.getLabels()),
              point.hasCount() ? point.getCount() : 0,
              point.hasSum() ? point.getSum() : 0,
              quantiles));
    }
    return points;
  }

  /** With the buckets that the text formats show, and the native ones where there are no others. */
  private MetricData histogram(
      HistogramSnapshot histogram,
      Resource resource,
      String name,
      String description,
      String unit,
      long now) {
    if (histogram.getDataPoints().get(0).hasClassicHistogramData()) {
      List<HistogramPointData> points = new ArrayList<>();
      for (HistogramDataPointSnapshot point : histogram.getDataPoints()) {
        points.add(classic(point, now));
      }
      return ImmutableMetricData.createDoubleHistogram(
          resource, SCOPE, name, description, unit, HistogramData.create(CUMULATIVE, points));
    }
    List<ExponentialHistogramPointData> points = new ArrayList<>();
    for (HistogramDataPointSnapshot point : histogram.getDataPoints()) {
      points.add(exponential(point, now));
    }
    return ImmutableMetricData.createExponentialHistogram(
        resource,
        SCOPE,
        name,
        description,
        unit,
        ExponentialHistogramData.create(CUMULATIVE, points));
  }

  private HistogramPointData classic(HistogramDataPointSnapshot point, long now) {
    ClassicHistogramBuckets buckets = point.getClassicBuckets();
    List<Double> boundaries = new ArrayList<>();
    List<Long> counts = new ArrayList<>();
    for (int i = 0; i < buckets.size(); i++) {
      counts.add(buckets.getCount(i));
      if (buckets.getUpperBound(i) != Double.POSITIVE_INFINITY) {
        boundaries.add(buckets.getUpperBound(i));
      }
    }
    return ImmutableHistogramPointData.create(
        start(point),
        end(point, now),
        attributes(point.getLabels()),
        point.hasSum() ? point.getSum() : 0,
        false,
        0,
        false,
        0,
        boundaries,
        counts,
        exemplars(point.getExemplars()));
  }

  private ExponentialHistogramPointData exponential(HistogramDataPointSnapshot point, long now) {
    int scale = point.getNativeSchema();
    return ExponentialHistogramPointData.create(
        scale,
        point.hasSum() ? point.getSum() : 0,
        point.getNativeZeroCount(),
        false,
        0,
        false,
        0,
        buckets(scale, point.getNativeBucketsForPositiveValues()),
        buckets(scale, point.getNativeBucketsForNegativeValues()),
        start(point),
        end(point, now),
        attributes(point.getLabels()),
        exemplars(point.getExemplars()));
  }

  /**
   * Prometheus lists the buckets that have a count, by their upper bound; OTLP all, by the lower.
   */
  private static ExponentialHistogramBuckets buckets(int scale, NativeHistogramBuckets buckets) {
    if (buckets.size() == 0) {
      return ExponentialHistogramBuckets.create(scale, 0, List.of());
    }
    int first = buckets.getBucketIndex(0);
    List<Long> counts = new ArrayList<>();
    for (int i = 0; i < buckets.size(); i++) {
      while (first + counts.size() < buckets.getBucketIndex(i)) {
        counts.add(0L);
      }
      counts.add(buckets.getCount(i));
    }
    return ExponentialHistogramBuckets.create(scale, first - 1, counts);
  }

  private static List<DoubleExemplarData> exemplars(Exemplars exemplars) {
    List<DoubleExemplarData> converted = new ArrayList<>();
    for (Exemplar exemplar : exemplars) {
      converted.add(exemplar(exemplar));
    }
    return converted;
  }

  private static DoubleExemplarData exemplar(Exemplar exemplar) {
    String traceId = exemplar.getLabels().get(Exemplar.TRACE_ID);
    String spanId = exemplar.getLabels().get(Exemplar.SPAN_ID);
    AttributesBuilder others = Attributes.builder();
    for (Label label : exemplar.getLabels()) {
      if (!label.getName().equals(Exemplar.TRACE_ID) && !label.getName().equals(Exemplar.SPAN_ID)) {
        others.put(label.getName(), label.getValue());
      }
    }
    return DoubleExemplarData.create(
        others.build(),
        TimeUnit.MILLISECONDS.toNanos(exemplar.getTimestampMillis()),
        traceId == null || spanId == null
            ? SpanContext.getInvalid()
            : SpanContext.create(traceId, spanId, TraceFlags.getSampled(), TraceState.getDefault()),
        exemplar.getValue());
  }

  private static Attributes attributes(Labels labels) {
    AttributesBuilder attributes = Attributes.builder();
    for (Label label : labels) {
      attributes.put(label.getName(), label.getValue());
    }
    return attributes.build();
  }

  private long start(DataPointSnapshot point) {
    return TimeUnit.MILLISECONDS.toNanos(
        point.hasCreatedTimestamp() ? point.getCreatedTimestampMillis() : startMillis);
  }

  private static long end(DataPointSnapshot point, long now) {
    return TimeUnit.MILLISECONDS.toNanos(
        point.hasScrapeTimestamp() ? point.getScrapeTimestampMillis() : now);
  }

  /** The unit as OTLP spells it; others go as they are. */
  private static String unit(@Nullable Unit unit) {
    if (unit == null) {
      return "";
    }
    return switch (unit.toString()) {
      case "seconds" -> "s";
      case "bytes" -> "By";
      case "ratio" -> "1";
      default -> unit.toString();
    };
  }
}
