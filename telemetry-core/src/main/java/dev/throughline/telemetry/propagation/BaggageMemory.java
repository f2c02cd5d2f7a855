// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.propagation;

import dev.throughline.telemetry.instrument.HeaderGetter;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.baggage.BaggageBuilder;
import io.opentelemetry.api.baggage.BaggageEntry;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The baggage propagator with a small memory of headers that came in. All requests of a session
 * carry the same baggage: it is parsed with the first, and sent on as it came as long as nobody
 * changes it and its grammar allows it. Parsing and writing six entries cost more than the rest of
 * a request's span.
 */
public final class BaggageMemory implements TextMapPropagator {

  private static final String FIELD = "baggage";
  private static final int SLOTS = 64;
  // With the number of slots this bounds what is remembered to 64 KiB of characters.
  private static final int LONGEST_HEADER = 1024;

  private final TextMapPropagator baggage;
  private final AtomicReferenceArray<@Nullable Received> slots = new AtomicReferenceArray<>(SLOTS);

  /**
   * A memory without headers.
   *
   * @param baggage parses and writes what is not remembered
   */
  public BaggageMemory(TextMapPropagator baggage) {
    this.baggage = baggage;
  }

  @Override
  public Collection<String> fields() {
    return baggage.fields();
  }

  @Override
  public <C> void inject(Context context, @Nullable C carrier, TextMapSetter<C> setter) {
    if (Baggage.fromContextOrNull(context) instanceof Received received) {
      setter.set(carrier, FIELD, received.header);
    } else {
      baggage.inject(context, carrier, setter);
    }
  }

  @Override
  public <C> Context extract(Context context, @Nullable C carrier, TextMapGetter<C> getter) {
    // Other getters do not join the lines of a header, so that its first is not the whole.
    if (!(getter instanceof HeaderGetter)) {
      return baggage.extract(context, carrier, getter);
    }
    String header = getter.get(carrier, FIELD);
    if (header == null) {
      return context;
    }
    if (header.length() > LONGEST_HEADER) {
      return baggage.extract(context, carrier, getter);
    }
    int hash = header.hashCode();
    int slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    Received received = slots.get(slot);
    if (received == null || !received.header.equals(header)) {
      Context extracted = baggage.extract(context, carrier, getter);
      Baggage parsed = Baggage.fromContextOrNull(extracted);
      if (extracted == context || parsed == null || !W3CGrammar.isBaggage(header)) {
        return extracted;
      }
      received = new Received(header, parsed);
      slots.set(slot, received);
    }
    return context.with(received);
  }

  /** Baggage that knows the header that it came in. */
  private static final class Received implements Baggage {

    final String header;
    private final Baggage parsed;

    Received(String header, Baggage parsed) {
      this.header = header;
      this.parsed = parsed;
    }

    @Override
    public int size() {
      return parsed.size();
    }

    @Override
    public void forEach(BiConsumer<? super String, ? super BaggageEntry> consumer) {
      parsed.forEach(consumer);
    }

    @Override
    public Map<String, BaggageEntry> asMap() {
      return parsed.asMap();
    }

    @Override
    public @Nullable String getEntryValue(String entryKey) {
      return parsed.getEntryValue(entryKey);
    }

    @Override
    public @Nullable BaggageEntry getEntry(String entryKey) {
      return parsed.getEntry(entryKey);
    }

    @Override
    public BaggageBuilder toBuilder() {
      return parsed.toBuilder();
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return parsed.equals(other instanceof Received received ? received.parsed : other);
    }

    @Override
    public int hashCode() {
      return parsed.hashCode();
    }

    @Override
    public String toString() {
      return parsed.toString();
    }
  }
}
