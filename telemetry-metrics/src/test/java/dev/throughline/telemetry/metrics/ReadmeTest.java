// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import io.opentelemetry.api.common.AttributeKey;
import jakarta.servlet.ServletContext;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The README, and what the project's pages tell of this module. */
class ReadmeTest extends ReadmeKit {

  /** Compiled and not run: it would be the telemetry of the whole process. */
  void mount(HttpServer server, ServletContext servletContext) {
    // region
    MetricsTelemetry metrics = MetricsTelemetry.create();
    Telemetry telemetry = Telemetry.init("bmc-gateway", metrics);

    server.createContext("/metrics", metrics.createHttpHandler()); // com.sun.net.httpserver
    servletContext.addServlet("metrics", metrics.createServlet()).addMapping("/metrics");
    // endregion
    telemetry.close();
  }

  @Test
  void whatIsRecordedIsThatOfTheCode() throws Exception {
    TreeSet<String> inCode = new TreeSet<>();
    for (Field field : MetricsKeys.class.getDeclaredFields()) {
      Object value = field.get(null);
      inCode.add(value instanceof AttributeKey<?> key ? key.getKey() : (String) value);
    }
    String page = Files.readString(Path.of("../docs/recorded-data.md"));
    String section =
        page.substring(page.indexOf("## Telemetry itself"), page.indexOf("## Your collectors"));
    assertThat(firstCells(section, "throughline\\.[a-z.]+")).isEqualTo(inCode);
  }

  @Test
  void theOptionsAreThoseOfTheCode() throws IOException {
    TreeSet<String> inCode = new TreeSet<>();
    for (Method method : MetricsTelemetryBuilder.class.getDeclaredMethods()) {
      if (Modifier.isPublic(method.getModifiers())
          && method.getReturnType() == MetricsTelemetryBuilder.class) {
        inCode.add(method.getName());
      }
    }
    for (String page : List.of("README.md", "../docs/configuration.md")) {
      assertThat(firstCells(Files.readString(Path.of(page)), "set(?:Registry|Mounted)"))
          .isEqualTo(inCode);
    }
  }

  private static TreeSet<String> firstCells(String text, String name) {
    Pattern cell = Pattern.compile("(?m)^\\| `(" + name + ")[`(]");
    Stream<MatchResult> found = cell.matcher(text).results();
    TreeSet<String> names = new TreeSet<>();
    found.forEach(match -> names.add(match.group(1)));
    return names;
  }
}
