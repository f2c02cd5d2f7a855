// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import dev.throughline.telemetry.instrument.Printable;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.PointData;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells once of each instrument that has too many points, and which attribute made them. */
final class CardinalityWatch {

  private static final Logger logger = LoggerFactory.getLogger(CardinalityWatch.class);
  // The SDK's, for all sets of attributes past the limit.
  private static final AttributeKey<Boolean> OVERFLOW =
      AttributeKey.booleanKey("otel.metric.overflow");
  private static final int SHOWN_VALUES = 5;
  private static final int LONGEST_VALUE = 60;

  private final Set<String> told = ConcurrentHashMap.newKeySet();
  private volatile int limit;

  void setLimit(int limit) {
    this.limit = limit;
  }

  void look(MetricData metric) {
    for (PointData point : metric.getData().getPoints()) {
      if (point.getAttributes().get(OVERFLOW) != null) {
        String scope = metric.getInstrumentationScopeInfo().getName();
        if (told.add(scope + ' ' + metric.getName())) {
          tell(metric, scope);
        }
        return;
      }
    }
  }

  private void tell(MetricData metric, String scope) {
    Map<String, Map<String, Integer>> values = new HashMap<>();
    for (PointData point : metric.getData().getPoints()) {
      point
          .getAttributes()
          .forEach(
              (key, value) -> {
                if (!key.equals(OVERFLOW)) {
                  values
                      .computeIfAbsent(key.getKey(), name -> new HashMap<>())
                      .merge(value.toString(), 1, Integer::sum);
                }
              });
    }
    values.entrySet().stream()
        .max(Comparator.comparingInt(entry -> entry.getValue().size()))
        .ifPresent(
            grown ->
                logger.warn(
                    "{} of {} has reached its limit of {} combinations of attributes"
                        + " (OTEL_JAVA_METRICS_CARDINALITY_LIMIT), further ones are one point; {}"
                        + " has the most values, {}, the commonest of them are {}",
                    metric.getName(),
                    scope,
                    limit,
                    grown.getKey(),
                    grown.getValue().size(),
                    Printable.of(String.valueOf(commonest(grown.getValue())))));
  }

  private static List<String> commonest(Map<String, Integer> counts) {
    return counts.entrySet().stream()
        .sorted(
            Map.Entry.<String, Integer>comparingByValue()
                .reversed()
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(SHOWN_VALUES)
        .map(entry -> cut(entry.getKey()))
        .toList();
  }

  private static String cut(String value) {
    return value.length() <= LONGEST_VALUE ? value : value.substring(0, LONGEST_VALUE) + "...";
  }
}
