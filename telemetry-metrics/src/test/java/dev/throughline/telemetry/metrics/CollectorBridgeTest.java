// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.metrics.data.DoublePointData;
import io.opentelemetry.sdk.metrics.data.ExponentialHistogramPointData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.metrics.data.SummaryPointData;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.core.metrics.StateSet;
import io.prometheus.metrics.core.metrics.Summary;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.Unit;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is registered with the Prometheus client, as exporters get it. */
class CollectorBridgeTest {

  @RegisterExtension static final TelemetryExtension log = TelemetryExtension.create();

  private final MountedService service = new MountedService();

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void counters() {
    long before = System.currentTimeMillis();
    Counter.builder()
        .name("sol_sessions_total")
        .help("Sessions")
        .labelNames("bmc_type")
        .register(service.registry)
        .labelValues("ipmi")
        .inc(2);

    MetricData metric = pushed("sol_sessions_total");
    assertThat(metric.getDescription()).isEqualTo("Sessions");
    assertThat(metric.getInstrumentationScopeInfo().getName()).isEqualTo("io.prometheus.metrics");
    assertThat(metric.getResource().getAttribute(AttributeKey.stringKey("service.name")))
        .isEqualTo("bmc-gateway");
    assertThat(metric.getDoubleSumData().isMonotonic()).isTrue();
    DoublePointData point = metric.getDoubleSumData().getPoints().iterator().next();
    assertThat(point.getValue()).isEqualTo(2);
    assertThat(point.getAttributes())
        .isEqualTo(Attributes.of(AttributeKey.stringKey("bmc_type"), "ipmi"));
    assertThat(point.getStartEpochNanos() / 1_000_000).isBetween(before, before + 60_000);
    assertThat(point.getEpochNanos()).isGreaterThanOrEqualTo(point.getStartEpochNanos());
  }

  @Test
  void exemplars() {
    Counter counter = Counter.builder().name("sol_sessions").register(service.registry);
    Histogram histogram =
        Histogram.builder().name("sol_connect_seconds").register(service.registry);
    String traceId =
        service
            .telemetry
            .span("sol.connect")
            .call(
                span -> {
                  counter.inc();
                  histogram.observe(0.2);
                  return span.span().getSpanContext().getTraceId();
                });

    assertThat(pushed("sol_sessions_total").getDoubleSumData().getPoints())
        .flatExtracting(DoublePointData::getExemplars)
        .singleElement()
        .satisfies(
            exemplar -> assertThat(exemplar.getSpanContext().getTraceId()).isEqualTo(traceId));
    assertThat(pushed("sol_connect_seconds").getHistogramData().getPoints())
        .flatExtracting(HistogramPointData::getExemplars)
        .singleElement()
        .satisfies(
            exemplar -> assertThat(exemplar.getSpanContext().getTraceId()).isEqualTo(traceId));
  }

  @Test
  void gauges() {
    Gauge.builder().name("memory_bytes").unit(Unit.BYTES).register(service.registry).set(5);

    MetricData metric = pushed("memory_bytes");
    assertThat(metric.getUnit()).isEqualTo("By");
    assertThat(metric.getType()).isEqualTo(MetricDataType.DOUBLE_GAUGE);
    assertThat(values(metric)).containsExactly(5.0);
  }

  @Test
  void histogramsKeepTheBucketsThatPrometheusShows() {
    Histogram histogram =
        Histogram.builder()
            .name("connect_seconds")
            .classicUpperBounds(0.1, 1)
            .register(service.registry);
    histogram.observe(0.05);
    histogram.observe(0.5);
    histogram.observe(7);

    HistogramPointData point =
        pushed("connect_seconds").getHistogramData().getPoints().iterator().next();
    assertThat(point.getBoundaries()).containsExactly(0.1, 1.0);
    assertThat(point.getCounts()).containsExactly(1L, 1L, 1L);
    assertThat(point.getCount()).isEqualTo(3);
    assertThat(point.getSum()).isEqualTo(7.55);
  }

