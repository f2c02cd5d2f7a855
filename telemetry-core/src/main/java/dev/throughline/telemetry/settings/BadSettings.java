// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;

/** The settings that can't be used: told one by one, or thrown at once where that is asked for. */
public final class BadSettings {

  private final boolean strict;
  private final List<Bad> all = new ArrayList<>();

  /**
   * @param strict whether one is enough to throw
   */
  public BadSettings(boolean strict) {
    this.strict = strict;
  }

  /**
   * One of them.
   *
   * @param value what was set, with nothing that is secret in it
   * @param used what holds instead
   */
  public record Bad(String variable, String value, String accepted, String used) {}

  void add(String key, String value, String accepted, String used) {
    all.add(new Bad(Environment.variable(key), Secrets.mask(key, value), accepted, used));
  }

  /** Those that were not told yet. */
  public List<Bad> all() {
    return List.copyOf(all);
  }

  /**
   * Logs a WARN for each.
   *
   * @throws Refused where settings are strict and there is one
   */
  public void tell(Logger logger) {
    if (strict && !all.isEmpty()) {
      StringBuilder message = new StringBuilder();
      message.append(all.size() == 1 ? "A setting" : all.size() + " settings");
      message.append(" can't be used, and TELEMETRY_STRICT is set:");
      for (Bad bad : all) {
        message.append("\n- ").append(bad.variable).append(": \"").append(bad.value);
        message.append("\"; accepted: ").append(bad.accepted);
      }
      throw new Refused(message.toString());
    }
    for (Bad bad : all) {
      logger.warn(
          "{}: \"{}\" can't be used; accepted: {}; used instead: {}",
          bad.variable,
          bad.value,
          bad.accepted,
          bad.used);
    }
    all.clear();
  }

  /** Throws where settings are strict, with what went wrong by itself. */
  public void refuse(String message) {
    if (strict) {
      throw new Refused(message);
    }
  }

  /** Settings that the application asked not to be started with. */
  public static final class Refused extends IllegalArgumentException {

    private static final long serialVersionUID = 1;

    Refused(String message) {
      super(message);
    }
  }
}
