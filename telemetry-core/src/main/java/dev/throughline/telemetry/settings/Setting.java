// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import java.time.Duration;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** One entry of {@link KnownSettings}: name, type, range, default, and sentences for people. */
public final class Setting<T> {

  /** How a value is checked. */
  enum Kind {
    TEXT,
    SWITCH,
    DURATION,
    NUMBER,
    RATIO,
    CHOICE,
    SAMPLER,
    PROPAGATORS,
    EXPORTERS,
    ENDPOINT,
    PROTOCOL,
    COMPRESSION,
    HEADERS,
    ATTRIBUTES,
    CERTIFICATE,
    FILE,
    HEADER_NAME,
    FOLDER,
    PROVIDERS,
    NOT_READ
  }

  private static final String NONE = "none";
  private static final BiFunction<ConfigProperties, String, @Nullable String> AS_TEXT =
      ConfigProperties::getString;
  private static final BiFunction<ConfigProperties, String, @Nullable Boolean> AS_SWITCH =
      ConfigProperties::getBoolean;
  private static final BiFunction<ConfigProperties, String, @Nullable Duration> AS_DURATION =
      ConfigProperties::getDuration;
  private static final BiFunction<ConfigProperties, String, @Nullable Integer> AS_NUMBER =
      ConfigProperties::getInt;

  private final String key;
  private final Kind kind;
  private final BiFunction<ConfigProperties, String, @Nullable T> reader;
  private final String accepted;
  private final String effect;
  private final @Nullable T value;
  private final String byDefault;
  private final Range range;

  /**
   * The values that are accepted, where there is a bound or a list.
   *
   * @param least of numbers and durations, these in nanoseconds
   * @param most of numbers
   */
  record Range(long least, long most, List<String> choices) {

    private static final Range ALL = new Range(0, 0, List.of());
  }

  private Setting(
      String key,
      Kind kind,
      BiFunction<ConfigProperties, String, @Nullable T> reader,
      Range range,
      String accepted,
      @Nullable T value,
      String byDefault,
      String effect) {
    this.key = key;
    this.kind = kind;
    this.reader = reader;
    this.range = range;
    this.accepted = accepted;
    this.value = value;
    this.byDefault = byDefault;
    this.effect = effect;
  }

  static Setting<String> text(
      String key, Kind kind, String accepted, @Nullable String byDefault, String effect) {
    return new Setting<>(
        key,
        kind,
        AS_TEXT,
        Range.ALL,
        accepted,
        byDefault,
        byDefault == null ? NONE : byDefault,
        effect);
  }

  static Setting<List<String>> list(
      String key, Kind kind, String accepted, List<String> byDefault, String effect) {
    return new Setting<>(
        key,
        kind,
        (settings, name) -> {
          List<String> items = settings.getList(name);
          return items.isEmpty() ? null : items;
        },
        Range.ALL,
        accepted,
        byDefault,
        byDefault.isEmpty() ? NONE : String.join(",", byDefault),
        effect);
  }

  static Setting<Boolean> onOff(String key, boolean byDefault, String effect) {
    return new Setting<>(
        key,
        Kind.SWITCH,
        AS_SWITCH,
        Range.ALL,
        "true, 1, yes, on, false, 0, no or off",
        byDefault,
        Boolean.toString(byDefault),
        effect);
  }

  static Setting<Duration> duration(String key, Duration byDefault, String effect) {
    return duration(key, 0, byDefault, effect);
  }

  static Setting<Duration> durationAboveZero(String key, Duration byDefault, String effect) {
    return duration(key, 1, byDefault, effect);
  }

  private static Setting<Duration> duration(
      String key, long leastNanos, Duration byDefault, String effect) {
    return new Setting<>(
        key,
        Kind.DURATION,
        AS_DURATION,
        new Range(leastNanos, Long.MAX_VALUE, List.of()),
        "a whole number and ns, us, ms, s, m, h or d, e.g. 5s"
            + (leastNanos == 0 ? "" : "; more than 0"),
        byDefault,
        byDefault.toSeconds() + "s",
        effect);
  }

  static Setting<Integer> number(
      String key, int least, int most, @Nullable Integer byDefault, String effect) {
    return new Setting<>(
        key,
        Kind.NUMBER,
        AS_NUMBER,
        new Range(least, most, List.of()),
        "a whole number from " + least + " to " + most,
        byDefault,
        byDefault == null ? NONE : byDefault.toString(),
        effect);
  }

  /** One of some words, of which the first holds by default. */
  static Setting<String> choice(String key, List<String> choices, String effect) {
    return new Setting<>(
        key,
        Kind.CHOICE,
        AS_TEXT,
        new Range(0, 0, choices),
        String.join(", ", choices),
        choices.get(0),
        choices.get(0),
        effect);
  }

  /** The same with no value by default, but words that say what holds then. */
  Setting<T> otherwise(String words) {
    return new Setting<>(key, kind, reader, range, accepted, null, words, effect);
  }

  /** Its name as a system property, e.g. {@code otel.traces.sampler}. */
  String key() {
    return key;
  }

  Kind kind() {
    return kind;
  }

  Range range() {
    return range;
  }

  /** The values that are accepted, for people to read. */
  String accepted() {
    return accepted;
  }

  /** Its effect, for people to read: the sentence of {@code docs/configuration.md}. */
  String effect() {
    return effect;
  }

  /** Its default, for people to read. */
  String byDefault() {
    return byDefault;
  }

  /**
   * The default.
   *
   * @throws NullPointerException if that is not one value
   */
  public T defaultValue() {
    return requireNonNull(value, key);
  }

  /** Whether the default is a value, and this setting is Throughline's own. */
  boolean hasOwnDefault() {
    return value != null && key.startsWith("telemetry.");
  }

  @Override
  public String toString() {
    return key;
  }

  @Nullable T read(ConfigProperties settings) {
    return reader.apply(settings, key);
  }
}
