// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.toy;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.TelemetryBuilder;
import dev.throughline.toy.ToyAdapter.Letter;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.HashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Telemetry with the toy adapter, for tests of what every adapter has from core. */
public final class Letters implements AutoCloseable {

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final Telemetry telemetry;

  /** With these settings, names and values in turn. */
  public Letters(String... settings) {
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addSpanProcessor(SimpleSpanProcessor.create(spans));
    for (int i = 0; i < settings.length; i += 2) {
      builder.addProperty(settings[i], settings[i + 1]);
    }
    telemetry = builder.build();
  }

  public Telemetry telemetry() {
    return telemetry;
  }

  /** What the span of a letter shows of the one that it was sent to. */
  public @Nullable String sent(String to) {
    ToyAdapter.wrap(telemetry, letter -> "").send(new Letter(to, new HashMap<>()));
    return last(AttributeKey.stringKey("letter.to"));
  }

  /** An attribute of the span that ended last. */
  public @Nullable String last(AttributeKey<String> key) {
    return lastFinished().getAttributes().get(key);
  }

  /** The span that ended last. */
  public SpanData lastFinished() {
    List<SpanData> finished = finished();
    return finished.get(finished.size() - 1);
  }

  List<SpanData> finished() {
    return spans.getFinishedSpanItems();
  }

  @Override
  public void close() {
    telemetry.close();
  }
}
