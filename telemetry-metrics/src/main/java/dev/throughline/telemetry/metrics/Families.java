// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.metrics.NameClaims.Claim;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.PrometheusNaming;
import io.prometheus.metrics.model.snapshots.SnapshotEscaper;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.Unit;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The metrics of one scrape: one for each name, from however many sources. */
final class Families {

  private static final String TOTAL = "_total";

  private final NameClaims claims;
  private final Map<String, Family> families = new LinkedHashMap<>();

  private record Family(MetricSnapshot snapshot, String source) {}

  Families(NameClaims claims) {
    this.claims = claims;
  }

  /** Adds an instrument, as OpenTelemetry's exporter translated it. */
  void add(MetricData metric, MetricSnapshot snapshot, Names names) {
    String scope = metric.getInstrumentationScopeInfo().getName();
    MetricMetadata given = snapshot.getMetadata();
    String name = given.getName();
    if (names == Names.KEPT && metric.getName().indexOf('.') < 0) {
      // Prometheus 3 takes any name, Prometheus 2 does not: the same for both.
      name = PrometheusNaming.prometheusName(metric.getName());
      if (snapshot instanceof CounterSnapshot && name.endsWith(TOTAL)) {
        name = name.substring(0, name.length() - TOTAL.length());
      }
    }
    String help = given.getHelp();
    MetricMetadata.Builder metadata =
        MetricMetadata.builder()
            .name(name)
            .help(help == null || help.isEmpty() ? "Recorded by " + scope : help);
    Unit unit = given.getUnit();
    // With "_" in it, the escaping scheme "dots" has the client append it a second time.
    if (unit != null && name.endsWith("_" + unit) && unit.toString().indexOf('_') < 0) {
      metadata.unit(unit);
    }
    if (snapshot instanceof CounterSnapshot && name.endsWith(TOTAL)) {
      // Of x_total_total the client would make x_total.
      metadata.expositionBaseName(name + TOTAL);
    }
    MetricSnapshot named = with(metadata.build(), snapshot.getDataPoints(), snapshot);
    Claim claim =
        new Claim(
            metric.getName(),
            scope,
            named.getMetadata().getPrometheusName(),
            type(snapshot),
            metric.getUnit());
    if (claims.claim(claim, seriesNames(named))) {
      put(named, claim.who());
    }
  }

  /** Adds what the Prometheus client collected. */
  void add(MetricSnapshot snapshot, String source) {
    MetricMetadata metadata = snapshot.getMetadata();
    Claim claim =
        new Claim(
            metadata.getOriginalName(), source, metadata.getPrometheusName(), type(snapshot), "");
    if (claims.claimShown(claim, seriesNames(snapshot))) {
      put(snapshot, claim.who());
    }
  }

  /** All that can be written in an escaping scheme; what can't would cost the whole scrape. */
  MetricSnapshots snapshots(EscapingScheme scheme) {
    List<MetricSnapshot> snapshots = new ArrayList<>();
    for (Family family : families.values()) {
      try {
        SnapshotEscaper.escapeMetricSnapshot(family.snapshot, scheme);
        snapshots.add(family.snapshot);
      } catch (IllegalArgumentException e) {
        claims.tellUnwritable(family.source, "in the escaping scheme " + scheme.getValue(), e);
      }
    }
    return new MetricSnapshots(snapshots);
  }

  private void put(MetricSnapshot snapshot, String source) {
    families.merge(
        snapshot.getMetadata().getPrometheusName(), new Family(snapshot, source), this::merge);
  }

  private Family merge(Family first, Family second) {
    MetricMetadata metadata = first.snapshot.getMetadata();
    List<DataPointSnapshot> points = new ArrayList<>(first.snapshot.getDataPoints());
    Set<Labels> labels = new HashSet<>();
    points.forEach(point -> labels.add(shown(point.getLabels())));
    for (DataPointSnapshot point : second.snapshot.getDataPoints()) {
      if (labels.add(shown(point.getLabels()))) {
        points.add(point);
      } else {
        claims.tellSameLabels(metadata.getPrometheusName(), first.source, second.source);
      }
    }
    return new Family(with(metadata, points, first.snapshot), first.source);
  }

  /** Labels as the oldest format shows them, in which two may be the same. */
  private static Labels shown(Labels labels) {
    return SnapshotEscaper.escapeLabels(labels, EscapingScheme.UNDERSCORE_ESCAPING);
  }

  private static String type(MetricSnapshot snapshot) {
    String type = snapshot.getClass().getSimpleName().replace("Snapshot", "");
    boolean gauge = snapshot instanceof HistogramSnapshot histogram && histogram.isGaugeHistogram();
    return (gauge ? "gauge " : "") + type.toLowerCase(Locale.ROOT);
  }

  /** The names of the series in the text formats. */
  private static List<String> seriesNames(MetricSnapshot snapshot) {
    String name = snapshot.getMetadata().getPrometheusName();
    if (snapshot instanceof CounterSnapshot) {
      return List.of(name + TOTAL);
    } else if (snapshot instanceof InfoSnapshot) {
      return List.of(name + "_info");
    } else if (snapshot instanceof HistogramSnapshot histogram) {
      return histogram.isGaugeHistogram()
          ? List.of(name + "_bucket", name + "_gcount", name + "_gsum")
          : List.of(name + "_bucket", name + "_count", name + "_sum");
    } else if (snapshot instanceof SummarySnapshot) {
      return List.of(name, name + "_count", name + "_sum");
    }
    return List.of(name);
  }

  /** A snapshot of the same type; the points are of that type, as claims have seen to. */
  @SuppressWarnings("unchecked") // a snapshot's points have one type, which Java can't see here
  private static MetricSnapshot with(
      MetricMetadata metadata, Collection<? extends DataPointSnapshot> points, MetricSnapshot as) {
    if (as instanceof CounterSnapshot) {
      return new CounterSnapshot(
          metadata, (Collection<CounterSnapshot.CounterDataPointSnapshot>) points);
    } else if (as instanceof GaugeSnapshot) {
      return new GaugeSnapshot(metadata, (Collection<GaugeSnapshot.GaugeDataPointSnapshot>) points);
    } else if (as instanceof HistogramSnapshot histogram) {
      return new HistogramSnapshot(
          histogram.isGaugeHistogram(),
          metadata,
          (Collection<HistogramSnapshot.HistogramDataPointSnapshot>) points);
    } else if (as instanceof SummarySnapshot) {
      return new SummarySnapshot(
          metadata, (Collection<SummarySnapshot.SummaryDataPointSnapshot>) points);
    } else if (as instanceof InfoSnapshot) {
      return new InfoSnapshot(metadata, (Collection<InfoSnapshot.InfoDataPointSnapshot>) points);
    } else if (as instanceof StateSetSnapshot) {
      return new StateSetSnapshot(
          metadata, (Collection<StateSetSnapshot.StateSetDataPointSnapshot>) points);
    }
    return new UnknownSnapshot(
        metadata, (Collection<UnknownSnapshot.UnknownDataPointSnapshot>) points);
  }
}
