// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.instrument.Guard;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.registry.PrometheusScrapeRequest;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the service registered with the Prometheus client; one that throws costs only itself. */
final class ExistingCollectors {

  private static final int MOST_TRIES = 20;

  private final PrometheusRegistry registry;
  private final Guard guard;

  ExistingCollectors(PrometheusRegistry registry, Guard guard) {
    this.registry = registry;
    this.guard = guard;
  }

  /**
   * Collects, again without it where one throws. The registry tells neither which that was nor what
   * the others gave, but asks by name before it collects.
   *
   * @param request what collectors of several targets look at; null where nobody asks over HTTP
   */
  MetricSnapshots collect(@Nullable PrometheusScrapeRequest request) {
    Set<String> throwing = new HashSet<>();
    for (int i = 0; i < MOST_TRIES; i++) {
      AtomicReference<@Nullable String> asked = new AtomicReference<>();
      Predicate<String> included =
          name -> {
            asked.set(name);
            return !throwing.contains(name);
          };
      try {
        return request == null ? registry.scrape(included) : registry.scrape(included, request);
      } catch (Throwable t) {
        guard.caught("Collector.collect", t);
        String last = asked.get();
        if (last == null || !throwing.add(last)) {
          break;
        }
      }
    }
    return MetricSnapshots.of();
  }
}
