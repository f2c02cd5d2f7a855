// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which metric a name belongs to, from the first time that it was shown: a series that changed its
 * type whenever another instrument comes first would be worse than one that is missing.
 */
final class NameClaims {

  private static final Logger logger = LoggerFactory.getLogger(NameClaims.class);

  private final Map<String, Claim> claims = new ConcurrentHashMap<>();
  private final Set<String> told = ConcurrentHashMap.newKeySet();

  /**
   * What stands behind a name.
   *
   * @param family its name without suffixes
   * @param unit empty where it is not known, which fits any
   * @param source its scope
   */
  record Claim(String family, String type, String unit, String source) {

    boolean fits(Claim other) {
      return family.equals(other.family)
          && type.equals(other.type)
          && (unit.isEmpty() || other.unit.isEmpty() || unit.equals(other.unit));
    }

    @Override
    public String toString() {
      return type + (unit.isEmpty() ? "" : " in " + unit);
    }
  }

  /** Whether a metric may have all these names; where not, one WARN says who has one of them. */
  boolean claim(Set<String> names, Claim claim) {
    for (String name : names) {
      Claim owner = claims.putIfAbsent(name, claim);
      if (owner != null && !owner.fits(claim)) {
        if (told.add(name + ' ' + claim.source())) {
          logger.warn(
              "{} of {}, a {}, is left out of what is pulled: {} has that name for a {}",
              name,
              claim.source(),
              claim,
              owner.source(),
              owner);
        }
        return false;
      }
    }
    return true;
  }

  /** Tells once that two have the very same series. */
  void tellSameLabels(String name, String shown, String leftOut) {
    if (told.add(name + ' ' + leftOut + " labels")) {
      logger.warn(
          "{} of {} and {} has the same labels; only the first is in what is pulled",
          name,
          shown,
          leftOut);
    }
  }
}
