// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.LoggerFactory;

/** Says once that span names carry values, which makes every back end slow and dear. */
final class SpanNames {

  private static final int LIMIT = 1_000;

  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private volatile boolean said;

  void check(String name) {
    if (said || seen.contains(name)) {
      return;
    }
    if (seen.size() >= LIMIT) {
      synchronized (this) {
        if (said) {
          return;
        }
        said = true;
      }
      seen.clear();
      LoggerFactory.getLogger(SpanNames.class)
          .warn(
              "More than {} distinct span names, the latest is \"{}\": put what varies into"
                  + " attributes",
              LIMIT,
              name);
      return;
    }
    seen.add(name);
  }
}
