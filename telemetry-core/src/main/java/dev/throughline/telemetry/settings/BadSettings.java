// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import dev.throughline.telemetry.settings.Environment.Refused;
import dev.throughline.telemetry.settings.Environment.Unusable;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;

/** The settings that can't be used: told one by one, or thrown at once when that is asked for. */
final class BadSettings {

  private final boolean strict;
  private final List<Unusable> all = new ArrayList<>();

  /**
   * @param strict whether one is enough to throw
   */
  BadSettings(boolean strict) {
    this.strict = strict;
  }

  void add(String key, String value, String accepted, String used) {
    all.add(new Unusable(Environment.variable(key), Secrets.mask(key, value), accepted, used));
  }

  /** Those that were not told yet. */
  List<Unusable> all() {
    return List.copyOf(all);
  }

  /**
   * Logs a WARN for each.
   *
   * @throws Refused if settings are strict and there is one
   */
  void tell(Logger logger) {
    if (strict && !all.isEmpty()) {
      StringBuilder message = new StringBuilder();
      message.append(all.size() == 1 ? "A setting" : all.size() + " settings");
      message.append(" can't be used, and TELEMETRY_STRICT is set:");
      for (Unusable bad : all) {
        message.append("\n- ").append(bad.variable()).append(": \"").append(bad.value());
        message.append("\"; accepted: ").append(bad.accepted());
      }
      throw new Refused(message.toString());
    }
    for (Unusable bad : all) {
      logger.warn(
          "{}: \"{}\" can't be used; accepted: {}; used instead: {}",
          bad.variable(),
          bad.value(),
          bad.accepted(),
          bad.used());
    }
    all.clear();
  }

  /** Throws when settings are strict, with what went wrong by itself. */
  void refuse(String message) {
    if (strict) {
      throw new Refused(message);
    }
  }
}
