// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurablePropagatorProvider;
import io.opentelemetry.sdk.autoconfigure.spi.internal.DefaultConfigProperties;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** The propagators of {@code OTEL_PROPAGATORS} without the SDK. */
final class OffPropagators {

  private OffPropagators() {}

  static ContextPropagators of(List<String> names) {
    List<TextMapPropagator> propagators = new ArrayList<>();
    if (names.isEmpty()) {
      propagators.add(W3CTraceContextPropagator.getInstance());
      propagators.add(W3CBaggagePropagator.getInstance());
    }
    for (String name : names) {
      TextMapPropagator propagator = propagator(name);
      if (propagator != null) {
        propagators.add(propagator);
      }
    }
    return propagators.isEmpty()
        ? ContextPropagators.noop()
        : ContextPropagators.create(
            new PassThroughPropagator(TextMapPropagator.composite(propagators)));
  }

  private static @Nullable TextMapPropagator propagator(String name) {
    return switch (name) {
      case "none" -> null;
      case "tracecontext" -> W3CTraceContextPropagator.getInstance();
      case "baggage" -> W3CBaggagePropagator.getInstance();
      default -> Loaded.propagator(name);
    };
  }

  /** In a class of its own, so that autoconfigure's types load for these propagators alone. */
  private static final class Loaded {

    static @Nullable TextMapPropagator propagator(String name) {
      try {
        for (ConfigurablePropagatorProvider provider :
            ServiceLoader.load(
                ConfigurablePropagatorProvider.class,
                ConfigurablePropagatorProvider.class.getClassLoader())) {
          if (provider.getName().equals(name)) {
            return provider.getPropagator(DefaultConfigProperties.createFromMap(Map.of()));
          }
        }
      } catch (RuntimeException | LinkageError e) {
        LoggerFactory.getLogger(Telemetry.class)
            .warn("OTEL_PROPAGATORS: \"{}\" could not be loaded and is left out", name, e);
        return null;
      }
      LoggerFactory.getLogger(Telemetry.class)
          .warn(
              "OTEL_PROPAGATORS: \"{}\" is left out; accepted are tracecontext, baggage, none, and"
                  + " those whose artifact is on the class path",
              name);
      return null;
    }
  }
}
