// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.delivery.SpanCounts;
import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/** How telemetry itself is, as metrics. */
final class OwnHealth {

  private final Meter meter;
  private final Supplier<SpanCounts> spans;

  private OwnHealth(Meter meter, Supplier<SpanCounts> spans) {
    this.meter = meter;
    this.spans = spans;
  }

  static void record(Meter meter, Supplier<SpanCounts> spans, LongSupplier scrapes) {
    OwnHealth health = new OwnHealth(meter, spans);
    health.count(
        MetricsKeys.SPANS_ENDED, "Sampled spans that ended and were to be sent", SpanCounts::ended);
    health.count(
        MetricsKeys.SPANS_DROPPED, "Spans for which the queue had no room", SpanCounts::dropped);
    health.count(
        MetricsKeys.SPANS_EXPORTED, "Spans that the exporter delivered", SpanCounts::exported);
    health.count(
        MetricsKeys.SPANS_FAILED, "Spans that the exporter could not deliver", SpanCounts::failed);
    meter
        .upDownCounterBuilder(MetricsKeys.SPANS_WAITING)
        .setUnit("{span}")
        .setDescription("Spans in the queue")
        .buildWithCallback(now -> now.record(spans.get().waiting()));
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
            now ->
                Guard.hitsByModule()
                    .forEach(
                        (module, hits) ->
                            now.record(hits, Attributes.of(MetricsKeys.MODULE, module))));
  }

  private void count(String name, String description, ToLongFunction<SpanCounts> count) {
    meter
        .counterBuilder(name)
        .setUnit("{span}")
        .setDescription(description)
        .buildWithCallback(now -> now.record(count.applyAsLong(spans.get())));
  }
}
