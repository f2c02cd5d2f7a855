// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.metrics.NameClaims.Claim;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.Unit;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
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
      name = metric.getName();
      if (snapshot instanceof CounterSnapshot && name.endsWith(TOTAL)) {
        name = name.substring(0, name.length() - TOTAL.length());
      }
    }
    Unit unit = given.getUnit();
    String help = given.getHelp();
    MetricMetadata metadata =
        new MetricMetadata(
            name,
            help == null || help.isEmpty() ? "Recorded by " + scope : help,
            unit != null && name.endsWith("_" + unit) ? unit : null);
    Claim claim = new Claim(name, type(snapshot), metric.getUnit(), scope);
    // First the name that the WARN is to tell.
    Set<String> claimed = new LinkedHashSet<>(List.of(metric.getName()));
    claimed.addAll(seriesNames(metadata, snapshot));
    if (claims.claim(claimed, claim)) {
      put(with(metadata, snapshot.getDataPoints(), snapshot), scope);
    }
  }

  /** Adds what the Prometheus client collected. */
  void add(MetricSnapshot snapshot, String source) {
    MetricMetadata metadata = snapshot.getMetadata();
    Claim claim = new Claim(metadata.getPrometheusName(), type(snapshot), "", source);
    if (claims.claim(seriesNames(metadata, snapshot), claim)) {
      put(snapshot, source);
    }
  }

  MetricSnapshots snapshots() {
    List<MetricSnapshot> snapshots = new ArrayList<>();
    for (Family family : families.values()) {
      snapshots.add(family.snapshot);
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
    points.forEach(point -> labels.add(point.getLabels()));
    for (DataPointSnapshot point : second.snapshot.getDataPoints()) {
      if (labels.add(point.getLabels())) {
        points.add(point);
      } else {
        claims.tellSameLabels(metadata.getPrometheusName(), first.source, second.source);
      }
    }
    return new Family(with(metadata, points, first.snapshot), first.source);
  }

  private static String type(MetricSnapshot snapshot) {
    String type = snapshot.getClass().getSimpleName().replace("Snapshot", "");
    boolean gauge = snapshot instanceof HistogramSnapshot histogram && histogram.isGaugeHistogram();
    return (gauge ? "gauge " : "") + type.toLowerCase(Locale.ROOT);
  }

  /** The names that a metric has in the text formats, and its own. */
  private static Set<String> seriesNames(MetricMetadata metadata, MetricSnapshot snapshot) {
    String name = metadata.getPrometheusName();
    Set<String> names = new LinkedHashSet<>(List.of(name));
    if (snapshot instanceof CounterSnapshot) {
      names.add(name + TOTAL);
    } else if (snapshot instanceof InfoSnapshot) {
      names.add(name + "_info");
    } else if (snapshot instanceof HistogramSnapshot) {
      names.addAll(List.of(name + "_bucket", name + "_count", name + "_sum"));
    } else if (snapshot instanceof SummarySnapshot) {
      names.addAll(List.of(name + "_count", name + "_sum"));
    }
    return names;
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
