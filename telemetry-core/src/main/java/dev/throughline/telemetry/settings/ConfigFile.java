// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdkBuilder;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** {@code OTEL_CONFIG_FILE}, which is not read. */
public final class ConfigFile {

  private ConfigFile() {}

  /**
   * Has autoconfigure read these settings alone. It asks the environment for the file before anyone
   * can tell it otherwise, and throws or reads nothing else, unless it has all settings from the
   * start: what its own tests do, and what {@code AutoConfigureUtil} has no method for.
   */
  public static void ignore(
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
}
