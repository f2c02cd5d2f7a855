// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each value that is accepted is one that OpenTelemetry takes, at both ends of its range. */
class ExtremeValuesTest {

  // A slot each.
  private static final Set<String> QUEUES =
      Set.of("otel.bsp.max.queue.size", "otel.blrp.max.queue.size");

  static Stream<Setting<?>> settings() {
    return KnownSettings.all().stream().filter(setting -> !values(setting).isEmpty());
  }

  private static List<String> values(Setting<?> setting) {
    Setting.Range range = setting.range();
    return switch (setting.kind()) {
      case SWITCH -> setting.key().startsWith("t") ? List.of("true") : List.of("false");
      case CHOICE -> range.choices();
      case NUMBER ->
          QUEUES.contains(setting.key())
              ? List.of(Long.toString(range.least()))
              : List.of(Long.toString(range.least()), Long.toString(range.most()));
      case DURATION -> {
        List<String> durations =
            new ArrayList<>(List.of("1ns", "999us", "1ms", "106751d", "9223372036854775807d"));
        if (range.least() == 0) {
          durations.add("0");
        }
        yield durations;
      }
      case RATIO -> List.of("0", "1", "1e-300", "0x1p-3");
      default -> List.of();
    };
  }

  @ParameterizedTest
  @MethodSource("settings")
  void isTaken(Setting<?> setting) {
    for (String value : values(setting)) {
      try (Telemetry telemetry =
          Telemetry.builder()
              .ignoreEnvironment()
              // Nobody listens there.
              .addProperty("otel.exporter.otlp.endpoint", "localhost:1")
              .addProperty("telemetry.close.timeout", "1ms")
              // A close that may take for ever waits for nothing.
              .addProperty(
                  "otel.metrics.exporter", setting.key().contains("close") ? "none" : "otlp")
              .addProperty(setting.key(), value)
              .build()) {
        assertThat("\n" + telemetry.configuration())
            .as(setting.key() + "=" + value)
            .contains("\n" + Environment.variable(setting.key()) + "=");
      }
    }
  }
}
