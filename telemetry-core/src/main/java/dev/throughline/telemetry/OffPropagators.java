// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurablePropagatorProvider;
import io.opentelemetry.sdk.autoconfigure.spi.internal.DefaultConfigProperties;
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
final class OffPropagators {

  static final List<String> DEFAULT = List.of("tracecontext", "baggage");
  static final String ACCEPTED =
      "tracecontext, baggage, those whose artifact is on the class path, with commas, or none"
          + " alone";

  private static final String KEY = "otel.propagators";

  private OffPropagators() {}

  /**
   * The names that are understood, each once.
   *
   * @param bad takes what is left out
   * @return empty where none is set, and the default holds
   */
  static List<String> known(Environment environment, BadSettings bad) {
    List<String> given = environment.getList(KEY);
    List<String> known = new ArrayList<>();
    boolean good = !environment.isEmpty(KEY);
    for (String name : given) {
      if (known.contains(name)) {
        continue;
      }
      if (name.equals("none") ? given.size() == 1 : isKnown(name)) {
        known.add(name);
      } else {
        good = false;
      }
    }
    if (!good) {
      bad.add(
          KEY,
          environment.isEmpty(KEY) ? "" : String.join(",", given),
          ACCEPTED,
          String.join(",", known.isEmpty() ? DEFAULT : known));
    }
    return known;
  }

  /**
   * Propagators that pass on what comes in.
   *
   * @param known from {@link #known}; empty is the default
   */
  static ContextPropagators of(List<String> known) {
    List<TextMapPropagator> propagators = new ArrayList<>();
    for (String name : known.isEmpty() ? DEFAULT : known) {
      TextMapPropagator propagator = propagator(name);
      if (propagator != null) {
        propagators.add(propagator);
      }
    }
    return ContextPropagators.create(TextMapPropagator.composite(propagators));
  }

  private static boolean isKnown(String name) {
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
        return provider == null
            ? null
            : provider.getPropagator(DefaultConfigProperties.createFromMap(Map.of()));
      } catch (RuntimeException | LinkageError e) {
        failed(name, e);
        return null;
      }
    }

    private static void failed(String name, Throwable thrown) {
      LoggerFactory.getLogger(Telemetry.class)
          .warn("OTEL_PROPAGATORS: \"{}\" could not be loaded", name, thrown);
    }
  }
}
