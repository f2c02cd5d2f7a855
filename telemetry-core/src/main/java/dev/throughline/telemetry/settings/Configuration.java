// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import dev.throughline.telemetry.internals.OpenTelemetryInternals.Autoconfigure;
import dev.throughline.telemetry.settings.Environment.Mode;
import dev.throughline.telemetry.settings.Setting.Kind;
import dev.throughline.telemetry.settings.SettingCheck.Verdict;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The known settings that are there: the values that can be used, and for people where each comes
 * from.
 */
final class Configuration {

  private final ConfigProperties given;
  private final Environment environment;
  private final Mode mode;
  private final BadSettings bad;
  private final SettingCheck check;
  private final Map<String, String> usable = new HashMap<>();
  private final Map<String, String> lines = new LinkedHashMap<>();

  /**
   * Looks at all known settings.
   *
   * @param given what autoconfigure read
   * @param components where autoconfigure finds exporters and samplers
   */
  Configuration(
      ConfigProperties given, Environment environment, Mode mode, ComponentLoader components) {
    this.given = given;
    this.environment = environment;
    this.mode = mode;
    bad = environment.bad();
    check = new SettingCheck(components);
    for (Setting<?> setting : KnownSettings.all()) {
      look(setting);
    }
    checkClientKeys();
    checkBatch("otel.bsp.");
    checkBatch("otel.blrp.");
    for (Setting<?> setting : KnownSettings.all()) {
      String decided = decided(setting);
      if (decided != null) {
        usable.put(setting.key(), decided);
      }
      describe(setting, decided != null && setting.kind() != Kind.PROPAGATORS);
    }
    for (Setting<?> setting : KnownSettings.all()) {
      if (setting.hasOwnDefault()) {
        usable.putIfAbsent(setting.key(), setting.byDefault());
      }
    }
  }

  /** The known settings that can be used, and nothing else. */
  ConfigProperties usable() {
    return Autoconfigure.read(usable);
  }

  /** Each known setting on a line of its own, with its value and where that comes from. */
  String text() {
    return String.join("\n", lines.values());
  }

  private void look(Setting<?> setting) {
    String key = setting.key();
    String value = value(key);
    if (setting.kind() == Kind.PROPAGATORS) {
      // These were looked at before anything of autoconfigure's was there.
      return;
    }
    if (value == null) {
      if (environment.isEmpty(key)) {
        bad.add(key, "", setting.accepted(), setting.byDefault());
      }
      return;
    }
    Verdict verdict = skips(setting) ? Verdict.good(value) : check.check(setting, value);
    String used = verdict.value();
    if (!verdict.good()) {
      bad.add(
          key,
          value,
          setting.accepted(),
          used == null ? setting.byDefault() : Secrets.mask(key, used));
    } else if (environment.isEmpty(key)) {
      bad.add(key, "", setting.accepted(), Secrets.mask(key, value));
    }
    if (used != null) {
      usable.put(key, used);
    }
  }

  /** The argument of a sampler of someone else's is its own affair. */
  private boolean skips(Setting<?> setting) {
    return setting.kind() == Kind.RATIO
        && !KnownSettings.SAMPLERS.contains(
            Objects.requireNonNullElse(usable.get("otel.traces.sampler"), "always_on"));
  }

  private @Nullable String value(String key) {
    String value = given.getString(key);
    // An empty property hides a variable there.
    return value == null || value.isBlank() ? environment.get(key) : value.trim();
  }

  /** A key is nothing without its certificate, here or for all signals, and the other way round. */
  private void checkClientKeys() {
    checkClientKey("");
    for (String signal : KnownSettings.SIGNALS) {
      checkClientKey(signal + ".");
    }
  }

  private void checkClientKey(String signal) {
    String ownKey = KnownSettings.OTLP + signal + "client.key";
    String ownCertificate = KnownSettings.OTLP + signal + "client.certificate";
    if (!usable.containsKey(ownKey) && !usable.containsKey(ownCertificate)) {
      return;
    }
    String key = usable.getOrDefault(ownKey, usable.get(KnownSettings.OTLP + "client.key"));
    String certificate =
        usable.getOrDefault(ownCertificate, usable.get(KnownSettings.OTLP + "client.certificate"));
    if (key == null || certificate == null || !SettingCheck.isClientKey(key, certificate)) {
      drop(usable.containsKey(ownKey) ? ownKey : ownCertificate);
      usable.remove(ownCertificate);
    }
  }

  private void drop(String key) {
    String value = usable.remove(key);
    Setting<?> setting = KnownSettings.find(key);
    if (value != null && setting != null) {
      bad.add(key, value, setting.accepted(), setting.byDefault());
    }
  }

  private void checkBatch(String prefix) {
    String key = prefix + "max.export.batch.size";
    String batch = usable.get(key);
    Setting<?> queue = KnownSettings.find(prefix + "max.queue.size");
    if (queue == null) {
      return;
    }
    String most = usable.getOrDefault(queue.key(), queue.byDefault());
    if (batch != null && most.matches("\\d+") && Long.parseLong(batch) > Long.parseLong(most)) {
      bad.add(key, batch, "at most what may wait, " + Environment.variable(queue.key()), most);
      usable.put(key, most);
    }
  }

  /** The value that holds whatever is set; null if there is none. */
  private @Nullable String decided(Setting<?> setting) {
    String key = setting.key();
    if (setting.kind() == Kind.PROPAGATORS) {
      List<String> known = environment.knownPropagators();
      return known.isEmpty() ? null : String.join(",", known);
    }
    boolean on = key.equals("otel.traces.exporter") ? mode.spans() : mode.exports();
    return setting.kind() == Kind.EXPORTERS && !on ? "none" : null;
  }

  private void describe(Setting<?> setting, boolean decided) {
    String key = setting.key();
    String set = value(key);
    String used = usable.get(key);
    if (set == null && !decided && isOfOneSignal(key)) {
      return;
    }
    String source;
    if (decided) {
      source = "by another setting";
    } else if (set == null) {
      source = "default";
    } else {
      source = environment.source(key, set);
      String shown = Secrets.mask(key, set);
      if (used == null) {
        source = "default, since \"" + shown + "\" of the " + source + " can't be used";
      } else if (!shown.equals(Secrets.mask(key, used))) {
        source += ", from \"" + shown + "\"";
      }
    }
    if (setting.kind() != Kind.NOT_READ || set != null) {
      lines.put(
          key,
          Environment.variable(key)
              + "="
              + (used == null ? setting.byDefault() : Secrets.mask(key, used))
              + " ("
              + source
              + ")");
    }
  }

  private static boolean isOfOneSignal(String key) {
    return KnownSettings.SIGNALS.stream()
            .anyMatch(signal -> key.startsWith(KnownSettings.OTLP + signal + "."))
        && KnownSettings.has(
            KnownSettings.OTLP + key.substring(key.indexOf('.', KnownSettings.OTLP.length()) + 1));
  }
}
