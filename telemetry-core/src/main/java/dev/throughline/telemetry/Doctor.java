// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import dev.throughline.telemetry.Finding.Result;
import dev.throughline.telemetry.Wiretap.Answer;
import dev.throughline.telemetry.Wiretap.Wire;
import dev.throughline.telemetry.settings.BadSettings;
import dev.throughline.telemetry.settings.Configuration;
import dev.throughline.telemetry.settings.Environment;
import dev.throughline.telemetry.settings.KnownSettings;
import dev.throughline.telemetry.settings.Secrets;
import dev.throughline.telemetry.settings.Settings;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.ResourceConfiguration;
import io.opentelemetry.sdk.autoconfigure.spi.internal.DefaultConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.logs.ConfigurableLogRecordExporterProvider;
import io.opentelemetry.sdk.autoconfigure.spi.metrics.ConfigurableMetricExporterProvider;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSpanExporterProvider;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Says why telemetry does not arrive: {@code java -cp ... dev.throughline.telemetry.Doctor}, with
 * the class path and the variables of the service.
 *
 * <p>It looks at the settings, the versions on the class path and the OpenTelemetry Java agent; at
 * each OTLP endpoint's name, port, TLS, protocol and clock; and at whether each signal is taken. It
 * sends one span, {@code telemetry.doctor}, and requests without metrics and log records.
 *
 * <p>What it finds is a table for people, or with {@code --json} an object for programs. It exits
 * with 0 where nothing failed, 1 where something did, and 2 where it was called wrongly.
 */
public final class Doctor {

  private static final String PROCESS = "";
  private static final String SPAN = "telemetry.doctor";
  private static final int WRONG_USAGE = 2;
  // The JDK drops loggers that nobody holds, and their levels.
  private static final Logger EXPORTERS = Logger.getLogger("io.opentelemetry");

  private final Environment environment;
  private final List<Finding> findings = new ArrayList<>();

  private Doctor(Environment environment) {
    this.environment = environment;
  }

  /**
   * Looks, prints what it found to standard output, and ends the JVM.
   *
   * @param args {@code --json}, or nothing
   */
  public static void main(String[] args) {
    // They tell the same, with stack traces.
    EXPORTERS.setLevel(Level.OFF);
    System.exit(run(new Environment(Map.of(), false), System.out, args));
  }

  /** As {@link #main}, to wherever, and without the end. */
  static int run(Environment environment, PrintStream out, String... args) {
    boolean json = args.length == 1 && args[0].equals("--json");
    if (args.length > 0 && !json) {
      out.println("Usage: java -cp CLASSPATH dev.throughline.telemetry.Doctor [--json]");
      return WRONG_USAGE;
    }
    Doctor doctor = new Doctor(environment);
    doctor.look();
    if (json) {
      doctor.printJson(out);
    } else {
      doctor.printTable(out);
    }
    return doctor.isWell() ? 0 : 1;
  }

  private boolean isWell() {
    return findings.stream().noneMatch(finding -> finding.result() == Result.FAILED);
  }

  private void look() {
    Settings[] perSignal = new Settings[KnownSettings.SIGNALS.size()];
    Wiretap[] wiretaps = new Wiretap[perSignal.length];
    BadSettings bad = new BadSettings(false);
    for (int i = 0; i < perSignal.length; i++) {
      // The first tells; the others would tell the same.
      bad = i == 0 ? bad : new BadSettings(false);
      wiretaps[i] =
          new Wiretap(
              ComponentLoader.forClassLoader(
                  AutoConfiguredOpenTelemetrySdk.class.getClassLoader()));
      perSignal[i] = settings(wiretaps[i], bad);
      if (i == 0) {
        lookAtSettings(bad);
      }
    }
    lookAtProcess();
    lookAtEndpoints(perSignal, wiretaps);
  }

  private Settings settings(ComponentLoader components, BadSettings bad) {
    Map<String, List<String>> decided = new HashMap<>();
    decided.put("otel.propagators", environment.propagators(bad));
    DefaultConfigProperties all =
        DefaultConfigProperties.create(Map.of(), components).withOverrides(environment.all());
    Configuration known = new Configuration(all, environment, decided, bad);
    return new Settings(
        all,
        all,
        decided,
        known.usable().withOverrides(Map.of("otel.java.exporter.otlp.retry.disabled", "true")),
        null,
        components);
  }

