// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The table of settings, and docs/configuration.md, which tells the same. */
class KnownSettingsTest {

  private static final Pattern ROW =
      Pattern.compile(
          "(?m)^\\| `((?:OTEL|TELEMETRY|TRACING)_[A-Z_]+)` \\|(?: (yes|no) \\|)? (.*?) \\| (.*) \\|$");

  /** A row: default and effect, without links and quotes. */
  private record Row(String byDefault, String effect) {

    static Row of(String byDefault, String effect) {
      return new Row(plain(byDefault), plain(effect));
    }

    private static String plain(String text) {
      return text.replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1").replace("`", "");
    }
  }

  private static Map<String, Row> documented() throws IOException {
    Map<String, Row> rows = new LinkedHashMap<>();
    Matcher row = ROW.matcher(Files.readString(Path.of("../docs/configuration.md")));
    while (row.find()) {
      Row told = Row.of(row.group(3), row.group(4));
      rows.put(row.group(1), told);
      if ("yes".equals(row.group(2))) {
        for (String signal : List.of("TRACES", "METRICS", "LOGS")) {
          rows.put(
              row.group(1).replace("_OTLP_", "_OTLP_" + signal + "_"),
              new Row("what holds for all signals", told.effect));
        }
      }
    }
    return rows;
  }

  @Test
  void thePageHasEachSettingWithItsDefaultAndItsEffect() throws IOException {
    Map<String, Row> known = new LinkedHashMap<>();
    for (Setting<?> setting : KnownSettings.all()) {
      if (setting.kind() != Setting.Kind.NOT_READ) {
        known.put(
            Environment.variable(setting.key()), new Row(setting.byDefault(), setting.effect()));
      }
    }
    assertThat(documented()).containsExactlyInAnyOrderEntriesOf(known);
  }

  @Test
  void eachHasAllSentences() {
    assertThat(KnownSettings.all())
        .allSatisfy(
            setting -> {
              assertThat(setting.accepted()).isNotBlank();
              assertThat(setting.byDefault()).isNotBlank();
              assertThat(setting.effect()).isNotBlank();
            });
  }

  /** What is read before the table is there has its default in two places, but not in two minds. */
  @Test
  void whatIsReadEarlyHasTheSameDefault() {
    Environment nothing = new Environment(Map.of(), true);
    assertThat(nothing.mode(true)).isEqualTo(Environment.Mode.ON);
    assertThat(KnownSettings.find("otel.sdk.disabled").defaultValue()).isEqualTo(false);
    assertThat(KnownSettings.find("tracing.enabled").defaultValue()).isEqualTo(true);
    assertThat(KnownSettings.find("telemetry.strict").defaultValue()).isEqualTo(false);
    assertThat(KnownSettings.find("otel.propagators").defaultValue())
        .isEqualTo(nothing.propagators());
  }
}
