// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.internals;

import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.context.ContextStorage;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdkBuilder;
import io.opentelemetry.sdk.autoconfigure.internal.AutoConfigureUtil;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.internal.ConditionalResourceProvider;
import io.opentelemetry.sdk.autoconfigure.spi.internal.ConfigurableMetricReaderProvider;
import io.opentelemetry.sdk.autoconfigure.spi.internal.DefaultConfigProperties;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Uses of OpenTelemetry that are not its public API, each with a test that fails on the upgrade
 * that moves it.
 */
public final class OpenTelemetryInternals {

  private OpenTelemetryInternals() {}

  /**
   * Whether the OpenTelemetry Java agent runs in this process. The agent itself is looked for, on
   * the bootstrap class path that it adds its classes to: that a global instance is set also holds
   * for any other SDK.
   */
  public static boolean isAgentRunning() {
    try {
      Class.forName("io.opentelemetry.javaagent.bootstrap.AgentInitializer", false, null);
      return true;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  /**
   * Loads the class of the scopes of OpenTelemetry's context. It stands in the signature of a
   * constructor that the compiler inlines only once this class is loaded, which nothing else does;
   * without, each scope is an object of 32 B.
   */
  public static void loadScopes() {
    try {
      Class.forName(
          "io.opentelemetry.context.ThreadLocalContextStorage$1",
          true,
          ContextStorage.class.getClassLoader());
    } catch (ClassNotFoundException | LinkageError e) {
      // Another version has no need of it.
    }
  }

  /** Those of autoconfigure, in a class of their own: telemetry that is off loads none of it. */
  public static final class Autoconfigure {

    private Autoconfigure() {}

    /** The values of a map, read as autoconfigure reads them. */
    public static ConfigProperties read(Map<String, String> properties) {
      return DefaultConfigProperties.createFromMap(properties);
    }

    /** System properties, then environment variables, then a map, as autoconfigure merges them. */
    public static ConfigProperties readEnvironment(
        Map<String, String> defaults, ComponentLoader components) {
      return DefaultConfigProperties.create(defaults, components);
    }

    /** Has autoconfigure read what the customizer makes of the settings that it has read. */
    public static void customize(
        AutoConfiguredOpenTelemetrySdkBuilder autoConfigure,
        UnaryOperator<ConfigProperties> customizer) {
      AutoConfigureUtil.setConfigPropertiesCustomizer(autoConfigure, customizer);
    }

    /**
     * Has autoconfigure read these settings alone, and no {@code OTEL_CONFIG_FILE}. It asks the
     * environment for the file before anyone can tell it otherwise, and throws or reads nothing
     * else, unless it has all settings from the start: what its own tests do, and what {@code
     * AutoConfigureUtil} has no method for.
     */
    public static void replace(
        AutoConfiguredOpenTelemetrySdkBuilder autoConfigure, ConfigProperties settings) {
      try {
        Method setConfig =
            AutoConfiguredOpenTelemetrySdkBuilder.class.getDeclaredMethod(
                "setConfig", ConfigProperties.class);
        setConfig.setAccessible(true);
        setConfig.invoke(autoConfigure, settings);
      } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
        throw new IllegalStateException("OTEL_CONFIG_FILE can't be ignored", e);
      }
    }

    /** The types that autoconfigure looks for in a provider that it has loaded as one of them. */
    public static Class<?>[] interfaces(Class<?> type, Object provider) {
      return provider instanceof ConditionalResourceProvider
          ? new Class<?>[] {type, ConditionalResourceProvider.class}
          : new Class<?>[] {type};
    }

    /** The names of the metric readers in {@code OTEL_METRICS_EXPORTER}, e.g. prometheus. */
    public static List<String> metricReaders(ComponentLoader components) {
      List<String> names = new ArrayList<>();
      for (ConfigurableMetricReaderProvider provider :
          components.load(ConfigurableMetricReaderProvider.class)) {
        names.add(provider.getName());
      }
      return names;
    }
  }
}
