// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import java.time.Duration;

/**
 * How long is measured.
 *
 * @param forks JVMs for each rung
 * @param warmUp of each fork, in three iterations
 * @param iterations that count
 * @param iteration how long each of them takes
 * @param startUpRounds how often each process is started
 * @param export how long each exporter is under load
 */
record Effort(
    String word,
    int forks,
    Duration warmUp,
    int iterations,
    Duration iteration,
    int startUpRounds,
    Duration export) {

  static final Effort QUICK =
      new Effort(
          "quick", 1, Duration.ofSeconds(3), 3, Duration.ofMillis(500), 5, Duration.ofSeconds(3));
  static final Effort FULL =
      new Effort(
          "full", 3, Duration.ofSeconds(3), 5, Duration.ofSeconds(1), 15, Duration.ofSeconds(6));
  static final Effort BUDGET =
      new Effort("budget", 3, Duration.ofMillis(2400), 2, Duration.ofMillis(500), 0, Duration.ZERO);

  /** What seems to break a budget is measured again with this. */
  static final Effort DOUBT =
      new Effort("budget", 3, Duration.ofSeconds(15), 2, Duration.ofMillis(500), 0, Duration.ZERO);

  /** The same, with exporters under load for another time. */
  Effort exporting(Duration time) {
    return new Effort(word, forks, warmUp, iterations, iteration, startUpRounds, time);
  }
}
