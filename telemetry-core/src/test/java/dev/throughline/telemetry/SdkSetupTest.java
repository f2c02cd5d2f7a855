// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurablePropagatorProvider;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SdkSetupTest {

  private static final String TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String SAMPLED = "00-" + TRACE_ID + "-00f067aa0ba902b7-01";
  private static final String UNSAMPLED = "00-" + TRACE_ID + "-00f067aa0ba902b7-00";
  private static final AttributeKey<String> SERVICE_NAME = stringKey("service.name");
  private static final AttributeKey<String> SERVICE_VERSION = stringKey("service.version");
  private static final AttributeKey<String> INSTANCE_ID = stringKey("service.instance.id");

  private final LogCapture log = new LogCapture();
  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final List<Telemetry> built = new ArrayList<>();

  @AfterEach
  void close() {
    built.forEach(Telemetry::close);
    log.close();
  }

  private TelemetryBuilder builder() {
    return Telemetry.builder()
        .ignoreEnvironment()
        .addProperty("otel.traces.exporter", "none")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .addSpanProcessor(SimpleSpanProcessor.create(spans));
  }

  private Telemetry build(TelemetryBuilder builder) {
    Telemetry telemetry = builder.build();
    built.add(telemetry);
    return telemetry;
  }

  private SpanData span(TelemetryBuilder builder) {
    spans.reset();
    build(builder).span("work").run(() -> {});
    return spans.getFinishedSpanItems().get(0);
  }

  private Attributes resource(TelemetryBuilder builder) {
    return span(builder).getResource().getAttributes();
  }

  @Test
  void theArgumentNamesTheService() {
    assertThat(resource(builder().setServiceName("from-main")).get(SERVICE_NAME))
        .isEqualTo("from-main");
  }

  @Test
  void theVariablesNamesWinOverTheArgument() {
    assertThat(
            resource(
                    builder()
                        .setServiceName("from-main")
                        .addProperty("otel.resource.attributes", "service.name=from-attributes"))
                .get(SERVICE_NAME))
        .isEqualTo("from-attributes");
    assertThat(
            resource(
                    builder()
                        .setServiceName("from-main")
                        .addProperty("otel.service.name", "from-variable")
                        .addProperty("otel.resource.attributes", "service.name=from-attributes"))
                .get(SERVICE_NAME))
        .isEqualTo("from-variable");
    assertThat(log.infos()).last().asString().startsWith("Telemetry of from-variable: ");
  }

  @Test
  void aServiceWithoutNameStarts() {
    assertThat(resource(builder()).get(SERVICE_NAME)).startsWith("unknown_service");
    assertThat(log.infos()).singleElement().asString().startsWith("Telemetry of unknown_service");
  }

  @Test
  void theCallersVersionStandsUnlessTheAttributesSetOne() {
    assertThat(resource(builder()).get(SERVICE_VERSION)).isNull();
    assertThat(resource(builder().setServiceVersion("1.2")).get(SERVICE_VERSION)).isEqualTo("1.2");
    assertThat(
            resource(
                    builder()
                        .setServiceVersion("1.2")
                        .addProperty("otel.resource.attributes", "service.version=3"))
                .get(SERVICE_VERSION))
        .isEqualTo("3");
  }

  @Test
  void everyInstanceHasAnIdUnlessTheAttributesSetOne() {
    String first = resource(builder()).get(INSTANCE_ID);
    String second = resource(builder()).get(INSTANCE_ID);
    assertThat(UUID.fromString(first)).isNotEqualTo(UUID.fromString(second));
    assertThat(Stream.of(first, second).map(UUID::fromString))
        .allMatch(id -> id.version() == 4 && id.variant() == 2 && id.toString().length() == 36);
    assertThat(
            resource(builder().addProperty("otel.resource.attributes", "service.instance.id=pod-1"))
                .get(INSTANCE_ID))
        .isEqualTo("pod-1");
  }

  @Test
  void otherResourceAttributesStay() {
    Attributes resource =
        resource(
            builder()
                .setServiceName("s")
                .addProperty("otel.resource.attributes", "datacenter=us-west,team=a%20b"));
    assertThat(resource.get(stringKey("datacenter"))).isEqualTo("us-west");
    assertThat(resource.get(stringKey("team"))).isEqualTo("a b");
    assertThat(resource.get(stringKey("telemetry.sdk.name"))).isEqualTo("opentelemetry");
  }

  @Test
  void theScopeIsTheServiceUnlessItIsSet() {
    assertThat(span(builder().setServiceName("s")).getInstrumentationScopeInfo().getName())
        .isEqualTo("s");
    assertThat(
            span(builder().setServiceName("s").setScopeName("com.example"))
                .getInstrumentationScopeInfo()
                .getName())
        .isEqualTo("com.example");
    assertThat(span(builder()).getInstrumentationScopeInfo().getName())
        .isEqualTo("dev.throughline.telemetry");
  }

  @Test
  void oneLineSaysWhereItGoes() {
    build(
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("bmc-gateway")
            .addProperty("telemetry.close.timeout", "1ms"));
    assertThat(log.infos())
        .containsExactly(
            "Telemetry of bmc-gateway: traces to otlp (grpc http://localhost:4317), metrics to otlp"
                + " (grpc http://localhost:4317), logs to none;"
                + " sampler parentbased_always_on; propagators tracecontext,baggage");
  }

  @Test
  void theLineTellsWhatIsSetAndNoSecrets() {
    build(
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("bmc-gateway")
            .addProperty("telemetry.close.timeout", "1ms")
            .addProperty("otel.traces.exporter", "otlp,console")
            .addProperty("otel.logs.exporter", "none")
            .addProperty("otel.exporter.otlp.endpoint", "user:secret@collector:4318")
            .addProperty("otel.exporter.otlp.metrics.endpoint", "grpcs://token-secret@m.example")
            .addProperty("otel.exporter.otlp.headers", "Authorization=Bearer%20secret")
            .addProperty("otel.traces.sampler", "parentbased_traceidratio")
            .addProperty("otel.traces.sampler.arg", "0.01")
            .addProperty("otel.propagators", "baggage"));
    assertThat(log.infos())
        .containsExactly(
            "Telemetry of bmc-gateway: traces to otlp, console (http/protobuf"
                + " http://collector:4318), metrics to otlp (grpc https://m.example), logs to"
                + " none; sampler parentbased_traceidratio 0.01; propagators baggage");
  }

  @Test
  void theLineTellsThatTracesAreOff() {
    build(builder().setServiceName("s").addProperty("tracing.enabled", "false"));
    assertThat(log.infos())
        .containsExactly(
            "Telemetry of s: traces to nowhere (TRACING_ENABLED=false), metrics to none, logs to"
                + " none; sampler parentbased_always_on; propagators tracecontext,baggage");
  }

  @Test
  void theLineTellsWhyAllIsOff() {
    build(builder().addProperty("otel.sdk.disabled", "true"));
    assertThat(log.infos()).containsExactly("Telemetry is off because OTEL_SDK_DISABLED=true");
    assertThat(log.warnings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    // sampler, argument, and whether a root, a child of a sampled and of an unsampled span is taken
    "always_on,                ,    true,  true,  true",
    "always_off,               ,    false, false, false",
    "traceidratio,             ,    true,  true,  true",
    "traceidratio,             1,   true,  true,  true",
    "traceidratio,             0,   false, false, false",
    "parentbased_always_on,    ,    true,  true,  false",
    "parentbased_always_off,   ,    false, true,  false",
    "parentbased_traceidratio, ,    true,  true,  false",
    "parentbased_traceidratio, 0,   false, true,  false",
    "parentbased_traceidratio, 1.0, true,  true,  false",
    // An argument that the sampler does not take changes nothing.
    "always_on,                0,   true,  true,  true",
  })
  void samples(String sampler, String argument, boolean root, boolean sampled, boolean unsampled) {
    TelemetryBuilder builder = builder().addProperty("otel.traces.sampler", sampler);
    if (argument != null) {
      builder.addProperty("otel.traces.sampler.arg", argument);
    }
    Telemetry telemetry = build(builder);
    assertThat(isSampled(telemetry, Map.of())).isEqualTo(root);
    assertThat(isSampled(telemetry, Map.of("traceparent", SAMPLED))).isEqualTo(sampled);
    assertThat(isSampled(telemetry, Map.of("traceparent", UNSAMPLED))).isEqualTo(unsampled);
  }

  private static boolean isSampled(Telemetry telemetry, Map<String, String> incoming) {
    return telemetry
        .span("work")
        .parent(telemetry.extract(incoming))
        .<Boolean, RuntimeException>call(span -> span.span().getSpanContext().isSampled());
  }

  @Test
  void samplesByTheRatio() {
    Telemetry telemetry =
        build(
            builder()
                .addProperty("otel.traces.sampler", "parentbased_traceidratio")
                .addProperty("otel.traces.sampler.arg", "0.25"));
    int sampled = 0;
    for (int i = 0; i < 4_000; i++) {
      sampled += isSampled(telemetry, Map.of()) ? 1 : 0;
    }
    // Eight standard deviations.
    assertThat(sampled).isCloseTo(1_000, within(220));
  }

  @ParameterizedTest
  @CsvSource({
    "'tracecontext,baggage',      traceparent tracestate baggage",
    "'baggage , tracecontext',    baggage traceparent tracestate",
    "'baggage,baggage',           baggage",
    "tracecontext,                traceparent tracestate",
    "baggage,                     baggage",
    "none,                        ''",
    "'tracecontext,test-custom',  traceparent tracestate x-custom",
  })
  void propagatesByTheVariable(String names, String fields) {
    for (TelemetryBuilder builder : recordingMetricsOnlyAndOff(names)) {
      Telemetry telemetry = build(builder);
      assertThat(fields(telemetry))
          .isEqualTo(fields.isEmpty() ? List.of() : List.of(fields.split(" ")));
    }
    assertThat(log.warnings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "bogus,                   'tracecontext,baggage', traceparent tracestate baggage",
    "'tracecontext,bogus',    tracecontext,           traceparent tracestate",
    "'bogus,test-custom',     test-custom,            x-custom",
    "'none,baggage',          baggage,                baggage",
  })
  void leavesOutAPropagatorThatIsNotThereAndSaysSoOnce(String names, String used, String fields) {
    for (TelemetryBuilder builder : recordingMetricsOnlyAndOff(names)) {
      try (LogCapture own = new LogCapture()) {
        Telemetry telemetry = build(builder);
        assertThat(fields(telemetry)).isEqualTo(List.of(fields.split(" ")));
        assertThat(own.warnings())
            .singleElement()
            .asString()
            .startsWith("OTEL_PROPAGATORS: \"" + names + "\" can't be used; accepted: ")
            .endsWith("; used instead: " + used);
      }
    }
    assertThat(built.get(0).isEnabled()).isTrue();
  }

  private List<TelemetryBuilder> recordingMetricsOnlyAndOff(String propagators) {
    return List.of(
        builder().addProperty("otel.propagators", propagators),
        builder().addProperty("otel.propagators", propagators).addProperty("tracing.enabled", "no"),
        builder()
            .addProperty("otel.propagators", propagators)
            .addProperty("otel.sdk.disabled", "true"));
  }

  private static List<String> fields(Telemetry telemetry) {
    return List.copyOf(telemetry.openTelemetry().getPropagators().getTextMapPropagator().fields());
  }

  @Test
  void limitsSpans() {
    Telemetry telemetry =
        build(
            builder()
                .addProperty("otel.span.attribute.count.limit", "2")
                .addProperty("otel.span.attribute.value.length.limit", "3")
                .addProperty("otel.span.event.count.limit", "1")
                .addProperty("otel.span.link.count.limit", "1"));
    Span linked = Span.fromContext(telemetry.extract(Map.of("traceparent", SAMPLED)));
    telemetry
        .span("work")
        .link(linked.getSpanContext())
        .link(linked.getSpanContext())
        .attribute("a", "12345")
        .attribute("b", "1")
        .attribute("c", "1")
        .run(span -> span.event("first").event("second"));
    SpanData span = spans.getFinishedSpanItems().get(0);
    assertThat(span.getAttributes().asMap())
        .isEqualTo(Map.of(stringKey("a"), "123", stringKey("b"), "1"));
    assertThat(span.getTotalAttributeCount()).isEqualTo(3);
    assertThat(span.getEvents())
        .singleElement()
        .satisfies(e -> assertThat(e.getName()).isEqualTo("first"));
    assertThat(span.getTotalRecordedEvents()).isEqualTo(2);
    assertThat(span.getLinks()).hasSize(1);
    assertThat(span.getTotalRecordedLinks()).isEqualTo(2);
  }

  @Test
  void limitsAttributesOfAllKinds() {
    Telemetry telemetry =
        build(
            builder()
                .addProperty("otel.attribute.count.limit", "1")
                .addProperty("otel.attribute.value.length.limit", "2"));
    telemetry
        .span("work")
        .attribute("a", "123")
        .attribute("b", "1")
        .run(span -> span.event("e", Attributes.of(stringKey("a"), "1", stringKey("b"), "2")));
    SpanData span = spans.getFinishedSpanItems().get(0);
    assertThat(span.getAttributes().asMap()).isEqualTo(Map.of(stringKey("a"), "12"));
    assertThat(span.getEvents().get(0).getAttributes().size()).isEqualTo(1);
  }

  @Test
  void copiesTheListedBaggage() {
    Telemetry telemetry =
        build(builder().addProperty("telemetry.baggage.attributes", "tenant, session_id"));
    telemetry
        .span("work")
        .baggage("tenant", "t-1")
        .baggage("session_id", "s-1")
        .baggage("customer_id", "c-1")
        .run(() -> telemetry.span("inner").run(() -> {}));
    assertThat(spans.getFinishedSpanItems())
        .hasSize(2)
        .extracting(span -> span.getAttributes().asMap())
        .containsOnly(
            Map.of(stringKey("baggage.tenant"), "t-1", stringKey("baggage.session_id"), "s-1"));
  }

  @Test
  void copiesSixByDefault() {
    Telemetry telemetry = build(builder());
    SpanBuilder span = telemetry.span("work").baggage("other", "0");
    List<String> keys =
        List.of("customer_id", "server_id", "session_id", "datacenter", "agent_id", "bmc_type");
    keys.forEach(key -> span.baggage(key, "v"));
    span.run(() -> {});
    assertThat(spans.getFinishedSpanItems().get(0).getAttributes().asMap().keySet())
        .extracting(AttributeKey::getKey)
        .containsExactlyInAnyOrderElementsOf(keys.stream().map("baggage."::concat).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"8", "0"})
  void batchSettingsReachThePipeline(String delay) {
    Telemetry telemetry =
        build(
            builder()
                .addProperty("otel.traces.exporter", "otlp")
                .addProperty("otel.bsp.schedule.delay", delay + "m")
                .addProperty("otel.bsp.max.queue.size", "77")
                .addProperty("otel.bsp.max.export.batch.size", "11")
                .addProperty("otel.bsp.export.timeout", "9s"));
    // Alone, without a composite of the SDK's that each span would go through.
    assertThat(telemetry.openTelemetry().toString()).contains("spanProcessor=SpanPipeline{");
    assertThat(telemetry.openTelemetry().toString())
        .contains("maxQueueSize=77, maxExportBatchSize=11, exportTimeout=PT9S")
        .contains(delay.equals("0") ? "scheduleDelay=PT0.001S" : "scheduleDelay=PT8M");
  }

  /** Autoconfigure makes a batch processor whatever we want; ours takes its place. */
  @Test
  void leavesNoWorkerOfOpenTelemetrysOwnBatchProcessor() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    build(
        builder()
            .addProperty("otel.traces.exporter", "otlp")
            .addProperty("otel.bsp.schedule.delay", "1h"));
    assertThat(threadsSince(before)).contains("telemetry-span-export");
    Wait.until(
        "the worker is gone",
        () -> threadsSince(before).stream().noneMatch(name -> name.startsWith("BatchSpan")));
  }

  private static List<String> threadsSince(Set<Thread> before) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !before.contains(thread))
        .map(Thread::getName)
        .toList();
  }

  /** What a broken jar on the class path throws is no RuntimeException. */
  @Test
  void aProviderThatDoesNotLoadCostsItself(@TempDir Path folder) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(
        services.resolve("io.opentelemetry.sdk.autoconfigure.spi.ResourceProvider"),
        "com.example.Missing\n");
    try (ChildJvm child =
        ChildJvm.of(SettingsTest.PrintTelemetry.class)
            .classPath(
                System.getProperty("java.class.path")
                    + System.getProperty("path.separator")
                    + folder)
            .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("enabled ")).containsExactly("true");
      assertThat(child.output())
          .filteredOn(line -> line.contains("An extension of OpenTelemetry threw"))
          .singleElement()
          .asString()
          .contains("ResourceProvider")
          .contains("com.example.Missing");
    }
  }

  @Test
  void aPropagatorsProviderThatDoesNotLoadIsLeftOut(@TempDir Path folder) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(
        services.resolve("io.opentelemetry.sdk.autoconfigure.spi.ConfigurablePropagatorProvider"),
        "com.example.Missing\n");
    try (ChildJvm child =
        ChildJvm.of(SettingsTest.PrintTelemetry.class)
            .environment("OTEL_SDK_DISABLED", "true")
            .environment("OTEL_PROPAGATORS", "b3")
            .classPath(
                System.getProperty("java.class.path")
                    + System.getProperty("path.separator")
                    + folder)
            .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.output())
          .anyMatch(line -> line.contains("OTEL_PROPAGATORS: \"b3\" could not be loaded"))
          .anyMatch(line -> line.contains("OTEL_PROPAGATORS: \"b3\" can't be used"));
    }
  }

  /** A propagator whose artifact is on the class path. */
  public static final class CustomPropagatorProvider implements ConfigurablePropagatorProvider {

    @Override
    public TextMapPropagator getPropagator(ConfigProperties config) {
      return new TextMapPropagator() {
        @Override
        public Collection<String> fields() {
          return List.of("x-custom");
        }

        @Override
        public <C> void inject(Context context, C carrier, TextMapSetter<C> setter) {}

        @Override
        public <C> Context extract(Context context, C carrier, TextMapGetter<C> getter) {
          return context;
        }
      };
    }

    @Override
    public String getName() {
      return "test-custom";
    }
  }
}
