// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/**
 * Values that stop an application, or are silently something else, where OpenTelemetry reads them.
 */
class BadSettingsTest {

  private final LogCapture log = new LogCapture();
  private final List<Telemetry> built = new ArrayList<>();

  @AfterEach
  void close() {
    built.forEach(Telemetry::close);
    log.close();
  }

  private static TelemetryBuilder builder(Map<String, String> properties) {
    TelemetryBuilder builder = Telemetry.builder().ignoreEnvironment().setServiceName("settings");
    // Nobody listens at the endpoints below.
    builder.addProperty("telemetry.close.timeout", "1ms");
    properties.forEach(builder::addProperty);
    return builder;
  }

  private Telemetry build(Map<String, String> properties) {
    Telemetry telemetry = builder(properties).build();
    built.add(telemetry);
    return telemetry;
  }

  /**
   * A value that can't be used.
   *
   * @param shown the value in the log
   * @param accepted a part of what is said to be accepted
   * @param used what is said to be used instead
   * @param effect what the SDK then says of itself
   */
  record Bad(
      String property, String value, String shown, String accepted, String used, String effect) {}

  private static Bad bad(
      String property, String value, String accepted, String used, String effect) {
    return new Bad(property, value, value, accepted, used, effect);
  }

  static Stream<Bad> bad() {
    String endpoint = "otel.exporter.otlp.endpoint";
    String http = "http://localhost:4317, or 4318 for http/protobuf";
    String grpcSpans = "OtlpGrpcSpanExporter{endpoint=http://localhost:4317,";
    String httpSpans = "OtlpHttpSpanExporter{endpoint=http://localhost:4318/v1/traces,";
    String protocol = "otel.exporter.otlp.protocol";
    String sampler = "otel.traces.sampler";
    String allTraces = "sampler=ParentBased{root:AlwaysOnSampler,";
    String pem = "a PEM file";
    return Stream.of(
        bad(endpoint, "", "host:port", http, grpcSpans),
        bad(endpoint, "unix:///tmp/s", "host:port", http, grpcSpans),
        bad(endpoint, "h:port", "host:port", http, grpcSpans),
        bad(endpoint, "http://h:99999", "host:port", http, grpcSpans),
        bad(endpoint, "http:/h:4317", "host:port", http, grpcSpans),
        bad(endpoint, "http://", "host:port", http, grpcSpans),
        bad(endpoint, "http://a b:4317", "host:port", http, grpcSpans),
        bad(endpoint, "http://[fe80::1%25eth0]:4317", "zone", http, grpcSpans),
        bad(endpoint, "http://" + "h".repeat(64) + ":4317", "longer than 63", http, grpcSpans),
        // 255 characters, of which the log shows 200 of the whole.
        new Bad(
            endpoint,
            "http://" + "h.".repeat(127) + "h:4317",
            "http://" + "h.".repeat(96) + "h...",
            "the whole not than 253",
            http,
            grpcSpans),
        bad(endpoint, "otel_collector:4317", "without underscore", http, grpcSpans),
        new Bad(
            endpoint,
            "http://h:4318/?token=secret",
            "http://h:4318/?***",
            "without query",
            http,
            grpcSpans),
        new Bad(endpoint, "http://h:4317#top", "http://h:4317#***", "fragment", http, grpcSpans),
        new Bad(
            endpoint,
            "https://user:secret@h:4317",
            "https://***@h:4317",
            "user info",
            "https://h:4317",
            "OtlpGrpcSpanExporter{endpoint=https://h:4317/,"),
        bad(
            "otel.exporter.otlp.traces.endpoint",
            "h:port",
            "host:port",
            "what holds for all signals",
            grpcSpans),
        bad(protocol, "", "grpc or http/protobuf", "what the endpoint's port says", grpcSpans),
        bad(protocol, "http", "grpc or http/protobuf", "http/protobuf", httpSpans),
        bad(protocol, "http/json", "grpc or http/protobuf", "http/protobuf", httpSpans),
        bad(protocol, "udp", "grpc or http/protobuf", "what the endpoint's port says", grpcSpans),
        bad(sampler, "", "always_on, always_off", "parentbased_always_on", allTraces),
        bad(sampler, "alwayson", "always_on, always_off", "parentbased_always_on", allTraces),
        bad("otel.traces.sampler.arg", "abc", "from 0.0 to 1.0", "1.0", allTraces),
        bad("otel.traces.sampler.arg", "50", "from 0.0 to 1.0", "1.0", allTraces),
        bad("otel.traces.sampler.arg", "NaN", "from 0.0 to 1.0", "1.0", allTraces),
        bad("otel.traces.exporter", "", "otlp, console", "otlp", grpcSpans),
        bad("otel.traces.exporter", "zipkin", "otlp, console", "otlp", grpcSpans),
        bad("otel.traces.exporter", "none,otlp", "none alone", "otlp", grpcSpans),
        bad("otel.traces.exporter", "zipkin,console", "otlp", "console", "SpanPipeline"),
        bad("otel.metrics.exporter", "prometheus", "otlp", "otlp", "OtlpGrpcMetricExporter{"),
        bad(
            "otel.logs.exporter",
            "bogus",
            "otlp",
            "otlp where an endpoint is set, else none",
            "logRecordProcessor=NoopLogRecordProcessor"),
        bad(
            "otel.propagators",
            "b3",
            "tracecontext, baggage",
            "tracecontext,baggage",
            "W3CTraceContextPropagator"),
        bad("otel.bsp.schedule.delay", "5sec", "ms, s, m", "5s", "scheduleDelay=PT5S"),
        bad("otel.bsp.schedule.delay", "-1", "ms, s, m", "5s", "scheduleDelay=PT5S"),
        bad("otel.bsp.export.timeout", "1.5s", "ms, s, m", "30s", "exportTimeout=PT30S"),
        bad("otel.metric.export.interval", "abc", "ms, s, m", "60s", "intervalNanos=60000000000"),
        bad("otel.metric.export.interval", "0", "more than 0", "60s", "intervalNanos=60000000000"),
        bad(
            "otel.bsp.max.queue.size",
            "0",
            "a whole number from 1",
            "what has room in memory",
            "maxQueueSize=2147483647"),
        bad(
            "otel.bsp.max.queue.size",
            "4000000000",
            "a whole number from 1 to 10000000",
            "what has room in memory",
            "maxQueueSize=2147483647"),
        bad(
            "otel.bsp.max.export.batch.size",
            "0",
            "a whole number from 1",
            "512",
            "maxExportBatchSize=512"),
        bad(
            "otel.blrp.max.queue.size",
            "none",
            "a whole number from 1",
            "what has room in memory",
            grpcSpans),
        bad(
            "otel.span.attribute.count.limit",
            "-1",
            "a whole number from 0",
            "128",
            "maxNumberOfAttributes=128"),
        bad(
            "otel.attribute.value.length.limit",
            "unlimited",
            "a whole number from 0",
            "none",
            "maxAttributeValueLength=2147483647"),
        bad("otel.java.metrics.cardinality.limit", "0", "from 1", "2000", grpcSpans),
        bad("otel.resource.attributes", "foo", "pairs", "none", "service.name=\"settings\""),
        bad("otel.resource.attributes", "a=1,foo", "pairs", "a=1", "a=\"1\""),
        new Bad(
            "otel.exporter.otlp.headers",
            "Authorization: Bearer secret",
            "***",
            "Authorization=Bearer%20abc",
            "none",
            grpcSpans),
        new Bad(
            "otel.exporter.otlp.headers",
            "tenant=secret,api key=secret",
            "tenant=***,***",
            "pairs",
            "tenant=***",
            "tenant=OBFUSCATED"),
        new Bad(
            "otel.exporter.otlp.headers", "a=%zz", "a=***", "percent-encoded", "none", grpcSpans),
        bad("otel.exporter.otlp.compression", "zstd", "gzip or none", "none", grpcSpans),
        bad("otel.exporter.otlp.timeout", "10sec", "ms, s, m", "10s", "timeoutNanos=10000000000"),
        bad("otel.exporter.otlp.certificate", "/missing.pem", pem, "the JDK's", grpcSpans),
        bad("otel.exporter.otlp.client.key", "/missing.pem", pem, "none", grpcSpans),
        bad("otel.exporter.otlp.client.certificate", "/missing.pem", pem, "none", grpcSpans),
        bad(
            "otel.exporter.otlp.metrics.temporality.preference",
            "bogus",
            "cumulative, delta, lowmemory",
            "cumulative",
            grpcSpans),
        bad(
            "otel.exporter.otlp.metrics.default.histogram.aggregation",
            "bogus",
            "explicit_bucket_histogram, base2_exponential_bucket_histogram",
            "explicit_bucket_histogram",
            grpcSpans),
        bad(
            "otel.metrics.exemplar.filter",
            "bogus",
            "trace_based, always_on, always_off",
            "trace_based",
            grpcSpans),
        bad("otel.java.exporter.memory_mode", "bogus", "reusable_data", "reusable_data", grpcSpans),
        bad("otel.java.exporter.otlp.retry.disabled", "maybe", "yes", "false", grpcSpans),
        bad("otel.experimental.sdk.telemetry.version", "9", "legacy, latest", "legacy", grpcSpans),
        bad("otel.sdk.disabled", "maybe", "true, 1, yes, on", "false", grpcSpans),
        bad("tracing.enabled", "maybe", "true, 1, yes, on", "true", grpcSpans),
        bad("telemetry.close.timeout", "soon", "ms, s, m", "5s", grpcSpans),
        bad(
            "telemetry.delivery.memory.mb",
            "lots",
            "a whole number from 1",
            "128, or a quarter of the largest heap",
            grpcSpans),
        bad("telemetry.spool.size.mb", "-1", "a whole number from 1", "512", grpcSpans),
        bad("telemetry.spool.sync.interval", "0", "more than 0", "1s", grpcSpans),
        bad("telemetry.jvm.metrics", "maybe", "true, 1, yes, on", "true", grpcSpans),
        bad("telemetry.prometheus.names", "bogus", "kept, translated", "kept", grpcSpans),
        bad("otel.exporter.prometheus.port", "70000", "from 0 to 65535", "9464", grpcSpans),
        bad("telemetry.segment.limit", "soon", "ms, s, m", "60s", grpcSpans),
        bad("telemetry.request.id.header", "X Request", "X-Request-Id", "none", grpcSpans),
        new Bad(
            "telemetry.request.id.header",
            "a\nb",
            "a b",
            "the name of a header",
            "none",
            grpcSpans),
        bad("otel.config.file", "otel.yaml", "nothing", "the other variables", grpcSpans));
  }