  private void lookAtSettings(BadSettings bad) {
    for (BadSettings.Bad setting : bad.all()) {
      findings.add(
          Finding.warning(
              PROCESS,
              "settings",
              setting.variable() + ": \"" + setting.value() + "\" can't be used",
              "accepted: " + setting.accepted() + "; used instead: " + setting.used()));
    }
    if (bad.all().isEmpty()) {
      findings.add(Finding.ok(PROCESS, "settings", "all that is set can be used"));
    }
    if (Boolean.TRUE.equals(environment.getSwitch("otel.sdk.disabled"))) {
      findings.add(
          Finding.warning(
              PROCESS,
              "settings",
              "telemetry is off, since OTEL_SDK_DISABLED=true",
              "unset it for telemetry; the checks below go on without it"));
    } else if (Boolean.FALSE.equals(environment.getSwitch("tracing.enabled"))) {
      findings.add(
          Finding.warning(
              PROCESS,
              "settings",
              "spans are off, since TRACING_ENABLED=false",
              "unset it for spans; the checks below go on without it"));
    }
  }

  private void lookAtProcess() {
    String mix = OpenTelemetryVersions.mix(Doctor.class.getClassLoader());
    findings.add(
        mix == null
            ? Finding.ok(PROCESS, "versions", "all OpenTelemetry artifacts are of one version")
            : Finding.warning(
                PROCESS,
                "versions",
                "OpenTelemetry artifacts of several versions are on the class path: " + mix,
                "import telemetry-bom first"));
    List<String> agents =
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(argument -> argument.startsWith("-javaagent:"))
            .map(argument -> argument.substring("-javaagent:".length()).replaceFirst("=.*", ""))
            .toList();
    if (JavaAgent.isRunning()) {
      findings.add(
          Finding.warning(
              PROCESS,
              "java agent",
              "the OpenTelemetry Java agent runs: " + String.join(", ", agents),
              "Telemetry.init leaves it the work, and its settings count; look at JAVA_TOOL_OPTIONS"
                  + " if it is not wanted"));
    } else if (agents.isEmpty()) {
      findings.add(Finding.ok(PROCESS, "java agent", "none runs"));
    } else {
      findings.add(
          Finding.ok(
              PROCESS, "java agent", "none of OpenTelemetry's, but " + String.join(", ", agents)));
    }
  }

  private void lookAtEndpoints(Settings[] perSignal, Wiretap[] wiretaps) {
    Map<String, List<Finding>> steps = new LinkedHashMap<>();
    for (int i = 0; i < perSignal.length; i++) {
      String signal = KnownSettings.SIGNALS.get(i);
      List<String> exporters =
          perSignal[i].getList("otel." + signal + ".exporter", List.of("otlp"));
      if (!exporters.contains("otlp")) {
        findings.add(Finding.skipped(PROCESS, signal, "go to " + String.join(", ", exporters)));
        continue;
      }
      try {
        lookAt(signal, perSignal[i], wiretaps[i], steps);
      } catch (RuntimeException | LinkageError | ServiceConfigurationError e) {
        findings.add(
            Finding.failed(
                PROCESS,
                signal,
                "the exporter can't be made: " + Secrets.text(String.valueOf(e)),
                "look at the versions above"));
      }
    }
  }

  private void lookAt(
      String signal, Settings settings, Wiretap wiretap, Map<String, List<Finding>> steps) {
    AutoCloseable exporter = exporter(signal, settings);
    Wire wire = wiretap.wire();
    Diagnosis diagnosis = new Diagnosis(wire.endpoint, wire.grpc, wire.tls, wire.trusted);
    String target = diagnosis.target();
    List<Finding> known = steps.get(target);
    if (known == null) {
      known = diagnosis.run();
      steps.put(target, known);
      findings.addAll(known);
    }
    if (known.stream().anyMatch(finding -> finding.result() == Result.FAILED)) {
      findings.add(Finding.skipped(target, signal, "not tried"));
    } else if (exporter instanceof SpanExporter spans) {
      sendSpan(target, settings, spans, wire);
    } else {
      add(target, signal, "taken", wire.sendNothing());
    }
    close(exporter);
  }

  private static void close(AutoCloseable exporter) {
    try {
      exporter.close();
    } catch (Exception e) {
      // Nothing was asked of it any more.
    }
  }

