// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The few settings that are read before autoconfigure, since off must not load it: system property,
 * then environment variable, then what the caller gave. An empty value is unset.
 */
final class Environment {

  private final Map<String, String> given;
  private final boolean givenAlone;

  Environment(Map<String, String> given, boolean givenAlone) {
    this.given = given;
    this.givenAlone = givenAlone;
  }

  /**
   * The value of a setting.
   *
   * @param property its name as a system property, e.g. {@code otel.sdk.disabled}
   */
  @Nullable String get(String property) {
    if (!givenAlone) {
      String value = set(System.getProperty(property));
      if (value == null) {
        value = set(System.getenv(variable(property)));
      }
      if (value != null) {
        return value;
      }
    }
    return set(given.get(property));
  }

  /** Whether a switch says yes; null where it says nothing that is understood. */
  @Nullable Boolean getSwitch(String property) {
    String value = get(property);
    if (value == null) {
      return null;
    }
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "true", "1", "yes", "on" -> true;
      case "false", "0", "no", "off" -> false;
      default -> null;
    };
  }

  List<String> getList(String property) {
    List<String> list = new ArrayList<>();
    String value = get(property);
    if (value != null) {
      for (String item : value.split(",", -1)) {
        if (!item.isBlank()) {
          list.add(item.trim());
        }
      }
    }
    return list;
  }

  /** The name that people set: the variable, e.g. {@code OTEL_SDK_DISABLED}. */
  static String variable(String property) {
    return property.replace('.', '_').toUpperCase(Locale.ROOT);
  }

  private static @Nullable String set(@Nullable String value) {
    return value == null || value.isBlank() ? null : value.trim();
  }
}
