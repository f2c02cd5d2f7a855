// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import java.util.List;

/**
 * A setting that is understood.
 *
 * @param key its name as a system property, e.g. {@code otel.traces.sampler}
 * @param least of numbers and durations, these in nanoseconds
 * @param most of numbers
 * @param choices the words that are accepted, where there is a list of them
 * @param accepted what may stand there, for people to read
 * @param byDefault what holds where it is not set, for people to read
 */
record Setting(
    String key,
    Kind kind,
    long least,
    long most,
    List<String> choices,
    String accepted,
    String byDefault) {

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
    NOT_READ
  }

  Setting(String key, Kind kind, String accepted, String byDefault) {
    this(key, kind, 0, 0, List.of(), accepted, byDefault);
  }

  static Setting text(String key, String accepted, String byDefault) {
    return new Setting(key, Kind.TEXT, accepted, byDefault);
  }

  static Setting onOff(String key, String byDefault) {
    return new Setting(key, Kind.SWITCH, "true, 1, yes, on, false, 0, no or off", byDefault);
  }

  static Setting duration(String key, String byDefault) {
    return duration(key, 0, byDefault);
  }

  static Setting duration(String key, long leastNanos, String byDefault) {
    return new Setting(
        key,
        Kind.DURATION,
        leastNanos,
        Long.MAX_VALUE,
        List.of(),
        "a whole number and ns, us, ms, s, m, h or d, e.g. 5s"
            + (leastNanos == 0 ? "" : "; more than 0"),
        byDefault);
  }

  static Setting number(String key, int least, int most, String byDefault) {
    return new Setting(
        key,
        Kind.NUMBER,
        least,
        most,
        List.of(),
        "a whole number from " + least + " to " + most,
        byDefault);
  }

  static Setting choice(String key, String byDefault, String... choices) {
    return new Setting(
        key, Kind.CHOICE, 0, 0, List.of(choices), String.join(", ", choices), byDefault);
  }
}
