// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import java.util.function.LongSupplier;

/** How telemetry itself is, as metrics. */
final class OwnHealth {

  private OwnHealth() {}

  /**
   * @param guards those of the telemetry, and this module's own
   */
  static void record(Meter meter, LongSupplier scrapes, Guard... guards) {
    meter
        .counterBuilder(MetricsKeys.SCRAPES)
        .setUnit("{scrape}")
        .setDescription("Times that metrics were pulled")
        .buildWithCallback(now -> now.record(scrapes.getAsLong()));
    meter
        .counterBuilder(MetricsKeys.GUARD_HITS)
        .setUnit("{exception}")
        .setDescription("Exceptions that were kept away from the application")
        .buildWithCallback(
            now -> {
              for (Guard guard : guards) {
                guard
                    .hitsByModule()
                    .forEach(
                        (module, hits) ->
                            now.record(hits, Attributes.of(MetricsKeys.MODULE, module)));
              }
            });
  }
}
