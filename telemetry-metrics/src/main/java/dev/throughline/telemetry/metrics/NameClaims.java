// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.instrument.Printable;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which metric a name belongs to, from the first time that it was shown: a series that changed its
 * type whenever another instrument comes first would be worse than one that is missing.
 */
final class NameClaims {

  private static final Logger logger = LoggerFactory.getLogger(NameClaims.class);

  private final Map<String, Claim> instruments = new ConcurrentHashMap<>();
  private final Map<String, Claim> families = new ConcurrentHashMap<>();
  // Apart from families: x_total is a series of the counter x, and may be the family of another.
  private final Map<String, Claim> series = new ConcurrentHashMap<>();
  private final Set<String> told = ConcurrentHashMap.newKeySet();

  /**
   * What stands behind a name.
   *
   * @param instrument its name as the service gave it
   * @param source its scope
   * @param family its name without suffixes
   * @param unit empty where it is not known, which fits any
   */
  record Claim(String instrument, String source, String family, String type, String unit) {

    boolean fits(Claim other) {
      return family.equals(other.family)
          && type.equals(other.type)
          && (unit.isEmpty() || other.unit.isEmpty() || unit.equals(other.unit));
    }

    String who() {
      return instrument + " of " + source;
    }

    String what() {
      return type + (unit.isEmpty() ? "" : " in " + unit);
    }
  }

  /** Whether an instrument may have its name, and what it shows; unless, one WARN names both. */
  boolean claim(Claim claim, Collection<String> shown) {
    return owns(instruments, claim.instrument(), claim) && claimShown(claim, shown);
  }

  /** Whether a metric may have the names that it shows; unless, one WARN names both. */
  boolean claimShown(Claim claim, Collection<String> shown) {
    boolean owns = owns(families, claim.family(), claim);
    for (String name : shown) {
      owns = owns && owns(series, name, claim);
    }
    return owns;
  }

  private boolean owns(Map<String, Claim> names, String name, Claim claim) {
    Claim owner = names.putIfAbsent(name, claim);
    if (owner == null || owner.fits(claim)) {
      return true;
    }
    if (told.add(claim.who() + ' ' + name)) {
      logger.warn(
          "{}, a {}, is left out of what is pulled: {}, a {}, has the name {}",
          claim.who(),
          claim.what(),
          owner.who(),
          owner.what(),
          name);
    }
    return false;
  }

  /** Tells once that two have the very same series. */
  void tellSameLabels(String name, String shown, String leftOut) {
    if (told.add(name + ' ' + leftOut + " labels")) {
      logger.warn(
          "{} and {} have the same labels in {}; only the first is in what is pulled",
          shown,
          leftOut,
          name);
    }
  }

  /**
   * Tells once of what Prometheus does not take.
   *
   * @param who a metric and its source
   * @param what of it is left out
   * @param why null where OpenTelemetry's exporter logs it
   */
  void tellUnwritable(String who, String what, @Nullable Throwable why) {
    if (told.add(who + ' ' + what)) {
      logger.warn(
          "{} is left out of what is pulled, {}: Prometheus takes no such name, label or value{}",
          who,
          Printable.of(what),
          why == null
              ? ", of which OpenTelemetry's exporter logs more"
              : " (" + Printable.of(why.toString()) + ")");
    }
  }
}
