// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.internals.OnEndingProcessor;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one span processor: taps that see every recorded span start and end, sampled or not, then the
 * batches of sampled spans. A tap that throws is counted, and the span goes on to the next.
 *
 * @see <a
 *     href="https://opentelemetry.io/docs/specs/semconv/registry/attributes/db/">db.connection_string</a>
 */
public final class SpanPipeline implements OnEndingProcessor {

  // MySQL Connector/J sets it on spans of its own to a URL that may hold a password.
  private static final AttributeKey<String> CONNECTION_STRING =
      AttributeKey.stringKey("db.connection_string");
  private static final String REDACTED = "REDACTED";

  private final SpanProcessor[] taps;
  private final boolean startRequired;
  private final @Nullable BatchExport<ReadableSpan, SpanData> batches;
  private final Guard guard;

  SpanPipeline(
      List<SpanProcessor> taps,
      @Nullable BatchExport<ReadableSpan, SpanData> batches,
      Guard guard) {
    this.batches = batches;
    this.guard = guard;
    this.taps = taps.toArray(new SpanProcessor[0]);
    boolean required = false;
    for (SpanProcessor tap : taps) {
      try {
        required |= tap.isStartRequired();
      } catch (Throwable t) {
        guard.caught("SpanProcessor.isStartRequired", t);
      }
    }
    startRequired = required;
  }

  @Override
  public void onStart(Context parentContext, ReadWriteSpan span) {
    for (SpanProcessor tap : taps) {
      try {
        if (tap.isStartRequired()) {
          tap.onStart(parentContext, span);
        }
      } catch (Throwable t) {
        guard.caught("SpanProcessor.onStart", t);
      }
    }
  }

  @Override
  public boolean isStartRequired() {
    return startRequired;
  }

  /** The last that may change a span: what the application's processors set is looked at, too. */
  @Override
  public void onEnding(ReadWriteSpan span) {
    for (SpanProcessor tap : taps) {
      try {
        if (OnEndingProcessor.isRequired(tap)) {
          OnEndingProcessor.call(tap, span);
        }
      } catch (Throwable t) {
        guard.caught("SpanProcessor.onEnding", t);
      }
    }
    if (span.getAttribute(CONNECTION_STRING) != null) {
      span.setAttribute(CONNECTION_STRING, REDACTED);
    }
  }

  @Override
  public boolean isOnEndingRequired() {
    return true;
  }

  @Override
  public void onEnd(ReadableSpan span) {
    for (SpanProcessor tap : taps) {
      try {
        if (tap.isEndRequired()) {
          tap.onEnd(span);
        }
      } catch (Throwable t) {
        guard.caught("SpanProcessor.onEnd", t);
      }
    }
    if (batches != null && span.getSpanContext().isSampled()) {
      batches.add(span);
    }
  }

  @Override
  public boolean isEndRequired() {
    return true;
  }

  @Override
  public CompletableResultCode forceFlush() {
    List<CompletableResultCode> results =
        ask("SpanProcessor.forceFlush", SpanProcessor::forceFlush);
    if (batches != null) {
      results.add(batches.flush());
    }
    return CompletableResultCode.ofAll(results);
  }

  @Override
  public CompletableResultCode shutdown() {
    List<CompletableResultCode> results = ask("SpanProcessor.shutdown", SpanProcessor::shutdown);
    if (batches != null) {
      results.add(batches.shutdown());
    }
    return CompletableResultCode.ofAll(results);
  }

  private List<CompletableResultCode> ask(
      String hook, Function<SpanProcessor, CompletableResultCode> question) {
    List<CompletableResultCode> results = new ArrayList<>();
    for (SpanProcessor tap : taps) {
      results.add(guarded(guard, hook, () -> question.apply(tap)));
    }
    return results;
  }

  @Override
  public String toString() {
    return "SpanPipeline{taps=" + Arrays.toString(taps) + ", batches=" + batches + "}";
  }

  /** A span exporter that is given batches. */
  record Target(SpanExporter exporter) implements BatchTarget<ReadableSpan, SpanData> {

    @Override
    public String type() {
      return "SpanExporter";
    }

    @Override
    public SpanData data(ReadableSpan span) {
      return span.toSpanData();
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> batch) {
      return exporter.export(batch);
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }

  /** An exporter whose faults stay its own: beside it others are given the same spans. */
  record Guarded(SpanExporter exporter, Guard guard) implements SpanExporter {

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      return guarded(guard, "SpanExporter.export", () -> exporter.export(spans));
    }

    @Override
    public CompletableResultCode flush() {
      return guarded(guard, "SpanExporter.flush", exporter::flush);
    }

    @Override
    public CompletableResultCode shutdown() {
      return guarded(guard, "SpanExporter.shutdown", exporter::shutdown);
    }
  }

  /** Fails if what is called throws, or returns null. */
  static CompletableResultCode guarded(
      Guard guard, String hook, Supplier<CompletableResultCode> call) {
    try {
      return requireNonNull(call.get());
    } catch (Throwable t) {
      guard.caught(hook, t);
      return CompletableResultCode.ofFailure();
    }
  }
}
