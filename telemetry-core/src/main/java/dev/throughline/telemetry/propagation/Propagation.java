// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.propagation;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.HeaderGetter;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Trace context and baggage into and out of carriers that may throw. */
public final class Propagation {

  /** Writes into a map. */
  public static final TextMapSetter<Map<String, String>> MAP_SETTER =
      new TextMapSetter<>() {
        @Override
        public void set(@Nullable Map<String, String> carrier, String key, String value) {
          if (carrier != null) {
            carrier.put(key, value);
          }
        }
      };

  /** Reads from a map, keys in any case. */
  public static final TextMapGetter<Map<String, String>> MAP_GETTER =
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

  /** Propagation by these; the guard takes what they and the carriers throw. */
  public Propagation(ContextPropagators propagators, Guard guard) {
    propagator = propagators.getTextMapPropagator();
    this.guard = guard;
  }

  /** Writes the current context into a carrier. */
  public <C> void inject(C carrier, TextMapSetter<C> setter) {
    try {
      propagator.inject(Context.current(), carrier, setter);
    } catch (Throwable t) {
      guard.caught("TextMapSetter.set", t);
    }
  }

  /** The current context with what a carrier carries. */
  public <C> Context extract(C carrier, TextMapGetter<C> getter) {
    Context current = Context.current();
    try {
      return propagator.extract(current, carrier, HeaderGetter.over(getter));
    } catch (Throwable t) {
      guard.caught("TextMapGetter.get", t);
      return current;
    }
  }
}