  @ParameterizedTest
  @MethodSource("bad")
  void startsAndSaysOnceWhatIsUsedInstead(Bad bad) {
    Telemetry telemetry =
        build(Map.of("otel.span.event.count.limit", "7", bad.property, bad.value));

    assertThat(telemetry.isEnabled()).isTrue();
    assertThat(telemetry.openTelemetry().toString())
        .contains(bad.effect)
        // The rest is in force.
        .contains("maxNumberOfEvents=7")
        .contains("service.name=\"settings\"");
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith(variable(bad.property) + ": \"" + bad.shown + "\" can't be used; accepted: ")
        .contains(bad.accepted)
        .contains("; used instead: " + bad.used);
    assertThat(log.everything() + telemetry.configuration()).doesNotContain("secret");
  }

  @Test
  void aBatchIsNoLargerThanWhatMayWait() {
    Telemetry telemetry =
        build(Map.of("otel.bsp.max.queue.size", "100", "otel.bsp.max.export.batch.size", "99999"));

    assertThat(telemetry.openTelemetry().toString()).contains("maxExportBatchSize=100");
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith("OTEL_BSP_MAX_EXPORT_BATCH_SIZE: \"99999\" can't be used; accepted: at most")
        .endsWith("; used instead: 100");
  }

  @ParameterizedTest
  @MethodSource("bad")
  void strictlyItIsAnException(Bad bad) {
    assertThatThrownBy(() -> build(Map.of("telemetry.strict", "yes", bad.property, bad.value)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasNoCause()
        .hasMessageStartingWith("A setting can't be used, and TELEMETRY_STRICT is set:\n- ")
        .hasMessageContaining(variable(bad.property) + ": \"" + bad.shown + "\"; accepted: ")
        .hasMessageContaining(bad.accepted)
        .hasMessageNotContaining("secret");
    assertThat(log.everything()).isEmpty();
  }

  private static String variable(String property) {
    return property.replace('.', '_').toUpperCase(java.util.Locale.ROOT);
  }

  /** What only means one thing is used, and is no fault. */
  @ParameterizedTest
  @CsvSource({
    "otel.exporter.otlp.endpoint,    localhost:4317,                   Grpc http://localhost:4317",
    "otel.exporter.otlp.endpoint,    collector:4317,                   Grpc http://collector:4317",
    "otel.exporter.otlp.endpoint,    10.0.0.1:4317,                    Grpc http://10.0.0.1:4317",
    "otel.exporter.otlp.endpoint,    grpc://localhost:4317,            Grpc http://localhost:4317",
    "otel.exporter.otlp.endpoint,    http://localhost:4317/v1/traces,  Grpc http://localhost:4317",
    "otel.exporter.otlp.endpoint,    http://localhost:4318, Http http://localhost:4318/v1/traces",
    "otel.exporter.otlp.endpoint,    http://h:4318/v1/traces,       Http http://h:4318/v1/traces",
    "otel.exporter.otlp.protocol,    HTTP/protobuf,        Http http://localhost:4318/v1/traces",
    "otel.traces.exporter,           'otlp,otlp',                      Grpc http://localhost:4317",
    "otel.traces.sampler,            ALWAYS_ON,                        Grpc http://localhost:4317",
    "otel.exporter.otlp.compression, GZIP,                             Grpc http://localhost:4317",
  })
  void whatOnlyMeansOneThingIsNoFault(String property, String value, String exporter) {
    for (String strict : List.of("false", "true")) {
      Telemetry telemetry = build(Map.of("telemetry.strict", strict, property, value));
      String[] parts = exporter.split(" ");
      assertThat(telemetry.openTelemetry().toString())
          .containsPattern("Otlp" + parts[0] + "SpanExporter\\{endpoint=" + parts[1] + "/?,");
    }
    assertThat(log.warnings()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"http://h:4317", "http://h:4318"})
  void aPortOfTheOtherProtocolIsTheServicesAffair(String endpoint) {
    String protocol = endpoint.endsWith("4317") ? "http/protobuf" : "grpc";
    for (String strict : List.of("false", "true")) {
      Telemetry telemetry =
          build(
              Map.of(
                  "telemetry.strict",
                  strict,
                  "otel.exporter.otlp.protocol",
                  protocol,
                  "otel.exporter.otlp.endpoint",
                  endpoint));
      assertThat(telemetry.openTelemetry().toString()).contains("{endpoint=" + endpoint);
    }
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void strictlyAllAreToldAtOnce() {
    Map<String, String> properties = new LinkedHashMap<>();
    bad().forEach(bad -> properties.put(bad.property, bad.value));
    properties.put("telemetry.strict", "1");
    Set<Thread> before = Thread.getAllStackTraces().keySet();

    Throwable thrown = catchThrowable(() -> build(properties));

    assertThat(thrown)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            properties.size() - 1 + " settings can't be used, and TELEMETRY_STRICT is set:");
    assertThat(thrown.getMessage().lines().filter(line -> line.startsWith("- OTEL_PROPAGATORS: ")))
        .hasSize(1);
    assertThat(thrown.getMessage().lines()).hasSize(properties.size());
    assertThat(Thread.getAllStackTraces().keySet()).isSubsetOf(before);
  }

  @Test
  void allAtOnceStartToo() {
    Map<String, String> properties = new LinkedHashMap<>();
    bad().forEach(bad -> properties.put(bad.property, bad.value));

    assertThat(build(properties).isEnabled()).isTrue();
    assertThat(log.warnings())
        .hasSize(properties.size())
        .allSatisfy(line -> assertThat(line).contains("\" can't be used; accepted: "));
  }

  @Test
  void offLooksAtNothingButPropagators() {
    build(Map.of("otel.sdk.disabled", "YES", "otel.traces.sampler", "bogus"));
    assertThat(log.warnings()).isEmpty();
    assertThatThrownBy(
            () ->
                build(
                    Map.of(
                        "otel.sdk.disabled",
                        "on",
                        "otel.propagators",
                        "bogus",
                        "telemetry.strict",
                        "true")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("OTEL_PROPAGATORS: \"bogus\"");
  }

  @Test
  void strictIsAVariableAndAPropertyToo() {
    for (boolean variable : new boolean[] {true, false}) {
      ChildJvm.Launch launch =
          ChildJvm.of(SettingsTest.PrintTelemetry.class)
              .environment("OTEL_TRACES_SAMPLER", "bogus")
              .environment("OTEL_EXPORTER_OTLP_HEADERS", "Authorization: Bearer secret");
      launch =
          variable
              ? launch.environment("TELEMETRY_STRICT", "true")
              : launch.option("-Dtelemetry.strict=true");
      try (ChildJvm child = launch.start()) {
        assertThat(child.awaitExit()).isEqualTo(1);
        assertThat(child.output())
            .anyMatch(line -> line.contains("2 settings can't be used"))
            .anyMatch(line -> line.startsWith("- OTEL_TRACES_SAMPLER: \"bogus\""))
            .anyMatch(line -> line.startsWith("- OTEL_EXPORTER_OTLP_HEADERS: \"***\""))
            .noneMatch(line -> line.contains("secret"));
      }
    }
  }

  @Test
  void anEmptyPropertyHidesNoVariable() {
    try (ChildJvm child =
        ChildJvm.of(SettingsTest.PrintTelemetry.class)
            .environment("OTEL_TRACES_SAMPLER", "always_off")
            .environment("OTEL_BSP_MAX_QUEUE_SIZE", "77")
            .environment("TELEMETRY_CLOSE_TIMEOUT", "1ms")
            .environment("OTEL_JAVA_EXPORTER_MEMORY_MODE", "immutable_data")
            .option("-Dotel.traces.sampler=")
            .option("-Dotel.bsp.max.queue.size= ")
            .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("sdk "))
          .singleElement()
          .asString()
          .contains("sampler=AlwaysOffSampler")
          .contains("maxQueueSize=77")
          .contains("memoryMode=IMMUTABLE_DATA");
      assertThat(child.output())
          .anyMatch(
              line ->
                  line.contains("OTEL_TRACES_SAMPLER: \"\" can't be used")
                      && line.endsWith("; used instead: always_off"))
          .contains("configuration OTEL_TRACES_SAMPLER=always_off (environment variable)");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aConfigFileIsNotRead(boolean ignored) {
    try (ChildJvm child =
        ChildJvm.of(SettingsTest.PrintTelemetry.class)
            .environment("OTEL_CONFIG_FILE", "/otel.yaml")
            .environment("OTEL_TRACES_SAMPLER", "always_off")
            .environment("TELEMETRY_CLOSE_TIMEOUT", "1ms")
            .option("-Dignore.environment=" + ignored)
            .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("enabled ")).containsExactly("true");
      assertThat(child.said("sdk "))
          .singleElement()
          .asString()
          .contains(ignored ? "root:AlwaysOnSampler" : "sampler=AlwaysOffSampler")
          .contains("SpanPipeline{");
      assertThat(child.output().stream().filter(line -> line.contains("WARN  Telemetry - OTEL_")))
          .hasSize(ignored ? 0 : 1)
          .allSatisfy(
              line ->
                  assertThat(line)
                      .contains("OTEL_CONFIG_FILE: \"/otel.yaml\" can't be used; accepted: nothing")
                      .endsWith("; used instead: the other variables"));
    }
  }

  @Test
  void aClientsKeyNeedsItsCertificate(@TempDir Path folder) throws Exception {
    TestCertificates certificates = new TestCertificates(folder, "client");
    String key = "otel.exporter.otlp.client.key";
    String certificate = "otel.exporter.otlp.client.certificate";
    for (Map<String, String> half :
        List.of(
            Map.of(key, certificates.key.toString()),
            Map.of(certificate, certificates.certificate.toString()),
            Map.of(
                key,
                certificates.certificate.toString(),
                certificate,
                certificates.certificate.toString()),
            Map.of("otel.exporter.otlp.metrics.client.key", certificates.key.toString()))) {
      try (LogCapture own = new LogCapture()) {
        assertThat(build(half).isEnabled()).isTrue();
        assertThat(own.warnings())
            .singleElement()
            .asString()
            .contains("CLIENT_")
            .contains("; accepted: a PEM file of ");
      }
    }
    try (LogCapture own = new LogCapture()) {
      build(
          Map.of(
              key,
              certificates.key.toString(),
              "otel.exporter.otlp.logs.client.certificate",
              certificates.certificate.toString(),
              certificate,
              certificates.certificate.toString()));
      assertThat(own.warnings()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no certificate"})
  void aFileWithoutCertificatesIsNone(String content, @TempDir Path folder) throws IOException {
    Path file = folder.resolve("trusted.pem");
    Files.writeString(file, content);
    assertThat(build(Map.of("otel.exporter.otlp.certificate", file.toString())).isEnabled())
        .isTrue();
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith("OTEL_EXPORTER_OTLP_CERTIFICATE: \"" + file + "\" can't be used; ");
  }

  @Test
  void theConfigurationSaysWhereEachSettingComesFrom() {
    try (ChildJvm child =
        ChildJvm.of(SettingsTest.PrintTelemetry.class)
            .environment("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:secret@h/otlp?key=secret")
            .environment(
                "OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret,tenant=secret")
            .environment("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-api-key: secret")
            .environment("OTEL_EXPORTER_OTLP_CLIENT_KEY", "-----BEGIN PRIVATE KEY-----secret")
            .environment("OTEL_RESOURCE_ATTRIBUTES", "a=1,db.password=secret,secret,token=x,secret")
            .environment("OTEL_BSP_MAX_QUEUE_SIZE", "0")
            .environment("OTEL_PROPAGATORS", "bogus,baggage")
            .environment("TELEMETRY_CLOSE_TIMEOUT", "1ms")
            .option("-Dotel.traces.sampler=Always_Off")
            .option("-Dgiven.property=otel.service.name")
            .option("-Dgiven.value=from-code")
            .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("configuration "))
          .contains(
              "OTEL_SDK_DISABLED=false (default)",
              "TELEMETRY_CLOSE_TIMEOUT=1ms (environment variable)",
              "OTEL_SERVICE_NAME=from-code (code)",
              "OTEL_RESOURCE_ATTRIBUTES=a=1,db.password=***,token=*** (environment variable, from"
                  + " \"a=1,db.password=***,***,token=***,***\")",
              "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317, or 4318 for http/protobuf"
                  + " (default, since \"https://***@h/otlp?***\" of the environment variable can't"
                  + " be used)",
              "OTEL_EXPORTER_OTLP_HEADERS=authorization=***,tenant=*** (environment variable)",
              "OTEL_EXPORTER_OTLP_TRACES_HEADERS=what holds for all signals (default, since \"***\""
                  + " of the environment variable can't be used)",
              "OTEL_EXPORTER_OTLP_CLIENT_KEY=none (default, since \"***\" of the environment"
                  + " variable can't be used)",
              "OTEL_BSP_MAX_QUEUE_SIZE=what has room in memory (default, since \"0\" of the"
                  + " environment variable can't be used)",
              "OTEL_TRACES_SAMPLER=always_off (system property, from \"Always_Off\")",
              "OTEL_PROPAGATORS=baggage (environment variable, from \"bogus,baggage\")")
          .noneMatch(line -> line.startsWith("OTEL_EXPORTER_OTLP_METRICS_HEADERS"));
      assertThat(child.output())
          .filteredOn(line -> !line.startsWith("sdk "))
          .noneMatch(line -> line.contains("secret"));
    }
  }

  @Test
  void theConfigurationOfNoSettingsSaysSo() {
    assertThat(Telemetry.noop().configuration()).isEqualTo("Telemetry is off: no setting was read");
    assertThat(build(Map.of("otel.sdk.disabled", "1")).configuration())
        .isEqualTo("Telemetry is off because OTEL_SDK_DISABLED=true");
    assertThat(Telemetry.of(io.opentelemetry.api.OpenTelemetry.noop()).configuration())
        .isEqualTo("OpenTelemetry was set up by someone else, and no setting was read");
    assertThat(build(Map.of("tracing.enabled", "no")).configuration())
        .contains("\nTRACING_ENABLED=false (code, from \"no\")\n")
        .contains("\nOTEL_TRACES_EXPORTER=none (by another setting)\n");
  }

  /** Not even where everything is logged. */
  @ParameterizedTest
  @CsvSource({
    "otel.exporter.otlp.endpoint,       http://user:secret@h:port",
    "otel.exporter.otlp.endpoint,       user:secret@h:4318",
    "otel.exporter.otlp.endpoint,       'http://user:a/secret@h:4318'",
    "otel.exporter.otlp.endpoint,       http://h:4318/?token=secret",
    "otel.exporter.otlp.endpoint,       unix://secret@h",
    "otel.exporter.otlp.logs.endpoint,  grpc://secret@h",
    "otel.exporter.otlp.headers,        Authorization: Bearer secret",
    "otel.exporter.otlp.headers,        c2VjcmV0secret=",
    "otel.exporter.otlp.headers,        'api-key=secret'",
    "otel.exporter.otlp.headers,        'Authorization=Basic secret=='",
    "otel.resource.attributes,          'api_key:secret'",
    "otel.resource.attributes,          'my.password=secret'",
    "otel.exporter.otlp.client.key,     '-----BEGIN PRIVATE KEY-----secret'",
    "otel.exporter.otlp.certificate,    '-----BEGIN CERTIFICATE-----secret'",
    "otel.traces.sampler,               Bearer secret",
    "otel.propagators,                  https://user:secret@h",
    // Throws, and tells a secret.
    "otel.traces.sampler,               test-broken",
  })
  void aSecretIsNeverTold(String property, String value) {
    Logger logger = (Logger) LoggerFactory.getLogger("dev.throughline.telemetry");
    Level level = logger.getLevel();
    logger.setLevel(Level.TRACE);
    try {
      Telemetry telemetry = build(Map.of(property, value));
      assertThat(log.everything() + telemetry.configuration()).doesNotContain("secret");
      Throwable thrown =
          catchThrowable(() -> build(Map.of(property, value, "telemetry.strict", "true")));
      if (thrown != null) {
        assertThat(thrown).isInstanceOf(IllegalArgumentException.class).hasNoCause();
        assertThat(thrown.toString()).doesNotContain("secret");
      }
    } finally {
      logger.setLevel(level);
    }
  }
}
