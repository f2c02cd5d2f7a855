// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.doctor;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.delivery.Answer;
import dev.throughline.telemetry.delivery.Probe;
import dev.throughline.telemetry.delivery.Receiver;
import dev.throughline.telemetry.doctor.Finding.Result;
import dev.throughline.telemetry.internals.OpenTelemetryInternals;
import dev.throughline.telemetry.settings.Environment;
import dev.throughline.telemetry.settings.KnownSettings;
import dev.throughline.telemetry.settings.Secrets;
import dev.throughline.telemetry.settings.Settings;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.ResourceConfiguration;
import io.opentelemetry.sdk.autoconfigure.spi.logs.ConfigurableLogRecordExporterProvider;
import io.opentelemetry.sdk.autoconfigure.spi.metrics.ConfigurableMetricExporterProvider;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSpanExporterProvider;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Looks at all that is between a service and its receivers, and prints what it found. */
final class Checkup {

  private static final String PROCESS = "";
  private static final String SPAN = "telemetry.doctor";
  private static final int WRONG_USAGE = 2;

  private final Environment environment;
  private final List<Finding> findings = new ArrayList<>();

  private Checkup(Environment environment) {
    this.environment = environment;
  }

  static int run(Environment environment, PrintStream out, String... args) {
    boolean json = args.length == 1 && args[0].equals("--json");
    if (args.length > 0 && !json) {
      out.println("Usage: java -cp CLASSPATH dev.throughline.telemetry.Doctor [--json]");
      return WRONG_USAGE;
    }
    Checkup checkup = new Checkup(environment);
    checkup.look();
    if (json) {
      checkup.printJson(out);
    } else {
      checkup.printTable(out);
    }
    return checkup.isWell() ? 0 : 1;
  }

  private boolean isWell() {
    return findings.stream().noneMatch(finding -> finding.result() == Result.FAILED);
  }

  private void look() {
    Settings[] perSignal = new Settings[KnownSettings.SIGNALS.size()];
    Probe[] probes = new Probe[perSignal.length];
    ComponentLoader components =
        ComponentLoader.forClassLoader(AutoConfiguredOpenTelemetrySdk.class.getClassLoader());
    Settings settings = Settings.of(environment, components);
    lookAtSettings();
    for (int i = 0; i < perSignal.length; i++) {
      probes[i] = new Probe(components);
      perSignal[i] = settings.with(probes[i]);
    }
    lookAtProcess();
    lookAtEndpoints(perSignal, probes);
  }

  private void lookAtSettings() {
    for (Environment.Unusable setting : environment.unusable()) {
      findings.add(
          Finding.warning(
              PROCESS,
              "settings",
              setting.variable() + ": \"" + setting.value() + "\" can't be used",
              "accepted: " + setting.accepted() + "; used instead: " + setting.used()));
    }
    if (environment.unusable().isEmpty()) {
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
    String mix = OpenTelemetryVersions.mix(Checkup.class.getClassLoader());
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
    if (OpenTelemetryInternals.isAgentRunning()) {
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

  private void lookAtEndpoints(Settings[] perSignal, Probe[] probes) {
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
        lookAt(signal, perSignal[i], probes[i], steps);
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
      String signal, Settings settings, Probe probe, Map<String, List<Finding>> steps) {
    AutoCloseable exporter = exporter(signal, settings);
    Diagnosis diagnosis = new Diagnosis(probe.receiver());
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
      sendSpan(target, settings, spans, probe);
    } else {
      add(target, signal, "taken", probe, probe.sendNothing());
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

  private void sendSpan(String target, Settings settings, SpanExporter exporter, Probe probe) {
    try (SdkTracerProvider tracers =
        SdkTracerProvider.builder()
            .setResource(ResourceConfiguration.createEnvironmentResource(settings))
            .addSpanProcessor(SimpleSpanProcessor.create(exporter))
            .build()) {
      Span span = tracers.get("dev.throughline.telemetry.Doctor").spanBuilder(SPAN).startSpan();
      span.end();
      add(
          target,
          "traces",
          "the span " + SPAN + " is acknowledged, of trace " + span.getSpanContext().getTraceId(),
          probe,
          requireNonNull(probe.answer(), "the exporter sent nothing"));
    }
  }

  private void add(String target, String signal, String taken, Probe probe, Answer answer) {
    String brief = Secrets.text(String.valueOf(answer.brief()));
    findings.add(
        switch (answer.cause()) {
          case NOT_AUTHENTICATED ->
              Finding.failed(
                  target,
                  signal,
                  "authentication: the receiver does not let you in (" + brief + ")",
                  environment.get("otel.exporter.otlp.headers") == null
                      ? "set OTEL_EXPORTER_OTLP_HEADERS, e.g. Authorization=Bearer%20abc"
                      : "correct OTEL_EXPORTER_OTLP_HEADERS; its values are percent-encoded");
          case NOT_TAKEN_THERE, NO_RECEIVER ->
              Finding.failed(
                  target,
                  signal,
                  "the receiver does not take them there (" + brief + ")",
                  "correct the endpoint's path, add a pipeline for them to the collector, or set"
                      + " OTEL_"
                      + signal.toUpperCase(Locale.ROOT)
                      + "_EXPORTER=none");
          case TOO_LARGE ->
              Finding.failed(
                  target,
                  signal,
                  "the receiver takes no request of that size (" + brief + ")",
                  Diagnosis.LARGER_REQUESTS);
          case REDIRECTED ->
              Finding.failed(
                  target,
                  signal,
                  "the receiver sends them elsewhere (" + brief + ")",
                  Diagnosis.OTHER_ADDRESS);
          case PROXY_REFUSES ->
              Finding.failed(
                  target,
                  signal,
                  "the proxy wants credentials (" + brief + ")",
                  Diagnosis.NO_PROXY);
          case OTHER -> other(target, signal, taken, probe.receiver(), answer, brief);
        });
  }

  private static Finding other(
      String target, String signal, String taken, Receiver receiver, Answer answer, String brief) {
    if (answer.isComplete()) {
      return answer.reason() == null
          ? Finding.ok(target, signal, taken)
          : Finding.warning(
              target, signal, taken + "; the receiver warns: " + brief, "see the receiver's log");
    }
    if (answer.failure() == null) {
      return Finding.failed(
          target, signal, "the receiver refuses them (" + brief + ")", "see the receiver's log");
    }
    String explained = Diagnosis.explain(receiver, answer);
    return Finding.failed(
        target,
        signal,
        "sending them failed: " + brief,
        explained == null ? "see the receiver's log" : explained);
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
