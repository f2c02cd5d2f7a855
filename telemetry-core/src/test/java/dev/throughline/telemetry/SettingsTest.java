// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.MetricsModule;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.logs.ConfigurableLogRecordExporterProvider;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSamplerProvider;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {

  private static final Pattern EXPORTER =
      Pattern.compile("Otlp(Grpc|Http)(Span|Metric|LogRecord)Exporter\\{endpoint=([^,]*),");
  private static final String[] SIGNALS = {"traces", "metrics", "logs"};

  private final LogCapture log = new LogCapture();
  private final List<Telemetry> built = new ArrayList<>();

  @AfterEach
  void close() {
    built.forEach(Telemetry::close);
    log.close();
  }

  private Telemetry build(Map<String, String> properties) {
    TelemetryBuilder builder = Telemetry.builder().ignoreEnvironment().setServiceName("settings");
    // Nobody listens at the endpoints below.
    builder.addProperty("telemetry.close.timeout", "1ms");
    properties.forEach(builder::addProperty);
    Telemetry telemetry = builder.build();
    built.add(telemetry);
    return telemetry;
  }

  /** The exporters that an SDK really has, e.g. "Grpc Span http://localhost:4317". */
  private static Set<String> exporters(Telemetry telemetry) {
    assertThat(telemetry.openTelemetry().toString())
        .startsWith(OpenTelemetrySdk.class.getSimpleName());
    Set<String> exporters = new TreeSet<>();
    Matcher matcher = EXPORTER.matcher(telemetry.openTelemetry().toString());
    while (matcher.find()) {
      String protocol = matcher.group(1);
      // Autoconfigure puts a slash behind the endpoint of one signal.
      String endpoint = matcher.group(3).replaceFirst("(?<=\\w)/$", "");
      exporters.add(protocol + ' ' + matcher.group(2) + ' ' + endpoint);
    }
    return exporters;
  }

  @ParameterizedTest
  @CsvSource({
    "localhost:4317,                           http://localhost:4317",
    "otel-collector.observability.svc:4317,    http://otel-collector.observability.svc:4317",
    "10.0.0.1:4317,                            http://10.0.0.1:4317",
    "collector,                                http://collector",
    "grpc://h:4317,                            http://h:4317",
    "GRPC://h:4317,                            http://h:4317",
    "grpcs://h:4317,                           https://h:4317",
    "grpcs://h,                                https://h",
    "grpc://h:4318,                            http://h:4318",
    "http://h:4317,                            http://h:4317",
    "HTTPS://h:4317,                           https://h:4317",
    "http://h:4317/,                           http://h:4317",
    "https://h,                                https://h",
    "http://h:4317/v1/traces,                  http://h:4317",
    "http://h:4317/otlp,                       http://h:4317",
    "[::1]:4317,                               http://[::1]:4317",
    "http://[2001:db8::1]:4317,                http://[2001:db8::1]:4317",
  })
  void exportsOverGrpc(String endpoint, String expected) {
    Telemetry telemetry = build(Map.of("otel.exporter.otlp.endpoint", endpoint));
    assertThat(exporters(telemetry))
        .containsExactlyInAnyOrder(
            "Grpc Span " + expected, "Grpc Metric " + expected, "Grpc LogRecord " + expected);
    assertThat(log.warnings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "collector:4318,                           http://collector:4318",
    "grpc-collector:4318,                      http://grpc-collector:4318",
    "http://h:4318,                            http://h:4318",
    "http://h:4318/,                           http://h:4318",
    "http://h:4318/v1/traces,                  http://h:4318",
    "http://h:4318/v1/metrics/,                http://h:4318",
    "h:4318/v1/logs,                           http://h:4318",
    "https://h/v1/traces,                      https://h",
    "https://h/otlp,                           https://h/otlp",
    "https://h/otlp/,                          https://h/otlp",
    "https://h/otlp/v1/traces,                 https://h/otlp",
    "http://h:8080/otlp,                       http://h:8080/otlp",
    "[::1]:4318,                               http://[::1]:4318",
  })
  void exportsOverHttp(String endpoint, String expected) {
    Telemetry telemetry = build(Map.of("otel.exporter.otlp.endpoint", endpoint));
    assertThat(exporters(telemetry))
        .containsExactlyInAnyOrder(
            "Http Span " + expected + "/v1/traces",
            "Http Metric " + expected + "/v1/metrics",
            "Http LogRecord " + expected + "/v1/logs");
    assertThat(log.warnings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "h:4317,                                   Grpc, http://h:4317",
    "http://h:4317/v1/SIGNAL,                  Grpc, http://h:4317",
    "grpcs://h,                                Grpc, https://h",
    "h:4318/v1/SIGNAL,                         Http, http://h:4318/v1/SIGNAL",
    "http://h:4318/v1/SIGNAL,                  Http, http://h:4318/v1/SIGNAL",
    "https://h/v1/SIGNAL,                      Http, https://h/v1/SIGNAL",
    "https://h/custom,                         Http, https://h/custom",
    // The specification: the URL of one signal is used as it is.
    "http://h:4318,                            Http, http://h:4318",
  })
  void takesAnEndpointPerSignal(String endpoint, String protocol, String expected) {
    for (String signal : SIGNALS) {
      Telemetry telemetry =
          build(
              Map.of(
                  "otel.exporter.otlp.endpoint",
                  "localhost:9",
                  "otel.exporter.otlp." + signal + ".endpoint",
                  endpoint.replace("SIGNAL", signal)));
      assertThat(exporters(telemetry))
          .contains(protocol + ' ' + typeOf(signal) + ' ' + expected.replace("SIGNAL", signal))
          .filteredOn(exporter -> exporter.endsWith(" http://localhost:9"))
          .hasSize(2);
    }
    assertThat(log.warnings()).isEmpty();
  }

  private static String typeOf(String signal) {
    return switch (signal) {
      case "traces" -> "Span";
      case "metrics" -> "Metric";
      default -> "LogRecord";
    };
  }

  @ParameterizedTest
  @CsvSource({
    "grpc,          http://h:4318/otlp,        Grpc, http://h:4318",
    "grpc,          h:4318,                    Grpc, http://h:4318",
    "http/protobuf, h:4317,                    Http, http://h:4317/v1/traces",
    "http/protobuf, grpcs://h:4317,            Http, https://h:4317/v1/traces",
    "http/protobuf, ,                          Http, http://localhost:4318/v1/traces",
    "grpc,          ,                          Grpc, http://localhost:4317",
  })
  void aProtocolThatIsSetStands(
      String protocol, String endpoint, String expectedProtocol, String expected) {
    for (String name :
        List.of("otel.exporter.otlp.protocol", "otel.exporter.otlp.traces.protocol")) {
      Telemetry telemetry =
          build(
              Map.of(
                  name, protocol, "otel.exporter.otlp.endpoint", endpoint == null ? "" : endpoint));
      assertThat(exporters(telemetry)).contains(expectedProtocol + " Span " + expected);
    }
  }

  /** Every variable on whose empty value autoconfigure would stop main, or which it would take. */
  static Stream<String> canBeEmpty() {
    Stream<String> otlp =
        Stream.of("", "traces.", "metrics.", "logs.")
            .flatMap(
                signal ->
                    Stream.of(
                            "endpoint",
                            "protocol",
                            "headers",
                            "compression",
                            "timeout",
                            "certificate",
                            "client.key",
                            "client.certificate")
                        .map(setting -> "otel.exporter.otlp." + signal + setting));
    return Stream.concat(
        otlp,
        Stream.of(
            "otel.sdk.disabled",
            "otel.service.name",
            "otel.resource.attributes",
            "otel.propagators",
            "otel.traces.exporter",
            "otel.metrics.exporter",
            "otel.logs.exporter",
            "otel.traces.sampler",
            "otel.traces.sampler.arg",
            "otel.metrics.exemplar.filter",
            "otel.metric.export.interval",
            "otel.exporter.otlp.metrics.temporality.preference",
            "otel.exporter.otlp.metrics.default.histogram.aggregation",
            "otel.bsp.schedule.delay",
            "otel.bsp.max.queue.size",
            "otel.bsp.max.export.batch.size",
            "otel.bsp.export.timeout",
            "otel.blrp.schedule.delay",
            "otel.blrp.max.queue.size",
            "otel.attribute.count.limit",
            "otel.span.attribute.count.limit",
            "otel.span.attribute.value.length.limit",
            "otel.span.event.count.limit",
            "otel.span.link.count.limit",
            "otel.java.exporter.memory_mode",
            "otel.experimental.sdk.telemetry.version",
            "telemetry.baggage.attributes",
            "telemetry.close.timeout",
            "telemetry.request.id.header",
            "telemetry.segment.limit",
            "telemetry.strict",
            "tracing.enabled"));
  }

  @ParameterizedTest
  @MethodSource("canBeEmpty")
  void emptyIsUnset(String property) {
    for (String empty : List.of("", "  ")) {
      Map<String, String> properties = new HashMap<>();
      properties.put("telemetry.close.timeout", "1ms");
      properties.put("otel.logs.exporter", "otlp");
      properties.put(property, empty);
      Telemetry telemetry = build(properties);
      List<String> expected = new ArrayList<>();
      expected.add("Grpc Span http://localhost:4317");
      expected.add("Grpc Metric http://localhost:4317");
      if (!property.equals("otel.logs.exporter")) {
        expected.add("Grpc LogRecord http://localhost:4317");
      }
      assertThat(exporters(telemetry))
          .as("%s=\"%s\"", property, empty)
          .containsExactlyInAnyOrderElementsOf(expected);
      assertThat(telemetry.openTelemetry().toString())
          .contains("sampler=ParentBased{root:AlwaysOnSampler")
          .contains("service.name=\"settings\"");
      assertThat(telemetry.openTelemetry().getPropagators().getTextMapPropagator().fields())
          .containsExactlyInAnyOrder("traceparent", "tracestate", "baggage");
    }
    assertThat(log.warnings())
        .hasSize(2)
        .allSatisfy(
            line ->
                assertThat(line)
                    .startsWith(
                        property.replace('.', '_').toUpperCase(Locale.ROOT)
                            + ": \"\" can't be used; accepted: "));
  }

  @Test
  void allOfThemEmptyAtOnce() {
    TelemetryBuilder builder = Telemetry.builder().ignoreEnvironment();
    canBeEmpty().forEach(property -> builder.addProperty(property, ""));
    builder.addProperty("telemetry.close.timeout", "1ms");
    Telemetry telemetry = builder.build();
    built.add(telemetry);
    assertThat(exporters(telemetry)).hasSize(2);
    // That of the time to close is set below.
    assertThat(log.warnings()).hasSize(Math.toIntExact(canBeEmpty().count()) - 1);
  }

  /** A sampler or an exporter that can't be made costs itself. */
  @ParameterizedTest
  @ValueSource(strings = {"otel.traces.sampler", "otel.logs.exporter"})
  void goesOnWithoutWhatCantBeMade(String property) {
    Telemetry telemetry =
        build(Map.of(property, "test-broken", "otel.exporter.otlp.endpoint", "localhost:4317"));
    assertThat(telemetry.isEnabled()).isTrue();
    assertThat(exporters(telemetry))
        .contains("Grpc Span http://localhost:4317", "Grpc Metric http://localhost:4317");
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith("An extension of OpenTelemetry threw, and telemetry goes on without it: ")
        .contains("BrokenProvider.create")
        .endsWith("broken, and https://***@host knows why");
  }

  /** A reader that can't be registered. */
  private static final class BrokenModule implements MetricsModule {

    @Override
    public String exporterName() {
      return "broken";
    }

    @Override
    public boolean isMounted() {
      return false;
    }

    @Override
    public MetricExporter watch(MetricExporter exporter) {
      return exporter;
    }

    @Override
    public void addTo(
        SdkMeterProviderBuilder meterProvider, ConfigProperties settings, boolean named) {
      throw new IllegalStateException("broken, and https://user:secret@host knows why");
    }

    @Override
    public void start(OpenTelemetry openTelemetry, Guard guard) {}
  }

  @Test
  void leavesNothingRunningWhenItCouldNotBeSetUp() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.exporter.otlp.endpoint", "localhost:4317")
            // OpenTelemetry's worker for logs notices its end that late.
            .addProperty("otel.blrp.schedule.delay", "10ms")
            .setMetrics(new BrokenModule());
    Telemetry telemetry = builder.build();
    built.add(telemetry);
    assertThat(telemetry.isEnabled()).isFalse();
    assertThat(telemetry.span("work").<String, RuntimeException>call(() -> "goes on"))
        .isEqualTo("goes on");
    assertThat(telemetry.configuration())
        .startsWith("Telemetry is off because it could not be set up: ")
        .contains("broken, and https://***@host knows why");
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith("Telemetry is off because it could not be set up: ")
        .contains("broken, and https://***@host knows why");
    Wait.until(
        "the threads are gone",
        () ->
            Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !before.contains(thread))
                .map(Thread::getName)
                .noneMatch(
                    name ->
                        name.equals("telemetry-span-export")
                            || name.startsWith("PeriodicMetricReader")
                            || name.startsWith("BatchSpanProcessor")
                            || name.startsWith("BatchLogRecordProcessor")));
  }

  @ParameterizedTest
  @CsvSource({
    "otel.exporter.otlp.endpoint,      collector:4317, Grpc LogRecord http://collector:4317",
    "otel.exporter.otlp.logs.endpoint, collector:4317, Grpc LogRecord http://collector:4317",
    "otel.logs.exporter,               otlp,           Grpc LogRecord http://localhost:4317",
  })
  void logRecordsGoWhereSomeoneSaysSo(String property, String value, String expected) {
    assertThat(exporters(build(Map.of(property, value)))).contains(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "otel.service.name,                  s",
    "otel.exporter.otlp.traces.endpoint, collector:4317",
    "otel.exporter.otlp.endpoint,        ' '",
  })
  void elseLogRecordsGoNowhere(String property, String value) {
    assertThat(exporters(build(Map.of(property, value))))
        .noneMatch(exporter -> exporter.contains("LogRecord"))
        .anyMatch(exporter -> exporter.contains("Span"));
  }

  /** The variables of a service, as a container sets them. */
  @Test
  void readsTheEnvironment() {
    try (ChildJvm child =
        ChildJvm.of(PrintTelemetry.class)
            .environment("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317")
            .environment("OTEL_SERVICE_NAME", "")
            .environment("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
            .environment("OTEL_TRACES_SAMPLER_ARG", "0.01")
            .environment("OTEL_EXPORTER_OTLP_CERTIFICATE", "")
            .environment("OTEL_EXPORTER_OTLP_COMPRESSION", "")
            .environment("OTEL_RESOURCE_ATTRIBUTES", "")
            .environment("OTEL_METRIC_EXPORT_INTERVAL", " ")
            .environment("TELEMETRY_CLOSE_TIMEOUT", "1ms")
            .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("enabled ")).containsExactly("true");
      assertThat(child.said("sdk "))
          .singleElement()
          .asString()
          .contains("OtlpGrpcSpanExporter{endpoint=http://localhost:4317/,")
          .contains("root:TraceIdRatioBased{0.010000}")
          .contains("service.name=\"from-main\"");
    }
  }

  @Test
  void anEmptyVariableLeavesWhatTheCallerGave() {
    try (ChildJvm child =
        ChildJvm.of(PrintTelemetry.class)
            .environment("OTEL_BSP_MAX_QUEUE_SIZE", "")
            .environment("OTEL_TRACES_SAMPLER", " ")
            .environment("TELEMETRY_CLOSE_TIMEOUT", "1ms")
            .option("-Dgiven.property=otel.traces.sampler")
            .option("-Dgiven.value=always_off")
            .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("sdk "))
          .singleElement()
          .asString()
          .contains("sampler=AlwaysOffSampler");
    }
  }

  @Test
  void aVariableThatCantBeUsedDoesNotStopMain() {
    try (ChildJvm child =
        ChildJvm.of(PrintTelemetry.class).environment("OTEL_TRACES_SAMPLER", "bogus").start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("enabled ")).containsExactly("true");
      assertThat(child.output())
          .filteredOn(line -> line.contains(" WARN ") && line.contains("can't be used"))
          .singleElement()
          .asString()
          .contains("OTEL_TRACES_SAMPLER: \"bogus\"");
    }
  }

  @Test
  void strictlyWhatCouldNotBeSetUpIsThrown() {
    assertThatThrownBy(
            () -> build(Map.of("otel.traces.sampler", "test-broken", "telemetry.strict", "true")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasNoCause()
        .hasMessageStartingWith("Telemetry could not be set up: ")
        .hasMessageContaining("broken, and https://***@host knows why");
    assertThat(log.warnings()).isEmpty();
  }

  /** A sampler and an exporter whose artifact is on the class path, and does not work. */
  public static final class BrokenProvider
      implements ConfigurableSamplerProvider, ConfigurableLogRecordExporterProvider {

    @Override
    public Sampler createSampler(ConfigProperties config) {
      throw new IllegalStateException("broken, and https://user:secret@host knows why");
    }

    @Override
    public LogRecordExporter createExporter(ConfigProperties config) {
      throw new IllegalStateException("broken, and https://user:secret@host knows why");
    }

    @Override
    public String getName() {
      return "test-broken";
    }
  }

  /** A service's main that prints what it got. */
  static final class PrintTelemetry {

    public static void main(String[] args) {
      TelemetryBuilder builder = Telemetry.builder().setServiceName("from-main");
      if (Boolean.getBoolean("ignore.environment")) {
        builder.ignoreEnvironment().addProperty("telemetry.close.timeout", "1ms");
      }
      String property = System.getProperty("given.property");
      if (property != null) {
        builder.addProperty(property, System.getProperty("given.value"));
      }
      try (Telemetry telemetry = builder.build()) {
        System.out.println("enabled " + telemetry.isEnabled());
        System.out.println("sdk " + telemetry.openTelemetry());
        telemetry
            .configuration()
            .lines()
            .forEach(line -> System.out.println("configuration " + line));
      }
    }
  }
}
