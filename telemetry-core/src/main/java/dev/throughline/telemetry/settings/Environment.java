// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import dev.throughline.telemetry.propagation.OffPropagators;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The few settings that are read before autoconfigure, since off must not load it: system property,
 * then environment variable, then what the caller gave. An empty value is unset.
 */
public final class Environment {

  private static final String PROPAGATORS = "otel.propagators";

  private final Map<String, String> given;
  private final boolean givenAlone;

  /**
   * What is set here and in the code.
   *
   * @param given by the names of system properties
   * @param givenAlone whether neither system properties nor variables are read
   */
  public Environment(Map<String, String> given, boolean givenAlone) {
    this.given = given;
    this.givenAlone = givenAlone;
  }

  /**
   * The value of a setting.
   *
   * @param property its name as a system property, e.g. {@code otel.sdk.disabled}
   */
  public @Nullable String get(String property) {
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

  /** Whether something is set to nothing where it would win over what {@link #get} returns. */
  boolean isEmpty(String property) {
    if (!givenAlone) {
      for (String value :
          new @Nullable String[] {
            System.getProperty(property), System.getenv(variable(property))
          }) {
        if (value != null) {
          return value.isBlank();
        }
      }
    }
    String value = given.get(property);
    return value != null && value.isBlank();
  }

  /**
   * Where a value was set, for people to read.
   *
   * @param value what is set, without the white space around it
   */
  String source(String property, String value) {
    if (!givenAlone && value.equals(set(System.getProperty(property)))) {
      return "system property";
    }
    if (!givenAlone && value.equals(set(System.getenv(variable(property))))) {
      return "environment variable";
    }
    return value.equals(set(given.get(property))) ? "code" : "extension of OpenTelemetry";
  }

  /** All that is set to something, by the names of system properties. */
  public Map<String, String> all() {
    Map<String, String> all = new HashMap<>(given);
    all.values().removeIf(String::isBlank);
    if (!givenAlone) {
      for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
        if (!variable.getValue().isBlank()) {
          all.put(
              variable.getKey().replace('_', '.').toLowerCase(Locale.ROOT), variable.getValue());
        }
      }
      for (String property : System.getProperties().stringPropertyNames()) {
        String value = set(System.getProperty(property));
        if (value != null) {
          all.put(property, value);
        }
      }
    }
    return all;
  }

  /** Whether a switch says yes; null where it says nothing that is understood. */
  public @Nullable Boolean getSwitch(String property) {
    String value = get(property);
    return value == null ? null : isOn(value);
  }

  /** Whether a word says yes; null where it is none of those that are understood. */
  static @Nullable Boolean isOn(String word) {
    return switch (word.toLowerCase(Locale.ROOT)) {
      case "true", "1", "yes", "on" -> true;
      case "false", "0", "no", "off" -> false;
      default -> null;
    };
  }

  /** The items of a list, without white space around them; empty ones are left out. */
  public List<String> getList(String property) {
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

  /**
   * The names of {@code otel.propagators} that are known, each once.
   *
   * @param bad takes what is left out
   * @return empty where none is set, and the default holds
   */
  public List<String> propagators(BadSettings bad) {
    List<String> given = getList(PROPAGATORS);
    List<String> known = new ArrayList<>();
    boolean good = !isEmpty(PROPAGATORS);
    for (String name : given) {
      if (known.contains(name)) {
        continue;
      }
      if (name.equals("none") ? given.size() == 1 : OffPropagators.isKnown(name)) {
        known.add(name);
      } else {
        good = false;
      }
    }
    if (!good) {
      bad.add(
          PROPAGATORS,
          isEmpty(PROPAGATORS) ? "" : String.join(",", given),
          OffPropagators.ACCEPTED,
          String.join(",", known.isEmpty() ? OffPropagators.DEFAULT : known));
    }
    return known;
  }

  /** The name that people set: the variable, e.g. {@code OTEL_SDK_DISABLED}. */
  public static String variable(String property) {
    return property.replace('.', '_').toUpperCase(Locale.ROOT);
  }

  private static @Nullable String set(@Nullable String value) {
    return value == null || value.isBlank() ? null : value.trim();
  }
}
