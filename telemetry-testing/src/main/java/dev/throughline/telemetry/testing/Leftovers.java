// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import java.util.ArrayList;
import java.util.List;

/** What a test left behind, of which one failure tells. */
final class Leftovers {

  private final List<String> lines = new ArrayList<>();
  private final List<Throwable> places = new ArrayList<>();

  void add(String what, List<?> left) {
    left.forEach(each -> lines.add(what + ": " + each));
  }

  void addScopes(List<Throwable> openedAt) {
    for (Throwable place : openedAt) {
      lines.add("scope not closed: " + place.getMessage());
      places.add(place);
    }
  }

  /**
   * @throws AssertionError if anything was left
   */
  void failIfAny() {
    if (lines.isEmpty()) {
      return;
    }
    AssertionError failure =
        new AssertionError("The test left behind:\n  " + String.join("\n  ", lines));
    places.forEach(failure::addSuppressed);
    throw failure;
  }
}
