// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.exporter.prometheus.PrometheusMetricReader;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.exporter.common.PrometheusHttpRequest;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusScrapeRequest;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All that is pulled: a reader of the service's instruments, and the one collector of what is shown
 * to Prometheus. OpenTelemetry's exporter translates one metric at a time, so that one that it
 * can't translate costs only itself.
 */
final class PulledMetrics implements MetricReader, MultiCollector {

  private static final Logger logger = LoggerFactory.getLogger(PulledMetrics.class);
  private static final String EXISTING = "the Prometheus client's registry";

  private final ExistingCollectors existing;
  private final CardinalityWatch cardinality;
  private final Guard guard;
  private final Runnable onShutdown;
  private final LongAdder scrapes = new LongAdder();
  private final NameClaims claims = new NameClaims();
  private Names names = Names.KEPT;
  private @Nullable PrometheusMetricReader translator;
  private @Nullable PrometheusMetricReader resourceTranslator;
  private @Nullable CollectionRegistration instruments;
  private @Nullable MetricData translated;
  private @Nullable Thread collecting;
  private boolean warned;

  PulledMetrics(
      ExistingCollectors existing, CardinalityWatch cardinality, Guard guard, Runnable onShutdown) {
    this.existing = existing;
    this.cardinality = cardinality;
    this.guard = guard;
    this.onShutdown = onShutdown;
  }

  synchronized void setNames(Names names) {
    this.names = names;
  }

  long scrapes() {
    return scrapes.sum();
  }

  /** Whether the calling thread collects for this, and not for an exporter. */
  boolean isCollecting() {
    // Read without the lock, which the thread that collects holds.
    return collecting == Thread.currentThread();
  }

  @Override
  public synchronized void register(CollectionRegistration registration) {
    instruments = registration;
    translator = translator(false);
    resourceTranslator = translator(true);
  }

  private PrometheusMetricReader translator(boolean ofResource) {
    PrometheusMetricReader made =
        PrometheusMetricReader.builder()
            .setOtelScopeLabelsEnabled(names == Names.TRANSLATED)
            .setTargetInfoMetricEnabled(ofResource)
            .build();
    made.register(
        new CollectionRegistration() {
          @Override
          public Collection<MetricData> collectAllMetrics() {
            return List.of(requireNonNull(translated));
          }
        });
    return made;
  }

  @Override
  public MetricSnapshots collect() {
    return collectAll(null);
  }

  @Override
  public MetricSnapshots collect(PrometheusScrapeRequest request) {
    return collectAll(request);
  }

  private synchronized MetricSnapshots collectAll(@Nullable PrometheusScrapeRequest request) {
    scrapes.increment();
    Families families = new Families(claims);
    addInstruments(families);
    for (MetricSnapshot snapshot : existing.collect(request)) {
      add(families, snapshot, EXISTING);
    }
    return families.snapshots(
        request instanceof PrometheusHttpRequest http
            ? EscapingScheme.fromAcceptHeader(http.getHeader("Accept"))
            : EscapingScheme.DEFAULT);
  }

  private void addInstruments(Families families) {
    if (instruments == null || translator == null) {
      warnOnce();
      return;
    }
    List<MetricData> metrics = new ArrayList<>();
    collecting = Thread.currentThread();
    try {
      metrics.addAll(instruments.collectAllMetrics());
    } catch (Throwable t) {
      guard.caught("CollectionRegistration.collectAllMetrics", t);
    } finally {
      collecting = null;
    }
    // The SDK promises no order, and of two with the same labels it is always to be the same one.
    metrics.sort(Comparator.comparing(metric -> metric.getInstrumentationScopeInfo().getName()));
    if (!metrics.isEmpty()) {
      addResource(families, metrics.get(0));
    }
    for (MetricData metric : metrics) {
      try {
        cardinality.look(metric);
        translated = metric;
        MetricSnapshots snapshots = translator.collect();
        if (snapshots.size() == 0) {
          String attribute = WritableMetric.unwritable(metric);
          claims.tellUnwritable(
              metric.getName() + " of " + metric.getInstrumentationScopeInfo().getName(),
              attribute == null ? "whole" : "points with the attribute \"" + attribute + '"',
              null);
          translated = WritableMetric.withPoints(metric);
          snapshots = translator.collect();
        }
        for (MetricSnapshot snapshot : snapshots) {
          families.add(metric, snapshot, names);
        }
      } catch (Throwable t) {
        guard.caught("PrometheusMetricReader.collect", t);
      }
    }
    translated = null;
  }

  private void addResource(Families families, MetricData metric) {
    try {
      translated = WritableMetric.ofResource(metric);
      for (MetricSnapshot snapshot : requireNonNull(resourceTranslator).collect()) {
        if (snapshot instanceof InfoSnapshot) {
          families.add(snapshot, "the resource");
        }
      }
    } catch (Throwable t) {
      guard.caught("PrometheusMetricReader.collect", t);
    }
  }

  private void add(Families families, MetricSnapshot snapshot, String source) {
    try {
      families.add(snapshot, source);
    } catch (Throwable t) {
      guard.caught("Families.add", t);
    }
  }

  private void warnOnce() {
    if (!warned) {
      warned = true;
      logger.warn(
          "What is pulled has no OpenTelemetry metrics: give the MetricsTelemetry to"
              + " Telemetry.init, or there are none where an agent has them or set-up failed");
    }
  }

  @Override
  public AggregationTemporality getAggregationTemporality(InstrumentType type) {
    return AggregationTemporality.CUMULATIVE;
  }

  @Override
  public CompletableResultCode forceFlush() {
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode shutdown() {
    onShutdown.run();
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public String toString() {
    return "PulledMetrics{names=" + names + "}";
  }
}
