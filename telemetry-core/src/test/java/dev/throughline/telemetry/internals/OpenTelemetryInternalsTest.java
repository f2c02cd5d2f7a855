// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.internals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.throughline.telemetry.internals.OpenTelemetryInternals.Autoconfigure;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.context.ContextStorage;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdkBuilder;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.internal.ConfigurableMetricReaderProvider;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** Each of these fails on the upgrade of OpenTelemetry that moves what it is about. */
class OpenTelemetryInternalsTest {

  private static final ComponentLoader COMPONENTS =
      ComponentLoader.forClassLoader(OpenTelemetryInternalsTest.class.getClassLoader());
  private static final Map<String, String> NOWHERE =
      Map.of(
          "otel.traces.exporter", "none",
          "otel.metrics.exporter", "none",
          "otel.logs.exporter", "none");

  @Test
  void theAgentStillHasItsClass() throws IOException {
    assertThat(OpenTelemetryInternals.isAgentRunning()).isFalse();
    try (JarFile agent =
        new JarFile(Path.of("target/agent/opentelemetry-javaagent.jar").toFile())) {
      assertThat(agent.getEntry("io/opentelemetry/javaagent/bootstrap/AgentInitializer.class"))
          .isNotNull();
    }
  }

  /** The class of scopes that the compiler inlines only when it is loaded. */
  @Test
  void scopesStillHaveTheirClass() {
    assertThatCode(
            () ->
                Class.forName(
                    "io.opentelemetry.context.ThreadLocalContextStorage$1",
                    false,
                    ContextStorage.class.getClassLoader()))
        .doesNotThrowAnyException();
    assertThatCode(OpenTelemetryInternals::loadScopes).doesNotThrowAnyException();
  }

  @Test
  void valuesAreReadAsAutoconfigureReadsThem() {
    ConfigProperties read = Autoconfigure.read(Map.of("a", "5s", "b", "x,y", "c", "k=v"));
    assertThat(read.getDuration("a")).isEqualTo(Duration.ofSeconds(5));
    assertThat(read.getList("b")).containsExactly("x", "y");
    assertThat(read.getMap("c")).containsExactly(Map.entry("k", "v"));
    assertThat(
            Autoconfigure.readEnvironment(Map.of("only.here", "default"), COMPONENTS)
                .getString("only.here"))
        .isEqualTo("default");
  }

  @Test
  void autoconfigureAsksTheCustomizerForItsSettings() {
    List<ConfigProperties> given = new ArrayList<>();
    AutoConfiguredOpenTelemetrySdkBuilder builder =
        AutoConfiguredOpenTelemetrySdk.builder().disableShutdownHook();
    Autoconfigure.customize(
        builder,
        settings -> {
          given.add(settings);
          return Autoconfigure.read(NOWHERE);
        });
    builder.build().getOpenTelemetrySdk().close();
    assertThat(given).hasSize(1);
  }

  @Test
  void autoconfigureTakesSettingsThatReplaceAllOthers() {
    List<String> seen = new ArrayList<>();
    AutoConfiguredOpenTelemetrySdkBuilder builder =
        AutoConfiguredOpenTelemetrySdk.builder()
            .disableShutdownHook()
            .addPropertiesSupplier(() -> Map.of("mine", "not read"))
            .addResourceCustomizer(
                (resource, config) -> {
                  seen.add(String.valueOf(config.getString("mine")));
                  return resource;
                });
    Autoconfigure.replace(builder, Autoconfigure.read(NOWHERE));
    builder.build().getOpenTelemetrySdk().close();
    assertThat(seen).containsExactly("null");
  }

  @Test
  void metricReadersAreFoundByTheirNames() {
    ComponentLoader one =
        new ComponentLoader() {
          @Override
          @SuppressWarnings("unchecked")
          public <T> Iterable<T> load(Class<T> type) {
            return type == ConfigurableMetricReaderProvider.class
                ? (List<T>) List.of(new Reader())
                : List.of();
          }
        };
    assertThat(Autoconfigure.metricReaders(one)).containsExactly("mine");
  }

  private static final class Reader implements ConfigurableMetricReaderProvider {

    @Override
    public MetricReader createMetricReader(ConfigProperties settings) {
      throw new AssertionError("nobody asks for it");
    }

    @Override
    public String getName() {
      return "mine";
    }
  }
}