  @Test
  void nativeHistogramsAreExponential() {
    Histogram histogram =
        Histogram.builder()
            .name("connect_seconds")
            .nativeOnly()
            .nativeInitialSchema(0)
            .register(service.registry);
    // With base 2: (0.5, 1], (1, 2] and (4, 8].
    histogram.observe(1);
    histogram.observe(1.5);
    histogram.observe(8);
    histogram.observe(-3);
    histogram.observe(0);

    ExponentialHistogramPointData point =
        pushed("connect_seconds").getExponentialHistogramData().getPoints().iterator().next();
    assertThat(point.getScale()).isZero();
    assertThat(point.getPositiveBuckets().getOffset()).isEqualTo(-1);
    assertThat(point.getPositiveBuckets().getBucketCounts()).containsExactly(1L, 1L, 0L, 1L);
    assertThat(point.getNegativeBuckets().getOffset()).isEqualTo(1);
    assertThat(point.getNegativeBuckets().getBucketCounts()).containsExactly(1L);
    assertThat(point.getZeroCount()).isEqualTo(1);
    assertThat(point.getCount()).isEqualTo(5);
    assertThat(point.getSum()).isEqualTo(7.5);
  }

  @Test
  void summaries() {
    Summary summary = Summary.builder().name("transfer").quantile(0.5).register(service.registry);
    summary.observe(4);

    SummaryPointData point = pushed("transfer").getSummaryData().getPoints().iterator().next();
    assertThat(point.getCount()).isEqualTo(1);
    assertThat(point.getSum()).isEqualTo(4);
    assertThat(point.getValues())
        .singleElement()
        .satisfies(value -> assertThat(value.getValue()).isEqualTo(4));
  }

  @Test
  void infosStatesAndUnknownsAreGauges() {
    Info.builder()
        .name("build_info")
        .labelNames("version")
        .register(service.registry)
        .addLabelValues("1.2");
    StateSet.builder().name("mode").states("on", "off").register(service.registry).setTrue("off");
    service.registry.register(
        (Collector)
            () ->
                UnknownSnapshot.builder()
                    .name("other")
                    .dataPoint(UnknownSnapshot.UnknownDataPointSnapshot.builder().value(3).build())
                    .build());

    assertThat(values(pushed("build_info"))).containsExactly(1.0);
    assertThat(pushed("mode").getDoubleGaugeData().getPoints())
        .extracting(
            point -> point.getAttributes().get(AttributeKey.stringKey("mode")),
            DoublePointData::getValue)
        .containsExactlyInAnyOrder(tuple("off", 1.0), tuple("on", 0.0));
    assertThat(values(pushed("other"))).containsExactly(3.0);
    assertThat(service.scrape().series())
        .containsEntry("build_info{version=\"1.2\"}", 1.0)
        .containsEntry("mode{mode=\"off\"}", 1.0)
        .containsEntry("other", 3.0);
  }

  @Test
  void histogramsOfGaugesAreOnlyShown() {
    service.registry.register(
        (Collector)
            () ->
                HistogramSnapshot.builder()
                    .name("ages")
                    .gaugeHistogram(true)
                    .dataPoint(
                        HistogramSnapshot.HistogramDataPointSnapshot.builder()
                            .classicHistogramBuckets(
                                ClassicHistogramBuckets.builder()
                                    .bucket(Double.POSITIVE_INFINITY, 1)
                                    .build())
                            .labels(Labels.EMPTY)
                            .build())
                    .build());

    assertThat(service.scrape().series()).containsKey("ages_bucket{le=\"+Inf\"}");
    assertThat(service.pushed.collectAllMetrics())
        .extracting(MetricData::getName)
        .contains("throughline.scrapes")
        .doesNotContain("ages");
  }

  private static List<Double> values(MetricData metric) {
    return metric.getDoubleGaugeData().getPoints().stream().map(DoublePointData::getValue).toList();
  }

  private MetricData pushed(String name) {
    return service.pushed.collectAllMetrics().stream()
        .filter(metric -> metric.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
