// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.instrument.Guard;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.registry.PrometheusScrapeRequest;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the service registered with the Prometheus client; one that throws costs only itself.
 *
 * <p>The registry collects all or nothing, and does not say which collector threw, so its
 * collectors are asked one by one. They are in fields of its own; {@code MetricsTelemetryTest}
 * fails when another version has moved them, and all collectors cost each other then.
 */
final class ExistingCollectors {

  private static final @Nullable Field COLLECTORS = field("collectors");
  private static final @Nullable Field MULTI_COLLECTORS = field("multiCollectors");

  private final PrometheusRegistry registry;
  private final Guard guard;

  ExistingCollectors(PrometheusRegistry registry, Guard guard) {
    this.registry = registry;
    this.guard = guard;
  }

  /**
   * Collects, by name.
   *
   * @param request what collectors of several targets look at; null where nobody asks over HTTP
   */
  List<MetricSnapshot> collect(@Nullable PrometheusScrapeRequest request) {
    List<MetricSnapshot> snapshots = new ArrayList<>();
    for (MultiCollector collector : collectors()) {
      try {
        for (MetricSnapshot snapshot :
            request == null ? collector.collect() : collector.collect(request)) {
          if (snapshot != null) {
            snapshots.add(snapshot);
          }
        }
      } catch (Throwable t) {
        guard.caught("Collector.collect", t);
      }
    }
    snapshots.sort(Comparator.comparing(snapshot -> snapshot.getMetadata().getPrometheusName()));
    return snapshots;
  }

  private List<MultiCollector> collectors() {
    List<MultiCollector> collectors = new ArrayList<>();
    try {
      if (COLLECTORS != null
          && MULTI_COLLECTORS != null
          // One of the service's own may collect in another way.
          && registry.getClass() == PrometheusRegistry.class) {
        for (Object collector : (Collection<?>) COLLECTORS.get(registry)) {
          collectors.add(new Single((Collector) collector));
        }
        for (Object collector : (Collection<?>) MULTI_COLLECTORS.get(registry)) {
          collectors.add((MultiCollector) collector);
        }
        return collectors;
      }
    } catch (IllegalAccessException | ClassCastException e) {
      guard.caught("PrometheusRegistry.collectors", e);
    }
    return List.of(new Whole(registry));
  }

  private static @Nullable Field field(String name) {
    try {
      Field field = PrometheusRegistry.class.getDeclaredField(name);
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException | RuntimeException e) {
      return null;
    }
  }

  private record Single(Collector collector) implements MultiCollector {

    @Override
    public MetricSnapshots collect() {
      return of(collector.collect());
    }

    @Override
    public MetricSnapshots collect(PrometheusScrapeRequest request) {
      return of(collector.collect(request));
    }

    private static MetricSnapshots of(@Nullable MetricSnapshot snapshot) {
      return snapshot == null ? MetricSnapshots.of() : MetricSnapshots.of(snapshot);
    }
  }

  private record Whole(PrometheusRegistry registry) implements MultiCollector {

    @Override
    public MetricSnapshots collect() {
      return registry.scrape();
    }

    @Override
    public MetricSnapshots collect(PrometheusScrapeRequest request) {
      return registry.scrape(request);
    }
  }
}
