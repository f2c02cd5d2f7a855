// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.TelemetryBuilder;
import dev.throughline.telemetry.http.HttpTelemetryBuilder;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdkBuilder;
import io.opentelemetry.sdk.autoconfigure.internal.AutoConfigureUtil;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.internal.DefaultConfigProperties;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/configuration.md has what is read, and nothing else. */
class ConfigurationPageTest {

  private static final Pattern READ =
      Pattern.compile(
          "\\.get(?:Switch|String|Boolean|Int|Long|Double|Duration|List|Map)\\(\\s*"
              + "\"((?:otel|telemetry|tracing)\\.[a-z._]+)\""
              // The table's own entries, of what core reads by them.
              + "|Setting\\.[a-zA-Z]+\\(\\s*\"(telemetry\\.[a-z._]+)\"");
  private static final Pattern TOLD = Pattern.compile("([A-Z_0-9]+)=(.*) \\(([^()]+)\\)");
  private static final Pattern VARIABLE = Pattern.compile("[A-Z]+(?:_[A-Z]+)+");

  private final String page = Pages.read("docs/configuration.md");

  @Test
  void everyVariableThatIsReadIsThereAndNoOther() throws IOException {
    Set<String> read = new TreeSet<>();
    Stream.concat(readByOpenTelemetry(), readHere())
        .forEach(name -> read.add(name.replace('.', '_').toUpperCase(Locale.ROOT)));

    assertThat(documented()).isEqualTo(read);
    assertThat(Pages.rows(page, "What is not read", "not read"))
        .flatExtracting(
            row -> VARIABLE.matcher(row.get(0)).results().map(MatchResult::group).toList())
        .isNotEmpty()
        .doesNotContainAnyElementsOf(read);
  }

  private Set<String> documented() {
    Set<String> documented = new TreeSet<>();
    Pages.rows(page, null, "variable").forEach(row -> documented.add(row.get(0)));
    for (List<String> row : Pages.rows(page, "OTLP", "variable")) {
      if (row.get(1).equals("yes")) {
        for (String signal : List.of("TRACES", "METRICS", "LOGS")) {
          documented.add(row.get(0).replace("_OTLP_", "_OTLP_" + signal + "_"));
        }
      }
    }
    return documented;
  }

  /** What autoconfigure and its exporters ask for, with all that can be on. */
  private static Stream<String> readByOpenTelemetry() {
    ConfigProperties settings =
        DefaultConfigProperties.createFromMap(
            Map.of(
                "otel.traces.exporter", "otlp,console",
                "otel.metrics.exporter", "otlp,console",
                "otel.logs.exporter", "otlp,console",
                "otel.traces.sampler", "traceidratio"));
    Set<String> read = new HashSet<>();
    ConfigProperties recording =
        (ConfigProperties)
            Proxy.newProxyInstance(
                ConfigProperties.class.getClassLoader(),
                new Class<?>[] {ConfigProperties.class},
                (proxy, method, arguments) -> {
                  if (arguments != null) {
                    read.add((String) arguments[0]);
                  }
                  return method.invoke(settings, arguments);
                });
    AutoConfiguredOpenTelemetrySdkBuilder builder =
        AutoConfiguredOpenTelemetrySdk.builder().disableShutdownHook();
    AutoConfigureUtil.setConfigPropertiesCustomizer(builder, environment -> recording);
    builder.build().getOpenTelemetrySdk().close();
    return read.stream();
  }

  private static Stream<String> readHere() throws IOException {
    Set<String> read = new HashSet<>();
    for (Path module : Pages.modules()) {
      try (Stream<Path> files = Files.walk(module.resolve("src/main/java"))) {
        files
            .filter(Files::isRegularFile)
            .flatMap(file -> READ.matcher(Pages.read(file)).results())
            .forEach(call -> read.add(call.group(1) == null ? call.group(2) : call.group(1)));
      }
    }
    assertThat(read).contains("otel.sdk.disabled", "telemetry.close.timeout");
    return read.stream();
  }

  /** What is read is also known, and told, with the same default. */
  @Test
  void theConfigurationAsTextHasTheSameSettings() {
    Map<String, String> told = new HashMap<>();
    Set<String> byDefault = new HashSet<>();
    try (Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .build()) {
      for (String line : telemetry.configuration().split("\n")) {
        Matcher setting = TOLD.matcher(line);
        assertThat(setting.matches()).as(line).isTrue();
        told.put(setting.group(1), setting.group(2));
        if (setting.group(3).equals("default")) {
          byDefault.add(setting.group(1));
        }
      }
    }

    assertThat(told.keySet())
        .containsExactlyInAnyOrderElementsOf(
            Pages.rows(page, null, "variable").stream().map(row -> row.get(0)).toList());
    for (List<String> row : Pages.rows(page, null, "variable")) {
      String documented = row.get(row.size() - 2);
      if (byDefault.contains(row.get(0))
          && !documented.contains(" ")
          && !documented.equals("below")) {
        assertThat(told).containsEntry(row.get(0), documented);
      }
    }
  }

  @Test
  void everyOptionInCodeIsThereAndNoOther() {
    assertThat(options("Telemetry.builder()")).isEqualTo(options(TelemetryBuilder.class));
    assertThat(options("HttpTelemetry.builder(telemetry)"))
        .isEqualTo(options(HttpTelemetryBuilder.class));
  }

  private Set<String> options(String builder) {
    Set<String> options = new TreeSet<>();
    Pages.rows(page, "In code", builder)
        .forEach(row -> options.add(row.get(0).substring(0, row.get(0).indexOf('('))));
    return options;
  }

  private static Set<String> options(Class<?> builder) {
    Set<String> options = new TreeSet<>();
    for (Method method : builder.getDeclaredMethods()) {
      if (Modifier.isPublic(method.getModifiers()) && method.getReturnType() == builder) {
        options.add(method.getName());
      }
    }
    return options;
  }
}
