// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.propagation;

import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sends on what came in, to the letter, as long as its grammar allows that and the span, or the
 * baggage, of the context is the one that came in. With telemetry off nobody changes them, and a
 * peer's own spelling of tracestate or baggage survives.
 */
abstract class PassThroughPropagator implements TextMapPropagator {

  private final ContextKey<Received> key;
  private final List<String> fields;

  private PassThroughPropagator(ContextKey<Received> key, List<String> fields) {
    this.key = key;
    this.fields = fields;
  }

  /** What reads and writes; loaded when there is something to read or to write. */
  abstract TextMapPropagator parsing();

  /** Whether headers that came in may go out as they are; where not, those that were parsed do. */
  abstract boolean isValid(@Nullable String[] values);

  /** What of a context is propagated. */
  abstract @Nullable Object part(Context context);

  @Override
  public Collection<String> fields() {
    return fields;
  }

  @Override
  public <C> void inject(Context context, @Nullable C carrier, TextMapSetter<C> setter) {
    Object part = part(context);
    if (part == null) {
      return;
    }
    Received received = context.get(key);
    if (received == null || received.part != part) {
      parsing().inject(context, carrier, setter);
      return;
    }
    for (int i = 0; i < received.values.length; i++) {
      String value = received.values[i];
      if (value != null) {
        setter.set(carrier, fields.get(i), value);
      }
    }
  }

  @Override
  public <C> Context extract(Context context, @Nullable C carrier, TextMapGetter<C> getter) {
    Context extracted = parsing().extract(context, carrier, getter);
    if (extracted == context) {
      // What could not be parsed was not taken over, and does not go out either.
      return context;
    }
    @Nullable String[] values = new String[fields.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = getter.get(carrier, fields.get(i));
    }
    return isValid(values) ? extracted.with(key, new Received(part(extracted), values)) : extracted;
  }

  static final class TraceContext extends PassThroughPropagator {

    private static final ContextKey<Received> KEY =
        ContextKey.named("dev.throughline.telemetry.received-trace");

    TraceContext() {
      super(KEY, List.of("traceparent", "tracestate"));
    }

    @Override
    TextMapPropagator parsing() {
      return W3CTraceContextPropagator.getInstance();
    }

    @Override
    boolean isValid(@Nullable String[] values) {
      return values[0] != null
          && W3CGrammar.isTraceparent(values[0])
          && (values[1] == null || W3CGrammar.isTracestate(values[1]));
    }

    @Override
    @Nullable Object part(Context context) {
      return Span.fromContextOrNull(context);
    }
  }

  static final class BaggageEntries extends PassThroughPropagator {

    private static final ContextKey<Received> KEY =
        ContextKey.named("dev.throughline.telemetry.received-baggage");

    BaggageEntries() {
      super(KEY, List.of("baggage"));
    }

    @Override
    TextMapPropagator parsing() {
      return W3CBaggagePropagator.getInstance();
    }

    @Override
    boolean isValid(@Nullable String[] values) {
      return values[0] != null && W3CGrammar.isBaggage(values[0]);
    }

    @Override
    @Nullable Object part(Context context) {
      return Baggage.fromContextOrNull(context);
    }
  }

  private static final class Received {
    final @Nullable Object part;
    final @Nullable String[] values;

    Received(@Nullable Object part, @Nullable String[] values) {
      this.part = part;
      this.values = values;
    }
  }
}
