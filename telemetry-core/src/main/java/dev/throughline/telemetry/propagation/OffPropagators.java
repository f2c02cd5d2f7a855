// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.propagation;

import dev.throughline.telemetry.internals.OpenTelemetryInternals.Autoconfigure;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurablePropagatorProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The propagators of {@code OTEL_PROPAGATORS} without the SDK. OpenTelemetry's own are loaded with
 * the first context that comes in: they bring the JDK's logging with them, which would be most of
 * what a process that is off takes to start.
 */
public final class OffPropagators {

  /** The names of those that hold where none are set. */
  public static final List<String> DEFAULT = List.of("tracecontext", "baggage");

  private OffPropagators() {}

  /**
   * Propagators that pass on what comes in.
   *
   * @param known names that are known, each once; empty is the default
   */
  public static ContextPropagators of(List<String> known) {
    List<TextMapPropagator> propagators = new ArrayList<>();
    for (String name : known.isEmpty() ? DEFAULT : known) {
      TextMapPropagator propagator = propagator(name);
      if (propagator != null) {
        propagators.add(propagator);
      }
    }
    return ContextPropagators.create(TextMapPropagator.composite(propagators));
  }

  /** Whether there is a propagator of this name, {@code none} aside. */
  public static boolean isKnown(String name) {
    return DEFAULT.contains(name) || Loaded.provider(name) != null;
  }

  private static @Nullable TextMapPropagator propagator(String name) {
    return switch (name) {
      case "none" -> null;
      case "tracecontext" -> new PassThroughPropagator.TraceContext();
      case "baggage" -> new PassThroughPropagator.BaggageEntries();
      default -> Loaded.propagator(name);
    };
  }

  /** In a class of its own, so that autoconfigure's types load for these propagators alone. */
  private static final class Loaded {

    static @Nullable ConfigurablePropagatorProvider provider(String name) {
      try {
        for (ConfigurablePropagatorProvider provider :
            ServiceLoader.load(
                ConfigurablePropagatorProvider.class,
                ConfigurablePropagatorProvider.class.getClassLoader())) {
          if (provider.getName().equals(name)) {
            return provider;
          }
        }
      } catch (RuntimeException | LinkageError | ServiceConfigurationError e) {
        failed(name, e);
      }
      return null;
    }

    static @Nullable TextMapPropagator propagator(String name) {
      ConfigurablePropagatorProvider provider = provider(name);
      try {
        return provider == null ? null : provider.getPropagator(Autoconfigure.read(Map.of()));
      } catch (RuntimeException | LinkageError e) {
        failed(name, e);
        return null;
      }
    }

    private static void failed(String name, Throwable thrown) {
      LoggerFactory.getLogger(OffPropagators.class)
          .warn("OTEL_PROPAGATORS: \"{}\" could not be loaded", name, thrown);
    }
  }
}
