// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An instrument with too many combinations of attributes, pulled and pushed. */
class CardinalityTest {

  private static final AttributeKey<String> HOST = AttributeKey.stringKey("bmc.host");
  private static final AttributeKey<String> ACTION = AttributeKey.stringKey("action");

  @RegisterExtension static final TelemetryExtension log = TelemetryExtension.create();

  @Test
  void atTheDefaultLimitOneWarnNamesWhatGrew() {
    try (MountedService service = new MountedService()) {
      record(service, 3000);
      Exposition scraped = service.scrape();
      assertThat(scraped.series("ipmi_commands_total")).hasSize(2000);
      assertThat(scraped.value("ipmi_commands_total{otel_metric_overflow=\"true\"}"))
          .isEqualTo(3000 - 1999);
      // The hosts below 500 have been asked for two actions.
      log.expectWarn(
          Pattern.quote(
              "ipmi.commands of bmc-gateway has reached its limit of 2000 combinations of"
                  + " attributes (OTEL_JAVA_METRICS_CARDINALITY_LIMIT), further ones are one"
                  + " point; bmc.host has the most values, 1499, the commonest of them are"
                  + " [h-0, h-1, h-10, h-100, h-101]"));
      // Once, whoever collects.
      service.scrape();
      service.telemetry.flush(MountedService.PATIENCE);
    }
  }

  @Test
  void valuesOfStrangersAreCutAndEscaped() {
    try (MountedService service = new MountedService("otel.java.metrics.cardinality.limit", "10")) {
      LongCounter commands = service.telemetry.meter().counterBuilder("ipmi.commands").build();
      for (int i = 0; i < 20; i++) {
        commands.add(1, Attributes.of(HOST, "\nFORGED " + i + "y".repeat(100)));
      }
      service.scrape();
      log.expectWarn(Pattern.quote("[\\u000aFORGED 0" + "y".repeat(51) + "..., "));
    }
  }

  @Test
  void theLimitIsASetting() {
    try (MountedService service = new MountedService("otel.java.metrics.cardinality.limit", "10")) {
      record(service, 3000);
      assertThat(service.scrape().series("ipmi_commands_total")).hasSize(10);
      log.expectWarn("has reached its limit of 10 combinations");
    }
  }

  @Test
  void isToldWhereMetricsAreOnlyPushed() {
    try (MountedService service = new MountedService(false, "otel.metrics.exporter", "console")) {
      record(service, 3000);
      service.telemetry.flush(MountedService.PATIENCE);
      log.expectWarn("ipmi.commands of bmc-gateway has reached its limit of 2000 combinations");
    }
  }

  private static void record(MountedService service, int count) {
    LongCounter commands = service.telemetry.meter().counterBuilder("ipmi.commands").build();
    for (int i = 0; i < count; i++) {
      int host = i < 1000 ? i / 2 : i;
      String action = i % 2 == 0 || i >= 1000 ? "on" : "off";
      commands.add(1, Attributes.of(HOST, "h-" + (i < 1000 ? host : host - 500), ACTION, action));
    }
  }
}
