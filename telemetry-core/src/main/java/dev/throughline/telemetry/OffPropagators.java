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

/**
 * The propagators of {@code OTEL_PROPAGATORS} without the SDK. OpenTelemetry's own are loaded with
 * the first context that comes in: they bring the JDK's logging with them, which would be most of
 * what a process that is off takes to start.
 */
final class OffPropagators {

  private static final List<String> DEFAULT = List.of("tracecontext", "baggage");

  private OffPropagators() {}

  /**
   * Propagators that pass on what comes in.
   *
   * @param given the setting; empty is the default
   */
  static ContextPropagators of(List<String> given) {
    List<String> names = given.isEmpty() ? DEFAULT : given;
    if (DEFAULT.containsAll(names)) {
      List<String> fields = new ArrayList<>();
      if (names.contains("tracecontext")) {
        fields.add("traceparent");
        fields.add("tracestate");
      }
      if (names.contains("baggage")) {
        fields.add("baggage");
      }
      return ContextPropagators.create(new PassThroughPropagator(names, fields));
    }
    TextMapPropagator parsed = parsing(names);
    return ContextPropagators.create(
        new PassThroughPropagator(names, List.copyOf(parsed.fields())));
  }

  /** What the names stand for; those that are unknown are left out, and named in a WARN. */
  static TextMapPropagator parsing(List<String> names) {
    List<TextMapPropagator> propagators = new ArrayList<>();
    for (String name : names) {
      TextMapPropagator propagator = propagator(name);
      if (propagator != null) {
        propagators.add(propagator);
      }
    }
    return TextMapPropagator.composite(propagators);
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
