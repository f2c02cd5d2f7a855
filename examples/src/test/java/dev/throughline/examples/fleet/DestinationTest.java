// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.util.Map;
import org.junit.jupiter.api.Test;

class DestinationTest {

  @Test
  void isOurOwnReceiverByDefault() {
    Destination destination = Destination.of(Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", " "));

    assertThat(destination.isOwn()).isTrue();
    assertThat(destination.off()).isNull();
  }

  @Test
  void isTheReceiverThatTheEnvironmentNames() {
    Map<String, String> environment = Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317");
    Destination destination = Destination.of(environment);

    assertThat(destination.isOwn()).isFalse();
    assertThat(destination.endpoint()).isEqualTo("localhost:4317");
    assertThat(destination.environment(Role.BMC, null))
        .containsOnly(
            entry("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317"),
            entry("OTEL_SERVICE_NAME", "bmc"));
    assertThat(Destination.of(Map.of("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "x:1")).endpoint())
        .isEqualTo("x:1");
  }

  @Test
  void isNowhereWhereTelemetryIsOff() {
    assertThat(Destination.of(Map.of("OTEL_SDK_DISABLED", "TRUE")).off())
        .isEqualTo("OTEL_SDK_DISABLED=true");
    assertThat(Destination.of(Map.of("TRACING_ENABLED", "false")).off())
        .isEqualTo("TRACING_ENABLED=false");
    assertThat(Destination.of(Map.of("OTEL_SDK_DISABLED", "false", "TRACING_ENABLED", "1")).isOwn())
        .isTrue();
  }

  @Test
  void ourOwnReceiverGetsEverythingWhateverWasSetForAnother() {
    Map<String, String> environment =
        Map.of(
            "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://elsewhere",
            "OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret",
            "OTEL_TRACES_EXPORTER", "none",
            "OTEL_SERVICE_NAME", "mine",
            "PATH", "/bin");

    assertThat(Destination.of(environment).environment(Role.GATEWAY, "http://127.0.0.1:4711"))
        .containsOnly(
            entry("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4711"),
            entry("OTEL_BSP_SCHEDULE_DELAY", "100"),
            entry("OTEL_SERVICE_NAME", "bmc-gateway"),
            entry("PATH", "/bin"));
  }
}
