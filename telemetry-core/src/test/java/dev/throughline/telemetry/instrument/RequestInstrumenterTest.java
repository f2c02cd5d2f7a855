// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Signals.Sampling;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.export.SimpleLogRecordProcessor;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.testing.exporter.InMemoryLogRecordExporter;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestInstrumenterTest {

  private static final String TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String SPAN_ID = "00f067aa0ba902b7";
  private static final String TRACEPARENT = "00-" + TRACE_ID + "-" + SPAN_ID + "-01";

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final InMemoryMetricReader metrics = InMemoryMetricReader.create();
  private final Telemetry telemetry = telemetry(Map.of());

  private Telemetry telemetry(Map<String, String> properties) {
    var builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addSpanProcessor(SimpleSpanProcessor.create(spans));
    properties.forEach(builder::addProperty);
    if (properties.isEmpty()) {
      builder.addMetricReader(metrics);
    }
    return builder.build();
  }

  @AfterEach
  void nothingStaysCurrent() {
    assertThat(Context.current()).isSameAs(Context.root());
    telemetry.close();
  }

  private RequestInstrumenterBuilder<Call, String> instrumenter(
      RequestConvention<Call, String> convention) {
    return telemetry
        .instrumenter("test.scope", convention)
        .setDurationHistogram("test.duration", "Duration.", List.of(0.1, 1d))
        .setActiveCounter("test.active", "Active.");
  }

  private static String serve(RequestInstrumenter<Call, String> instrumenter, Call call) {
    InstrumentedRequest<Call, String> started = instrumenter.start(Context.current(), call);
    if (started == null) {
      return call.handle();
    }
    String response;
    try (Scope ignored = started.makeCurrent()) {
      response = call.handle();
      started.responding();
    } catch (Throwable t) {
      started.end(null, t);
      throw t;
    }
    started.end(response, null);
    return response;
  }

  private SpanData onlySpan() {
    assertThat(spans.getFinishedSpanItems()).hasSize(1);
    return spans.getFinishedSpanItems().get(0);
  }

  private MetricData metric(String name) {
    return metrics.collectAllMetrics().stream()
        .filter(metric -> metric.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void recordsASpanAndADuration() {
    Call call = new Call();
    call.headers.put("traceparent", TRACEPARENT);
    call.headers.put("baggage", "customer_id=c1");
    call.handler =
        () -> {
          assertThat(Baggage.current().getEntryValue("customer_id")).isEqualTo("c1");
          LongPointData active =
              metric("test.active").getLongSumData().getPoints().iterator().next();
          assertThat(active.getValue()).isEqualTo(1);
          return "ok";
        };
    serve(instrumenter(new Convention(SpanKind.SERVER)).build(), call);

    SpanData span = onlySpan();
    assertThat(span.getName()).isEqualTo("late name");
    assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(span.getTraceId()).isEqualTo(TRACE_ID);
    assertThat(span.getParentSpanId()).isEqualTo(SPAN_ID);
    assertThat(span.getInstrumentationScopeInfo().getName()).isEqualTo("test.scope");
    assertThat(span.getAttributes().asMap())
        .isEqualTo(
            Attributes.of(
                    stringKey("start"), "s",
                    stringKey("end"), "ok",
                    stringKey("baggage.customer_id"), "c1")
                .asMap());
    MetricData duration = metric("test.duration");
    assertThat(duration.getUnit()).isEqualTo("s");
    HistogramPointData point = duration.getHistogramData().getPoints().iterator().next();
    assertThat(point.getCount()).isEqualTo(1);
    assertThat(point.getBoundaries()).containsExactly(0.1, 1d);
    assertThat(point.getAttributes()).isSameAs(Convention.POINT);
    assertThat(point.getExemplars()).hasSize(1);
    assertThat(point.getExemplars().get(0).getSpanContext().getSpanId())
        .isEqualTo(span.getSpanId());
    assertThat(metric("test.active").getLongSumData().getPoints().iterator().next().getValue())
        .isZero();
  }

  @Test
  void sendsTheClientSpansContext() {
    Call call = new Call();
    telemetry
        .span("outer")
        .baggage("session_id", "s-1")
        .run(() -> serve(instrumenter(new Convention(SpanKind.CLIENT)).build(), call));
    SpanData client = spans.getFinishedSpanItems().get(0);
    assertThat(call.headers.get("traceparent"))
        .isEqualTo(
            "00-"
                + client.getTraceId()
                + "-"
                + client.getSpanId()
                + "-"
                + client.getSpanContext().getTraceFlags().asHex());
    assertThat(call.headers.get("baggage")).isEqualTo("session_id=s-1");
  }

  @ParameterizedTest
  @EnumSource(
      value = ParentPolicy.class,
      names = {"LINK", "EDGE"})
  void anIncomingContextBecomesALinkOfANewRoot(ParentPolicy policy) {
    Call call = new Call();
    call.headers.put("traceparent", TRACEPARENT);
    call.headers.put("baggage", "customer_id=c1");
    String[] customer = new String[1];
    call.handler =
        () -> {
          customer[0] = Baggage.current().getEntryValue("customer_id");
          return "ok";
        };
    serve(instrumenter(new Convention(SpanKind.SERVER)).setParentPolicy(policy).build(), call);
    SpanData span = onlySpan();
    assertThat(span.getParentSpanContext().isValid()).isFalse();
    assertThat(span.getTraceId()).isNotEqualTo(TRACE_ID);
    assertThat(span.getLinks()).hasSize(1);
    assertThat(span.getLinks().get(0).getSpanContext().getTraceId()).isEqualTo(TRACE_ID);
    // At an edge anybody may have sent it.
    assertThat(customer[0]).isEqualTo(policy == ParentPolicy.LINK ? "c1" : null);
  }

  @Test
  void aStartTakesLinksAndAStartTime() {
    SpanContext linked =
        Span.fromContext(telemetry.extract(Map.of("traceparent", TRACEPARENT))).getSpanContext();
    long tenSecondsAgo =
        TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) - TimeUnit.SECONDS.toNanos(10);
    InstrumentedRequest<Call, String> started =
        instrumenter(new Convention(SpanKind.CONSUMER))
            .build()
            .start(Context.root(), new Call(), List.of(linked), tenSecondsAgo);
    assertThat(started).isNotNull();
    started.end("ok", null);
    assertThat(onlySpan().getStartEpochNanos()).isEqualTo(tenSecondsAgo);
    assertThat(onlySpan().getLinks()).extracting("spanContext").containsExactly(linked);
    assertThat(metric("test.duration").getHistogramData().getPoints().iterator().next().getSum())
        .isBetween(9.9, 60.0);
  }

  @Test
  void theApplicationsExceptionPassesAndIsRecorded() {
    IllegalStateException thrown = new IllegalStateException("app");
    Call call = new Call();
    call.handler =
        () -> {
          throw thrown;
        };
    RequestInstrumenter<Call, String> server =
        instrumenter(new Convention(SpanKind.SERVER)).build();
    assertThatThrownBy(() -> serve(server, call)).isSameAs(thrown);
    SpanData span = onlySpan();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(span.getAttributes().get(stringKey("error.type")))
        .isEqualTo("java.lang.IllegalStateException");
    assertThat(span.getEvents()).hasSize(1);
  }

  @Test
  void endsExactlyOnceHoweverManyThreadsEndIt() throws Exception {
    RequestInstrumenter<Call, String> server =
        instrumenter(new Convention(SpanKind.SERVER)).build();
    for (int round = 0; round < 200; round++) {
      InstrumentedRequest<Call, String> started = server.start(Context.root(), new Call());
      CountDownLatch go = new CountDownLatch(1);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Thread thread =
            new Thread(
                () -> {
                  try {
                    go.await();
                  } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                  started.end("ok", null);
                });
        thread.start();
        threads.add(thread);
      }
      go.countDown();
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertThat(spans.getFinishedSpanItems()).hasSize(200);
    assertThat(metric("test.duration").getHistogramData().getPoints().iterator().next().getCount())
        .isEqualTo(200);
    assertThat(metric("test.active").getLongSumData().getPoints().iterator().next().getValue())
        .isZero();
  }

  @Test
  void aRequestThatIsLeftOutLeavesNothingAndPassesItsContextOn() {
    Call call = new Call();
    call.headers.put("traceparent", TRACEPARENT);
    Map<String, String> outgoing = new HashMap<>();
    call.handler =
        () -> {
          telemetry.inject(outgoing);
          return "ok";
        };
    Convention leavesOut =
        new Convention(SpanKind.SERVER) {
          @Override
          public boolean shouldStart(Call request) {
            return false;
          }
        };
    serve(instrumenter(leavesOut).build(), call);
    assertThat(outgoing.get("traceparent")).isEqualTo(TRACEPARENT);
    assertThat(spans.getFinishedSpanItems()).isEmpty();
    assertThat(metrics.collectAllMetrics()).isEmpty();
  }

  @Test
  void responseHooksRunOnceBeforeTheResponse() {
    Call call = new Call();
    RequestInstrumenter<Call, String> server =
        instrumenter(new Convention(SpanKind.SERVER))
            .addResponseHook(
                (context, carrier, setter) -> {
                  throw new IllegalStateException("hook");
                })
            .addResponseHook(
                (context, carrier, setter) ->
                    setter.set(
                        carrier,
                        "trace-id",
                        Span.fromContext(context).getSpanContext().getTraceId()))
            .build();
    InstrumentedRequest<Call, String> started = server.start(Context.root(), call);
    assertThat(started.writesResponseHeaders()).isTrue();
    started.responding();
    call.responseHeaders.put("trace-id", "changed by the application");
    started.responding();
    started.end("ok", null);
    assertThat(call.responseHeaders).containsEntry("trace-id", "changed by the application");
    assertThat(server.guard.hits()).isEqualTo(1);
  }

  private static final Map<String, String> WITH_IDS =
      Map.of("telemetry.request.id.header", "X-Request-Id");

  @Test
  void anIdIsTakenFromTheRequestSentOnAndEchoed() {
    try (Telemetry named = telemetry(WITH_IDS)) {
      RequestInstrumenter<Call, String> server =
          named.instrumenter("s", new Convention(SpanKind.SERVER)).build();
      RequestInstrumenter<Call, String> client =
          named.instrumenter("s", new Convention(SpanKind.CLIENT)).build();
      Call call = new Call();
      call.headers.put("X-Request-Id", "r 1~");
      Call below = new Call();
      call.handler =
          () -> {
            assertThat(RequestIds.fromContext(Context.current())).isEqualTo("r 1~");
            return serve(client, below);
          };
      serve(server, call);
      assertThat(below.headers).containsEntry("X-Request-Id", "r 1~");
      assertThat(below.responseHeaders).isEmpty();
      assertThat(call.responseHeaders).containsEntry("X-Request-Id", "r 1~");
      assertThat(spans.getFinishedSpanItems())
          .hasSize(2)
          .allSatisfy(
              span ->
                  assertThat(span.getAttributes().get(stringKey("request.id"))).isEqualTo("r 1~"));
    }
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "  ", "line\nbreak", "\u00e9", "tab\t", "\u007f"})
  @MethodSource("tooLong")
  void anIdThatIsNoneIsMade(@Nullable String received) {
    try (Telemetry named = telemetry(WITH_IDS)) {
      Call call = new Call();
      if (received != null) {
        call.headers.put("X-Request-Id", received);
      }
      serve(named.instrumenter("s", new Convention(SpanKind.SERVER)).build(), call);
      assertThat(UUID.fromString(call.responseHeaders.get("X-Request-Id")))
          .satisfies(
              id -> {
                assertThat(id.version()).isEqualTo(4);
                assertThat(id.variant()).isEqualTo(2);
              });
    }
  }

  static List<String> tooLong() {
    return List.of("x".repeat(129));
  }

  @Test
  void anIdOfTheGreatestLengthIsTaken() {
    try (Telemetry named = telemetry(WITH_IDS)) {
      Call call = new Call();
      call.headers.put("X-Request-Id", "x".repeat(128));
      serve(named.instrumenter("s", new Convention(SpanKind.SERVER)).build(), call);
      assertThat(call.responseHeaders).containsEntry("X-Request-Id", "x".repeat(128));
    }
  }

  @Test
  void aSpanEndsAfterThePointsOfItsRequest() {
    InMemoryMetricReader reader = InMemoryMetricReader.create();
    List<String> recorded = new ArrayList<>();
    SpanExporter atEnd =
        new SpanExporter() {
          @Override
          public CompletableResultCode export(Collection<SpanData> ended) {
            reader.collectAllMetrics().forEach(metric -> recorded.add(metric.getName()));
            return CompletableResultCode.ofSuccess();
          }

          @Override
          public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
          }

          @Override
          public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
          }
        };
    try (Telemetry measured =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addMetricReader(reader)
            .addSpanProcessor(SimpleSpanProcessor.create(atEnd))
            .build()) {
      serve(
          measured
              .instrumenter("s", new Convention(SpanKind.SERVER))
              .setDurationHistogram("test.duration", "Duration.", List.of(1d))
              .setActiveCounter("test.active", "Active.")
              .build(),
          new Call());
    }
    assertThat(recorded).contains("test.duration", "test.active");
  }

  @Test
  void withTelemetryOffMountedMetricsAreAllThatIsLeft() {
    Mounted mounted = new Mounted();
    InMemoryMetricReader pushed = InMemoryMetricReader.create();
    InMemoryLogRecordExporter logs = InMemoryLogRecordExporter.create();
    try (Telemetry off =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.sdk.disabled", "true")
            .addProperty("telemetry.request.id.header", "X-Request-Id")
            .setMetrics(mounted)
            .addMetricReader(pushed)
            .addLogRecordProcessor(SimpleLogRecordProcessor.create(logs))
            .addSpanProcessor(SimpleSpanProcessor.create(spans))
            .build()) {
      List<Context> entered = new ArrayList<>();
      off.setScopeHook(
          (before, now, scope) -> {
            entered.add(now);
            return scope;
          });
      Call call = new Call();
      call.headers.putAll(Map.of("X-Request-Id", "r-1", "traceparent", TRACEPARENT));
      serve(
          off.instrumenter("s", new Convention(SpanKind.SERVER))
              .setDurationHistogram("test.duration", "Duration.", List.of(1d))
              .build(),
          call);
      off.openTelemetry().getLogsBridge().get("s").logRecordBuilder().setBody("line").emit();
      // With the series of delivery, whose values stay at zero.
      assertThat(mounted.reader.collectAllMetrics())
          .extracting(MetricData::getName)
          .filteredOn(name -> !name.startsWith("throughline."))
          .containsExactly("test.duration");
      assertThat(pushed.collectAllMetrics()).isEmpty();
      assertThat(logs.getFinishedLogRecordItems()).isEmpty();
      assertThat(spans.getFinishedSpanItems()).isEmpty();
      assertThat(call.responseHeaders).isEmpty();
      assertThat(entered).isEmpty();
    }
  }

  /** Metrics that the service's own server shows. */
  private static final class Mounted implements MetricsModule {

    final InMemoryMetricReader reader = InMemoryMetricReader.create();

    @Override
    public String exporterName() {
      return "mounted";
    }

    @Override
    public boolean isMounted() {
      return true;
    }

    @Override
    public MetricExporter watch(MetricExporter exporter) {
      return exporter;
    }

    @Override
    public void addTo(
        SdkMeterProviderBuilder meterProvider, ConfigProperties settings, boolean named) {
      meterProvider.registerMetricReader(reader);
    }

    @Override
    public void start(OpenTelemetry openTelemetry, Guard guard) {}
  }

  @Test
  void aHeaderOfTheApplicationsOwnStands() {
    try (Telemetry named = telemetry(WITH_IDS)) {
      Convention sends =
          new Convention(SpanKind.SERVER) {
            @Override
            public boolean sends(Call call, String header) {
              return call.responseHeaders.containsKey(header);
            }
          };
      Call call = new Call();
      call.responseHeaders.put("X-Request-Id", "the application's");
      serve(named.instrumenter("s", sends).build(), call);
      assertThat(call.responseHeaders).containsEntry("X-Request-Id", "the application's");
    }
  }

  @Test
  void atAnEdgeTheIdIsTakenAndNothingElse() {
    try (Telemetry named = telemetry(WITH_IDS)) {
      Call call = new Call();
      call.headers.putAll(Map.of("X-Request-Id", "r-1", "traceparent", TRACEPARENT));
      serve(
          named
              .instrumenter("s", new Convention(SpanKind.SERVER))
              .setParentPolicy(ParentPolicy.EDGE)
              .build(),
          call);
      assertThat(call.responseHeaders).containsEntry("X-Request-Id", "r-1");
      assertThat(onlySpan().getTraceId()).isNotEqualTo(TRACE_ID);
    }
  }

  @Test
  void withoutAHeaderForThemThereAreNoIds() {
    Call call = new Call();
    call.headers.put("X-Request-Id", "r-1");
    RequestInstrumenter<Call, String> server =
        telemetry.instrumenter("s", new Convention(SpanKind.SERVER)).build();
    InstrumentedRequest<Call, String> started = server.start(Context.root(), call);
    assertThat(started.writesResponseHeaders()).isFalse();
    assertThat(RequestIds.fromContext(started.context())).isNull();
    started.end("ok", null);
    assertThat(onlySpan().getAttributes().get(stringKey("request.id"))).isNull();
  }

  /** A sampled span gets its attributes before it starts, an unsampled one none at all. */
  @ParameterizedTest
  @CsvSource({
    "BY_ATTRIBUTES, , true",
    "BY_ATTRIBUTES, 00, true",
    "EVERY_TRACE, , true",
    "EVERY_TRACE, 01, true",
    "EVERY_TRACE, 00, false",
    "SOME_TRACES, , false",
    "SOME_TRACES, 01, true",
    "SOME_TRACES, 00, false"
  })
  void samplersSeeAttributesWhereTheyMayReadThemOrTakeTheSpanAnyway(
      Sampling sampling, @Nullable String parentFlags, boolean seesThem) {
    List<Attributes> seen = new ArrayList<>();
    try (OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .setSampler(new RecordingSampler(seen))
                    .addSpanProcessor(SimpleSpanProcessor.create(spans))
                    .build())
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build()) {
      Call call = new Call();
      if (parentFlags != null) {
        call.headers.put(
            "traceparent", TRACEPARENT.substring(0, TRACEPARENT.length() - 2) + parentFlags);
      }
      serve(
          new RequestInstrumenterBuilder<>(
                  new Signals(
                      sdk,
                      true,
                      true,
                      true,
                      sampling,
                      null,
                      null,
                      null,
                      null,
                      new Guard("test"),
                      4_096),
                  "s",
                  new Convention(SpanKind.SERVER))
              .build(),
          call);
      assertThat(seen.get(0).get(stringKey("start"))).isEqualTo(seesThem ? "s" : null);
      assertThat(onlySpan().getAttributes().get(stringKey("start"))).isEqualTo("s");
    }
  }

  @Test
  void withSpansOffMetricsGoOnAndTheContextPasses() {
    InMemoryMetricReader reader = InMemoryMetricReader.create();
    try (Telemetry metricsOnly =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("tracing.enabled", "false")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addMetricReader(reader)
            .build()) {
      Call call = new Call();
      call.headers.put("traceparent", TRACEPARENT);
      Map<String, String> outgoing = new HashMap<>();
      call.handler =
          () -> {
            metricsOnly.inject(outgoing);
            return "ok";
          };
      serve(
          metricsOnly
              .instrumenter("s", new Convention(SpanKind.SERVER))
              .setDurationHistogram("test.duration", "", List.of(1d))
              .build(),
          call);
      assertThat(outgoing.get("traceparent")).isEqualTo(TRACEPARENT);
      assertThat(reader.collectAllMetrics()).extracting("name").containsExactly("test.duration");
    }
  }

  /** Each hook in turn throws: the application sees the same, and the span still ends. */
  @ParameterizedTest
  @EnumSource(Hook.class)
  void aThrowingHookChangesNothingForTheApplication(Hook hook) {
    for (SpanKind kind : List.of(SpanKind.SERVER, SpanKind.CLIENT)) {
      for (Error thrown :
          List.of(new NoSuchMethodError("version mismatch"), new AssertionError("hook"))) {
        spans.reset();
        Convention convention = new Convention(kind);
        convention.throwing = hook;
        convention.thrown = thrown;
        RequestInstrumenter<Call, String> instrumenter = instrumenter(convention).build();
        Call call = new Call();
        call.headers.put("traceparent", TRACEPARENT);
        assertThat(serve(instrumenter, call)).isEqualTo("ok");
        assertThat(onlySpan().hasEnded()).isTrue();
        if (convention.reached) {
          assertThat(instrumenter.guard.hits()).isPositive();
        }
        IllegalStateException fromApplication = new IllegalStateException("app");
        call.handler =
            () -> {
              throw fromApplication;
            };
        assertThatThrownBy(() -> serve(instrumenter, call)).isSameAs(fromApplication);
        assertThat(spans.getFinishedSpanItems()).hasSize(2);
        assertThat(Context.current()).isSameAs(Context.root());
      }
    }
  }

  /** Guards the test above against a hook that no request reaches. */
  @ParameterizedTest
  @EnumSource(Hook.class)
  void everyHookIsReached(Hook hook) {
    boolean reached = false;
    for (SpanKind kind : List.of(SpanKind.SERVER, SpanKind.CLIENT)) {
      Convention convention = new Convention(kind);
      convention.throwing = hook;
      serve(instrumenter(convention).build(), new Call());
      reached |= convention.reached;
    }
    assertThat(reached).isTrue();
  }

  @Test
  void aVirtualMachineErrorPasses() {
    Convention convention = new Convention(SpanKind.SERVER);
    convention.throwing = Hook.SPAN_NAME;
    convention.thrown = new OutOfMemoryError("made by the test");
    RequestInstrumenter<Call, String> instrumenter = instrumenter(convention).build();
    assertThatThrownBy(() -> instrumenter.start(Context.root(), new Call()))
        .isInstanceOf(OutOfMemoryError.class);
  }

  @ParameterizedTest
  @EnumSource(Hook.class)
  void aHooksStackOverflowStaysItsOwn(Hook hook) {
    for (SpanKind kind : List.of(SpanKind.SERVER, SpanKind.CLIENT)) {
      Convention convention = new Convention(kind);
      convention.throwing = hook;
      convention.thrown = new StackOverflowError("made by the test");
      assertThat(serve(instrumenter(convention).build(), new Call())).isEqualTo("ok");
    }
  }

  @Test
  void aPropagatorThatReturnsNullIsLeftOut() {
    TextMapPropagator none =
        new TextMapPropagator() {
          @Override
          public Collection<String> fields() {
            return List.of();
          }

          @Override
          public <C> void inject(Context context, C carrier, TextMapSetter<C> setter) {}

          @Override
          public <C> Context extract(Context context, C carrier, TextMapGetter<C> getter) {
            return null;
          }
        };
    Telemetry of =
        Telemetry.of(
            OpenTelemetrySdk.builder()
                .setTracerProvider(
                    SdkTracerProvider.builder()
                        .addSpanProcessor(SimpleSpanProcessor.create(spans))
                        .build())
                .setPropagators(ContextPropagators.create(none))
                .build());
    assertThat(serve(of.instrumenter("s", new Convention(SpanKind.SERVER)).build(), new Call()))
        .isEqualTo("ok");
    assertThat(of.extract(Map.of())).isSameAs(Context.root());
    assertThat(onlySpan().getParentSpanContext().isValid()).isFalse();
  }

  @Test
  void isActiveWhereSomethingMayBeRecorded() {
    Convention convention = new Convention(SpanKind.CLIENT);
    try (Telemetry off = telemetry(Map.of("otel.sdk.disabled", "true"));
        Telemetry noSpans = telemetry(Map.of("tracing.enabled", "false"))) {
      assertThat(telemetry.instrumenter("test.scope", convention).build().isActive()).isTrue();
      assertThat(off.instrumenter("test.scope", convention).build().isActive()).isFalse();
      RequestInstrumenterBuilder<Call, String> builder =
          noSpans.instrumenter("test.scope", convention);
      assertThat(builder.build().isActive()).isFalse();
      builder.setDurationHistogram("test.duration", "Duration.", List.of(0.1, 1d));
      assertThat(builder.build().isActive()).isTrue();
    }
  }

  enum Hook {
    SHOULD_START,
    SPAN_NAME,
    LATE_SPAN_NAME,
    ON_START,
    ON_END,
    ERROR_TYPE,
    DURATION_ATTRIBUTES,
    ACTIVE_ATTRIBUTES,
    GETTER,
    SETTER
  }

  private static final class Call {
    final Map<String, String> headers = new HashMap<>();
    final Map<String, String> responseHeaders = new HashMap<>();
    Supplier<String> handler = () -> "ok";

    String handle() {
      return handler.get();
    }
  }

  private static class Convention implements RequestConvention<Call, String> {

    static final Attributes POINT = Attributes.of(stringKey("point"), "p");

    private final SpanKind kind;
    @Nullable Hook throwing;
    Error thrown = new AssertionError("hook");
    boolean reached;

    Convention(SpanKind kind) {
      this.kind = kind;
    }

    private void at(Hook hook) {
      if (hook == throwing) {
        reached = true;
        throw thrown;
      }
    }

    @Override
    public SpanKind kind() {
      return kind;
    }

    @Override
    public boolean shouldStart(Call request) {
      at(Hook.SHOULD_START);
      return true;
    }

    @Override
    public String spanName(Call request) {
      at(Hook.SPAN_NAME);
      return "name";
    }

    @Override
    public String lateSpanName(Call request) {
      at(Hook.LATE_SPAN_NAME);
      return "late name";
    }

    @Override
    public void onStart(AttributeSink attributes, Call request) {
      at(Hook.ON_START);
      attributes.set(stringKey("start"), "s");
      attributes.set(stringKey("null"), null);
    }

    @Override
    public void onEnd(
        AttributeSink attributes,
        Call request,
        @Nullable String response,
        @Nullable Throwable error) {
      at(Hook.ON_END);
      attributes.set(stringKey("end"), response);
    }

    @Override
    public @Nullable String errorType(
        Call request, @Nullable String response, @Nullable Throwable error) {
      at(Hook.ERROR_TYPE);
      return error == null ? null : error.getClass().getName();
    }

    @Override
    public Attributes durationAttributes(
        Call request, @Nullable String response, @Nullable Throwable error) {
      at(Hook.DURATION_ATTRIBUTES);
      return POINT;
    }

    @Override
    public Attributes activeAttributes(Call request) {
      at(Hook.ACTIVE_ATTRIBUTES);
      return POINT;
    }

    @Override
    public @Nullable TextMapGetter<Call> requestGetter() {
      if (kind != SpanKind.SERVER) {
        return null;
      }
      return new HeaderGetter<>() {
        @Override
        protected @Nullable List<String> lines(Call carrier, String name) {
          at(Hook.GETTER);
          String value = carrier.headers.get(name);
          return value == null ? null : List.of(value);
        }
      };
    }

    @Override
    public @Nullable HeaderSetter<Call> requestSetter() {
      if (kind != SpanKind.CLIENT) {
        return null;
      }
      return (carrier, name, value) -> {
        at(Hook.SETTER);
        carrier.headers.put(name, value);
      };
    }

    @Override
    public HeaderSetter<Call> responseSetter() {
      return (carrier, name, value) -> carrier.responseHeaders.put(name, value);
    }
  }

  private record RecordingSampler(List<Attributes> seen) implements Sampler {
    @Override
    public SamplingResult shouldSample(
        Context parentContext,
        String traceId,
        String name,
        SpanKind spanKind,
        Attributes attributes,
        List<LinkData> parentLinks) {
      seen.add(attributes.toBuilder().build());
      return SamplingResult.recordAndSample();
    }

    @Override
    public String getDescription() {
      return "recording";
    }
  }
}
