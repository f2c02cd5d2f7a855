// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Trace context and baggage into and out of carriers, by the propagators of one telemetry. Nothing
 * that a propagator or a carrier throws comes out of here.
 */
public final class Propagation {

  // No lambda, whose first one costs a service that is off some of its start.
  private static final HeaderSetter<Map<String, String>> MAP_SETTER =
      new HeaderSetter<>() {
        @Override
        public void set(Map<String, String> carrier, String name, String value) {
          carrier.put(name, value);
        }
      };

  private static final TextMapGetter<Map<String, String>> MAP_GETTER =
      new HeaderGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> carrier) {
          return carrier.keySet();
        }

        @Override
        protected @Nullable List<String> lines(Map<String, String> carrier, String name) {
          String value = carrier.get(name);
          if (value != null) {
            return List.of(value);
          }
          for (Map.Entry<String, String> entry : carrier.entrySet()) {
            if (name.equalsIgnoreCase(entry.getKey()) && entry.getValue() != null) {
              return List.of(entry.getValue());
            }
          }
          return null;
        }
      };

  private final TextMapPropagator propagator;
  private final Guard guard;
  private final boolean off;
  private final boolean foreign;
  private final List<String> fields;
  private final TextMapSetter<Map<String, String>> mapSetter;

  /**
   * The propagators of these signals.
   *
   * @param guard counts what carriers throw
   */
  public Propagation(Signals signals, Guard guard) {
    propagator = signals.openTelemetry().getPropagators().getTextMapPropagator();
    this.guard = guard;
    off = !signals.spans() && !signals.metrics();
    fields = fields(propagator, guard);
    foreign = signals.isForeign();
    mapSetter = new GuardedSetter<>(MAP_SETTER, guard, "TextMapSetter.set", foreign);
  }

  private static List<String> fields(TextMapPropagator propagator, Guard guard) {
    List<String> fields = new ArrayList<>();
    try {
      Collection<String> given = propagator.fields();
      for (String field : given == null ? List.<String>of() : given) {
        if (field != null && RequestIds.isHeader(field) && !fields.contains(field)) {
          fields.add(field);
        }
      }
    } catch (Throwable t) {
      guard.caught("TextMapPropagator.fields", t);
    }
    return List.copyOf(fields);
  }

  /** The headers that the propagators read and write, each once; valid names alone. */
  public List<String> fields() {
    return fields;
  }

  /**
   * Whether a request that is sent in this context is to be left as it is: telemetry is off, and
   * there is no context to send with it.
   */
  public boolean hasNothingToSend(Context context) {
    return off && context == Context.root();
  }

  /**
   * Whether a request that came in is to be left as it is: telemetry is off, and no context came in
   * with it. Asked before anything is allocated for the request.
   *
   * @param has whether the carrier has a header of this name
   */
  public <C> boolean hasNothingFrom(C carrier, BiPredicate<? super C, String> has) {
    if (!off) {
      return false;
    }
    try {
      for (int i = 0; i < fields.size(); i++) {
        if (has.test(carrier, fields.get(i))) {
          return false;
        }
      }
    } catch (Throwable t) {
      guard.caught("TextMapGetter.get", t);
    }
    return true;
  }

  /** Whether neither spans nor metrics are recorded. */
  public boolean isOff() {
    return off;
  }

  /**
   * The context with what a carrier carries; the context itself if that is nothing, or can't be
   * read. Lines of a header are read as {@link HeaderGetter} says.
   */
  public <C> Context extract(Context context, C carrier, TextMapGetter<C> getter) {
    try {
      Context extracted = propagator.extract(context, carrier, HeaderGetter.over(getter));
      // A propagator of others may break the API's promise.
      return extracted == null ? context : extracted;
    } catch (Throwable t) {
      guard.caught("TextMapGetter.get", t);
      return context;
    }
  }

  /** The context with what a map carries; keys in any case. */
  public Context extract(Context context, Map<String, String> carrier) {
    return extract(context, carrier, MAP_GETTER);
  }

  /** Writes what a context carries; a header that the carrier refuses is left out. */
  public <C> void inject(Context context, C carrier, TextMapSetter<C> setter) {
    write(
        context,
        carrier,
        setter instanceof GuardedSetter
            ? setter
            : new GuardedSetter<>(setter::set, guard, "TextMapSetter.set", foreign));
  }

  /** Writes what a context carries into a map. */
  public void inject(Context context, Map<String, String> carrier) {
    write(context, carrier, mapSetter);
  }

  private <C> void write(Context context, C carrier, TextMapSetter<C> setter) {
    try {
      propagator.inject(context, carrier, setter);
    } catch (Throwable t) {
      guard.caught("TextMapPropagator.inject", t);
    }
  }
}
