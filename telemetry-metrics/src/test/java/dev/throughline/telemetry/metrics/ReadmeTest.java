// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.metrics.data.MetricData;
import jakarta.servlet.ServletContext;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
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
    assertThat(found(section("Telemetry itself"), "(?m)^\\| `(throughline\\.[a-z.]+)`"))
        .isEqualTo(inCode);
  }

  @Test
  void theMetricsOfTheJvmAreThoseThatAreRecorded() throws IOException {
    TreeSet<String> onPage = found(section("The JVM"), "`(jvm\\.[a-z_.]+)`");
    try (MountedService service = new MountedService("telemetry.jvm.metrics", "")) {
      TreeSet<String> recorded = new TreeSet<>();
      for (MetricData metric : service.pushed.collectAllMetrics()) {
        recorded.add(metric.getName());
      }
      recorded.removeIf(name -> !name.startsWith("jvm."));
      // There after the first collection of garbage.
      recorded.add("jvm.gc.duration");
      assertThat(recorded).isEqualTo(onPage);
    }
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
      assertThat(found(Files.readString(Path.of(page)), "(?m)^\\| `(set(?:Registry|Mounted))\\("))
          .isEqualTo(inCode);
    }
  }

  private static String section(String title) throws IOException {
    String page = Files.readString(Path.of("../docs/recorded-data.md"));
    int start = page.indexOf("\n## " + title + "\n");
    return page.substring(start, page.indexOf("\n## ", start + 1));
  }

  private static TreeSet<String> found(String text, String pattern) {
    TreeSet<String> names = new TreeSet<>();
    Pattern.compile(pattern).matcher(text).results().forEach(match -> names.add(match.group(1)));
    return names;
  }
}
