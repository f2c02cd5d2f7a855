// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What a scrape answered, series by series. */
final class Exposition {

  private final String text;
  private final Map<String, Double> series = new TreeMap<>();

  /** Fails where a series comes twice, which Prometheus does not take. */
  Exposition(String text) {
    this.text = text;
    // A carriage return may be in a value.
    for (String line : text.split("\n")) {
      if (!line.startsWith("#")) {
        int end = line.lastIndexOf('}') < 0 ? line.indexOf(' ') : line.lastIndexOf('}') + 1;
        String value = line.substring(end).strip();
        assertThat(
                series.put(
                    line.substring(0, end), Double.valueOf(value.replace("Inf", "Infinity"))))
            .as(line)
            .isNull();
      }
    }
  }

  /** By name and labels, as they stand there. */
  Map<String, Double> series() {
    return series;
  }

  /** Those whose name begins like this. */
  Map<String, Double> series(String prefix) {
    Map<String, Double> some = new TreeMap<>(series);
    some.keySet().removeIf(name -> !name.startsWith(prefix));
    return some;
  }

  /** The names of all metrics that have a type. */
  TreeSet<String> names() {
    TreeSet<String> names = new TreeSet<>();
    text.lines()
        .filter(line -> line.startsWith("# TYPE "))
        .forEach(line -> names.add(line.split(" ")[2]));
    return names;
  }

  double value(String name) {
    assertThat(series).as(text).containsKey(name);
    return series.get(name);
  }

  @Override
  public String toString() {
    return text;
  }
}
