// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sends on what came in, to the letter, as long as the span and the baggage of the context are
 * those that came in. With telemetry off nobody changes them, and a peer's own spelling of
 * tracestate or baggage survives.
 */
final class PassThroughPropagator implements TextMapPropagator {

  private static final ContextKey<Received> RECEIVED =
      ContextKey.named("dev.throughline.telemetry.received");

  private final List<String> names;
  private final List<String> fields;
  private volatile @Nullable TextMapPropagator parsing;

  /**
   * @param names what parses, by the names of {@code OTEL_PROPAGATORS}
   * @param fields the headers that these read and write
   */
  PassThroughPropagator(List<String> names, List<String> fields) {
    this.names = names;
    this.fields = fields;
  }

  @Override
  public Collection<String> fields() {
    return fields;
  }

  @Override
  public <C> void inject(Context context, @Nullable C carrier, TextMapSetter<C> setter) {
    Received received = context.get(RECEIVED);
    if (received == null
        || received.span != Span.fromContextOrNull(context)
        || received.baggage != Baggage.fromContextOrNull(context)) {
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
      return context;
    }
    @Nullable String[] values = new String[fields.size()];
    Span span = Span.fromContextOrNull(extracted);
    Baggage baggage = Baggage.fromContextOrNull(extracted);
    for (int i = 0; i < values.length; i++) {
      String field = fields.get(i);
      // What could not be parsed was not taken over, and does not go out either.
      boolean taken =
          field.equals("baggage")
              ? baggage != Baggage.fromContextOrNull(context)
              : span != Span.fromContextOrNull(context);
      values[i] = taken ? getter.get(carrier, field) : null;
    }
    return extracted.with(RECEIVED, new Received(span, baggage, values));
  }

  private TextMapPropagator parsing() {
    TextMapPropagator loaded = parsing;
    if (loaded == null) {
      loaded = OffPropagators.parsing(names);
      parsing = loaded;
    }
    return loaded;
  }

  private static final class Received {
    final @Nullable Span span;
    final @Nullable Baggage baggage;
    final @Nullable String[] values;

    Received(@Nullable Span span, @Nullable Baggage baggage, @Nullable String[] values) {
      this.span = span;
      this.baggage = baggage;
      this.values = values;
    }
  }
}
