// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.common.AttributeKey;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The project's pages have what this module records and what can be set. */
class PagesTest {

  private static final Path PAGES = Path.of("..", "docs");

  @Test
  void theRecordedDataIsThatOfTheCode() throws Exception {
    String section = section(Files.readString(PAGES.resolve("recorded-data.md")));
    Map<String, String> inCode = new TreeMap<>();
    Set<String> metrics = new TreeSet<>();
    for (Field field : WebSocketKeys.class.getDeclaredFields()) {
      if (field.get(null) instanceof AttributeKey<?> key) {
        inCode.put(key.getKey(), key.getType().name().toLowerCase());
      } else if (field.get(null) instanceof String metric) {
        metrics.add(metric);
      }
    }
    assertThat(rows(section, "key")).isEqualTo(inCode);
    assertThat(rows(section, "metric").keySet()).isEqualTo(metrics);
    assertThat(rows(Files.readString(Path.of("README.md")), "metric").keySet()).isEqualTo(metrics);
    assertThat(Files.readString(PAGES.resolve("recorded-data.md")))
        .containsIgnoringWhitespaces(
            Sockets.SECONDS.stream()
                .map(
                    seconds ->
                        seconds < 1 ? seconds.toString() : "%,d".formatted(seconds.intValue()))
                .collect(Collectors.joining(", ")));
  }

  @Test
  void theOptionsAreThoseOfTheCode() throws IOException {
    Set<String> inCode =
        Arrays.stream(WebSocketTelemetryBuilder.class.getDeclaredMethods())
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .filter(method -> method.getReturnType() == WebSocketTelemetryBuilder.class)
            .map(method -> method.getName())
            .collect(Collectors.toCollection(TreeSet::new));
    String configuration = Files.readString(PAGES.resolve("configuration.md"));
    String readme = Files.readString(Path.of("README.md"));
    assertThat(options(rows(configuration, "`WebSocketTelemetry.builder(telemetry)`")))
        .isEqualTo(inCode);
    assertThat(options(rows(readme, "option of `WebSocketTelemetry.builder(telemetry)`")))
        .isEqualTo(inCode);
    assertThat(rows(readme, "`addContextSource(…)`").keySet())
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(ContextSource.values()).map(Enum::name).toList());
  }

  @Test
  void theVersionsAreThoseThatTheTestsRunOn() throws IOException {
    String readme = Files.readString(Path.of("README.md")).replace('\n', ' ');
    String pom = Files.readString(Path.of("..", "pom.xml"));
    assertThat(readme)
        .contains("Tyrus " + version(pom, "tyrus"))
        .contains("Jetty " + version(pom, "jetty"))
        .contains("Tomcat " + version(pom, "tomcat"))
        .contains("`jakarta.websocket` " + version(pom, "websocket-api").substring(0, 3));
  }

  private static String version(String pom, String library) {
    Matcher version = Pattern.compile("<" + library + "\\.version>(.*)</").matcher(pom);
    assertThat(version.find()).isTrue();
    return version.group(1);
  }

  private static Set<String> options(Map<String, String> rows) {
    return rows.keySet().stream()
        .map(option -> option.substring(0, option.indexOf('(')))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String section(String page) {
    Matcher section = Pattern.compile("(?ms)^## WebSocket$(.*?)(?=^## )").matcher(page);
    assertThat(section.find()).isTrue();
    return section.group(1);
  }

  /** The first two cells of each row of the tables whose first column has this head. */
  private static Map<String, String> rows(String text, String firstColumn) {
    Map<String, String> rows = new TreeMap<>();
    boolean inTable = false;
    for (String line : text.lines().toList()) {
      String[] cells = line.split("\\|", -1);
      if (cells.length < 3) {
        inTable = false;
      } else if (cells[1].strip().equals(firstColumn)) {
        inTable = true;
      } else if (inTable && !cells[1].contains("---")) {
        rows.put(cells[1].strip().replaceAll("^`([^`]*)`.*", "$1"), cells[2].strip());
      }
    }
    return rows;
  }
}
