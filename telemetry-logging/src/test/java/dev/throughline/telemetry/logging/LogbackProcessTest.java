// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process's telemetry, by {@code Telemetry.init}; each of these runs in a process of its own.
 */
class LogbackProcessTest {

  private static List<String> run(
      Class<?> main, Map<String, String> environment, Predicate<String> onClassPath)
      throws IOException, InterruptedException {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(onClassPath)
            // It would put its own storage beneath.
            .filter(entry -> !entry.contains("opentelemetry-sdk-testing"))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp", classPath, main.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.matches("(OTEL|TELEMETRY)_.*"));
    builder.environment().put("OTEL_TRACES_EXPORTER", "none");
    builder.environment().put("OTEL_METRICS_EXPORTER", "none");
    builder.environment().putAll(environment);
    Process process = builder.start();
    List<String> lines = process.inputReader().lines().toList();
    assertThat(process.waitFor()).as(String.join("\n", lines)).isZero();
    return lines;
  }

  @Test
  void spansOfOpenTelemetrysOwnAreInTheMdcToo() throws Exception {
    assertThat(run(ForeignSpan.class, Map.of(), entry -> true))
        .noneMatch(line -> line.contains("WARN"))
        .containsSequence("foreign: true", "after: {}", "closed: {}");
  }

  /** A span of nobody's telemetry. */
  static final class ForeignSpan {
    public static void main(String[] args) {
      Telemetry telemetry = Telemetry.init("service");
      LoggingTelemetry.create(telemetry).install();
      Span span = GlobalOpenTelemetry.getTracer("library").spanBuilder("work").startSpan();
      try (Scope scope = span.makeCurrent()) {
        String id = span.getSpanContext().getTraceId();
        System.out.println("foreign: " + id.equals(MdcKit.mdc().get("trace_id")));
      }
      span.end();
      System.out.println("after: " + MdcKit.mdc());
      telemetry.close();
      try (Scope scope = span.makeCurrent()) {
        System.out.println("closed: " + MdcKit.mdc());
      }
    }
  }

  @Test
  void tellsWhereItComesTooLate() throws Exception {
    assertThat(run(TooLate.class, Map.of(), entry -> true))
        .filteredOn(line -> line.contains("WARN"))
        .singleElement()
        .asString()
        .contains(
            "The MDC is not filled, because OpenTelemetry's context was in use before the first"
                + " Telemetry was built");
  }

  /** Uses the context before there is any telemetry. */
  static final class TooLate {
    public static void main(String[] args) {
      Context.current();
      try (Telemetry telemetry = Telemetry.init("service")) {
        LoggingTelemetry.create(telemetry).install();
        telemetry.span("work").run(() -> System.out.println("in " + MdcKit.mdc()));
      }
    }
  }

  @Test
  void recordsAreWrittenWhereThereIsAnAppender() throws Exception {
    assertThat(run(Lines.class, Map.of("OTEL_LOGS_EXPORTER", "console"), entry -> true))
        .anyMatch(line -> line.contains("'a line'") && line.contains("com.acme.Service"))
        .noneMatch(line -> line.contains("Log records are not sent"));
  }

  @Test
  void tellsWhereTheAppenderIsMissing() throws Exception {
    assertThat(
            run(
                Lines.class,
                Map.of("OTEL_LOGS_EXPORTER", "console"),
                entry -> !entry.contains("opentelemetry-logback-appender")))
        .anyMatch(
            line ->
                line.contains("WARN")
                    && line.contains("add opentelemetry-logback-appender-1.0")
                    && line.contains("Log records are not sent"))
        .contains("ids: [span_id, trace_flags, trace_id]");
  }

  @Test
  void nothingIsMissedWhereRecordsGoNowhere() throws Exception {
    assertThat(
            run(Lines.class, Map.of(), entry -> !entry.contains("opentelemetry-logback-appender")))
        .noneMatch(line -> line.contains("Log records are not sent"))
        .contains("ids: [span_id, trace_flags, trace_id]");
  }

  /** A service that logs. */
  static final class Lines {
    private static final Logger logger = LoggerFactory.getLogger("com.acme.Service");

    public static void main(String[] args) {
      try (Telemetry telemetry = Telemetry.init("service")) {
        LoggingTelemetry.create(telemetry).install();
        telemetry
            .span("work")
            .run(
                () -> {
                  System.out.println("ids: " + new TreeMap<>(MdcKit.mdc()).keySet());
                  logger.warn("a line");
                });
      }
    }
  }
}
