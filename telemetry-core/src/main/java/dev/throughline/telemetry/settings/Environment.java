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
import org.slf4j.Logger;

/**
 * The variables that are set, and the few settings that are read before autoconfigure, since
 * telemetry that is off must not load it: system property, then environment variable, then what the
 * caller gave. An empty value is unset.
 */
public final class Environment {

  /** How much of telemetry is on. */
  public enum Mode {
    /** All signals. */
    ON(true, true),
    /** No spans: {@code TRACING_ENABLED=false}. */
    WITHOUT_SPANS(false, true),
    /** Metrics that are pulled, and nothing is sent: {@code OTEL_SDK_DISABLED=true}. */
    METRICS_ONLY(false, false),
    /** Nothing: {@code OTEL_SDK_DISABLED=true}. */
    OFF(false, false);

    private final boolean spans;
    private final boolean exports;

    Mode(boolean spans, boolean exports) {
      this.spans = spans;
      this.exports = exports;
    }

    /** Whether spans are recorded. */
    public boolean spans() {
      return spans;
    }

    /** Whether anything is sent. */
    public boolean exports() {
      return exports;
    }
  }

  /**
   * A value that can't be used.
   *
   * @param variable the setting's name, as a variable
   * @param value what was set, with nothing that is secret in it
   * @param accepted what may stand there, for people to read
   * @param used what holds instead
   */
  public record Unusable(String variable, String value, String accepted, String used) {}

  /** Settings that the application asked not to be started with. */
  public static final class Refused extends IllegalArgumentException {

    private static final long serialVersionUID = 1;

    Refused(String message) {
      super(message);
    }
  }

  private final Map<String, String> given;
  private final boolean givenAlone;
  private final BadSettings bad;
  // Found out when they are first asked for.
  private @Nullable List<String> propagators;

  /**
   * The settings here and in the code.
   *
   * @param given by the names of system properties
   * @param givenAlone whether neither system properties nor variables are read
   */
  public Environment(Map<String, String> given, boolean givenAlone) {
    this.given = given;
    this.givenAlone = givenAlone;
    bad = new BadSettings(isStrict());
  }

  /**
   * How much is on.
   *
   * @param mounted whether metrics can be pulled also when telemetry is off
   */
  public Mode mode(boolean mounted) {
    if (Boolean.TRUE.equals(getSwitch("otel.sdk.disabled"))) {
      return mounted ? Mode.METRICS_ONLY : Mode.OFF;
    }
    return Boolean.FALSE.equals(getSwitch("tracing.enabled")) ? Mode.WITHOUT_SPANS : Mode.ON;
  }

  /** The names of {@code OTEL_PROPAGATORS} that are known, each once; never empty. */
  public List<String> propagators() {
    List<String> known = knownPropagators();
    return known.isEmpty() ? OffPropagators.DEFAULT : known;
  }

  /** The same, but empty when the default holds. */
  List<String> knownPropagators() {
    List<String> known = propagators;
    if (known == null) {
      known = findPropagators();
      propagators = known;
    }
    return known;
  }

  /** The values that can't be used and that were not told yet. */
  public List<Unusable> unusable() {
    return bad.all();
  }

  /**
   * Logs a WARN for each value that can't be used.
   *
   * @throws Refused if {@code TELEMETRY_STRICT} is {@code true} and there is one
   */
  public void tellUnusable(Logger logger) {
    bad.tell(logger);
  }

  /**
   * Throws if {@code TELEMETRY_STRICT} is {@code true}.
   *
   * @param message what went wrong, though no setting is known to be at fault
   */
  public void refuse(String message) {
    bad.refuse(message);
  }

  /** Whether the application asked not to be started with what can't be used. */
  public boolean isStrict() {
    return Boolean.TRUE.equals(getSwitch("telemetry.strict"));
  }

  BadSettings bad() {
    return bad;
  }

  /** Whether neither system properties nor variables are read. */
  boolean isGivenAlone() {
    return givenAlone;
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
  Map<String, String> all() {
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

  /** These are looked at even with telemetry off, where what came in still goes out. */
  private List<String> findPropagators() {
    String key = "otel.propagators";
    List<String> set = getList(key);
    List<String> known = new ArrayList<>();
    boolean good = !isEmpty(key);
    for (String name : set) {
      if (known.contains(name)) {
        continue;
      }
      if (name.equals("none") ? set.size() == 1 : OffPropagators.isKnown(name)) {
        known.add(name);
      } else {
        good = false;
      }
    }
    if (!good) {
      bad.add(
          key,
          isEmpty(key) ? "" : String.join(",", set),
          KnownSettings.ACCEPTED_PROPAGATORS,
          String.join(",", known.isEmpty() ? OffPropagators.DEFAULT : known));
    }
    return known;
  }

  /** The name that people set: the variable, e.g. {@code OTEL_SDK_DISABLED}. */
  static String variable(String property) {
    return property.replace('.', '_').toUpperCase(Locale.ROOT);
  }

  private static @Nullable String set(@Nullable String value) {
    return value == null || value.isBlank() ? null : value.trim();
  }
}
