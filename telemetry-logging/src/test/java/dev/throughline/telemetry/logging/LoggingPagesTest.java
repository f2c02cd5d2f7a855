// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The module's README, and what docs/recorded-data.md says of the MDC. */
class LoggingPagesTest extends ReadmeKit {

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  /** Compiled and not run: it would be the telemetry of the whole process. */
  void start() {
    // region
    Telemetry telemetry = Telemetry.init("bmc-gateway"); // before anything uses OpenTelemetry
    LoggingTelemetry.create(telemetry).install();
    // endregion
  }

  @Test
  void theKeysAreThoseOfTheCode() throws Exception {
    Set<String> keys = new TreeSet<>();
    for (Field field : LogKeys.class.getDeclaredFields()) {
      keys.add((String) field.get(null));
    }
    String page = Files.readString(Path.of("..", "docs", "recorded-data.md"));
    String section = page.substring(page.indexOf("\n### The MDC\n"), page.indexOf("\n### Log rec"));
    assertThat(
            Pattern.compile("(?m)^\\| `([a-z_]+)` ")
                .matcher(section)
                .results()
                .map(row -> row.group(1))
                .collect(Collectors.toSet()))
        .isEqualTo(keys);
  }

  @Test
  void installFillsTheMdc() {
    LoggingTelemetry.create(recorded.telemetry()).install();
    recorded.telemetry().span("work").run(() -> assertThat(MdcKit.mdc()).hasSize(3));
    assertThat(recorded).tree("work");
  }
}
