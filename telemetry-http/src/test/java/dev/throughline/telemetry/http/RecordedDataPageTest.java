// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.docs.Pages;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.RequestInstrumenterBuilder;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.AttributeType;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * docs/recorded-data.md and {@link HttpKeys} with {@link HttpAttributes} have the same attributes
 * and metrics.
 */
class RecordedDataPageTest {

  private static final List<String> SECTIONS = List.of("HTTP", "Connect RPC");

  private final String page = Pages.read("docs/recorded-data.md");

  @Test
  void theAttributesAreThoseOfTheCode() throws IllegalAccessException {
    Map<String, String> documented = new TreeMap<>();
    for (String section : SECTIONS) {
      for (List<String> row : Pages.rows(page, section, "key")) {
        assertThat(documented.getOrDefault(row.get(0), row.get(1)))
            .as("the type of %s", row.get(0))
            .isEqualTo(row.get(1));
        documented.put(row.get(0), row.get(1));
      }
    }

    Map<String, String> inCode = new TreeMap<>();
    for (Field field : fields()) {
      if (field.get(null) instanceof AttributeKey<?> key) {
        inCode.put(key.getKey(), type(key.getType()));
      } else if (field.get(null) instanceof String prefix && prefix.endsWith(".")) {
        inCode.put(prefix + "<name>", type(AttributeType.STRING_ARRAY));
      }
    }
    assertThat(documented).isEqualTo(inCode);
  }

  private static List<Field> fields() {
    return Stream.of(HttpKeys.class, HttpAttributes.class)
        .flatMap(type -> Stream.of(type.getDeclaredFields()))
        .filter(field -> !Modifier.isPrivate(field.getModifiers()))
        .toList();
  }

  private static String type(AttributeType type) {
    return type == AttributeType.STRING_ARRAY ? "string[]" : type.name().toLowerCase();
  }

  @Test
  void theMetricsAreThoseOfTheCode() throws IllegalAccessException {
    Set<String> documented = new TreeSet<>();
    for (String section : SECTIONS) {
      Pages.rows(page, section, "metric").forEach(row -> documented.add(row.get(0)));
    }

    Set<String> inCode = new TreeSet<>();
    for (Field field : HttpKeys.class.getDeclaredFields()) {
      if (field.get(null) instanceof String metric && !metric.endsWith(".")) {
        inCode.add(metric);
      }
    }
    assertThat(documented).isEqualTo(inCode);
  }

  @Test
  void theDefaultsAreThoseOfTheCode() {
    String boundaries =
        RequestInstrumenterBuilder.REQUEST_SECONDS.stream()
            .map(boundary -> String.valueOf(boundary).replaceFirst("\\.0$", ""))
            .collect(Collectors.joining(", "));
    assertThat(page).containsIgnoringWhitespaces(boundaries);
    for (String path : HttpTelemetryBuilder.DEFAULT_EXCLUDED_PATHS) {
      assertThat(page).contains("`" + path + "`");
      assertThat(Pages.read("docs/configuration.md")).contains("`" + path + "`");
    }
  }
}