  /** Without the SDK around it, which would send by itself. */
  private static AutoCloseable exporter(String signal, Settings settings) {
    ComponentLoader components = settings.getComponentLoader();
    switch (signal) {
      case "traces" -> {
        for (ConfigurableSpanExporterProvider provider :
            components.load(ConfigurableSpanExporterProvider.class)) {
          if (provider.getName().equals("otlp")) {
            return provider.createExporter(settings);
          }
        }
      }
      case "metrics" -> {
        for (ConfigurableMetricExporterProvider provider :
            components.load(ConfigurableMetricExporterProvider.class)) {
          if (provider.getName().equals("otlp")) {
            return provider.createExporter(settings);
          }
        }
      }
      default -> {
        for (ConfigurableLogRecordExporterProvider provider :
            components.load(ConfigurableLogRecordExporterProvider.class)) {
          if (provider.getName().equals("otlp")) {
            return provider.createExporter(settings);
          }
        }
      }
    }
    throw new IllegalStateException("opentelemetry-exporter-otlp is not on the class path");
  }

  private void sendSpan(String target, Settings settings, SpanExporter exporter, Wire wire) {
    CompletableFuture<Answer> answered = wire.expect();
    try (SdkTracerProvider tracers =
        SdkTracerProvider.builder()
            .setResource(ResourceConfiguration.createEnvironmentResource(settings))
            .addSpanProcessor(SimpleSpanProcessor.create(exporter))
            .build()) {
      Span span = tracers.get(Doctor.class.getName()).spanBuilder(SPAN).startSpan();
      span.end();
      Answer answer = Wire.await(answered);
      add(
          target,
          "traces",
          "the span " + SPAN + " is acknowledged, of trace " + span.getSpanContext().getTraceId(),
          answer);
    }
  }

  private void add(String target, String signal, String taken, Answer answer) {
    findings.add(
        switch (answer.kind()) {
          case ACKNOWLEDGED -> Finding.ok(target, signal, taken);
          case NOT_AUTHENTICATED ->
              Finding.failed(
                  target,
                  signal,
                  "authentication: the receiver does not let you in (" + answer.text() + ")",
                  environment.get("otel.exporter.otlp.headers") == null
                      ? "set OTEL_EXPORTER_OTLP_HEADERS, e.g. Authorization=Bearer%20abc"
                      : "correct OTEL_EXPORTER_OTLP_HEADERS; its values are percent-encoded");
          case NOT_TAKEN_HERE ->
              Finding.failed(
                  target,
                  signal,
                  "the receiver does not take them there (" + answer.text() + ")",
                  "correct the endpoint's path, add a pipeline for them to the collector, or set"
                      + " OTEL_"
                      + signal.toUpperCase(Locale.ROOT)
                      + "_EXPORTER=none");
          case REFUSED ->
              Finding.failed(
                  target,
                  signal,
                  "the receiver refuses them (" + answer.text() + ")",
                  "see the receiver's log");
          case FAILED -> failed(target, signal, answer);
        });
  }

  private static Finding failed(String target, String signal, Answer answer) {
    return Finding.failed(
        target, signal, "sending them failed: " + answer.text(), "see the receiver's log");
  }

  private void printTable(PrintStream out) {
    // A signal that goes elsewhere is found after the endpoints of those before it.
    Map<String, List<Finding>> byTarget =
        findings.stream()
            .collect(
                Collectors.groupingBy(Finding::target, LinkedHashMap::new, Collectors.toList()));
    byTarget.forEach(
        (target, found) -> {
          if (!target.equals(PROCESS)) {
            out.println(target);
          }
          for (Finding finding : found) {
            out.println(row(finding));
            if (!finding.remedy().isEmpty()) {
              out.println("                      -> " + finding.remedy());
            }
          }
        });
    long failed = findings.stream().filter(finding -> finding.result() == Result.FAILED).count();
    out.println(
        failed == 0 ? "Telemetry arrives." : "Telemetry does not arrive, or not all of it.");
  }

  private static String row(Finding finding) {
    String result = finding.result().name().toLowerCase(Locale.ROOT);
    return String.format(Locale.ROOT, "  %-10s  %-7s  %s", finding.check(), result, finding.text());
  }

  private void printJson(PrintStream out) {
    StringBuilder json = new StringBuilder("{\"well\":").append(isWell()).append(",\"findings\":[");
    String separator = "";
    for (Finding finding : findings) {
      json.append(separator).append("\n{");
      field(json, "target", finding.target()).append(',');
      field(json, "check", finding.check()).append(',');
      field(json, "result", finding.result().name().toLowerCase(Locale.ROOT)).append(',');
      field(json, "text", finding.text()).append(',');
      field(json, "remedy", finding.remedy()).append('}');
      separator = ",";
    }
    out.println(json.append("\n]}"));
  }

  private static StringBuilder field(StringBuilder json, String name, @Nullable String value) {
    json.append('"').append(name).append("\":\"");
    String text = value == null ? "" : value;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"');
  }
}
