// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizer;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizerProvider;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.MemoryMode;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.ReadWriteLogRecord;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentSelector;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.View;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.metrics.internal.exemplar.ExemplarFilterInternal;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.internal.ExtendedSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Hooks that a customizer adds straight to the SDK's builders, and callbacks of the SDK that it
 * gets, throw errors that the SDK takes for fatal: each costs itself, is told once, and all else
 * arrives.
 */
class SdkHooksTest {

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"LinkageError", "Error", "RuntimeException"})
  void whatThrowsCostsItselfAndIsToldOnce(String thrown) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(
        services.resolve(AutoConfigurationCustomizerProvider.class.getName()),
        Customizer.class.getName());
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        ChildJvm child =
            ChildJvm.of(Main.class)
                .classPath(System.getProperty("java.class.path") + File.pathSeparator + folder)
                .environment("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.authority())
                .environment("OTEL_METRIC_EXPORT_INTERVAL", "1h")
                .environment("THROWN", thrown)
                .start()) {
      assertThat(child.awaitExit()).as("%s", child.output()).isZero();
      assertThat(receiver.spans())
          .singleElement()
          .satisfies(
              span -> {
                assertThat(span.getName()).isEqualTo("ours");
                assertThat(span.getAttributesList())
                    .extracting(attribute -> attribute.getKey())
                    .contains("set.as.it.ends");
              });
      assertThat(receiver.logs()).hasSize(1);
      assertThat(receiver.metrics())
          .extracting(metric -> metric.getName())
          .contains("one", "viewed", "steady")
          .doesNotContain("broken");
      for (String hook :
          List.of(
              "Sampler.shouldSample",
              "SpanProcessor.onStart",
              "SpanProcessor.onEnding",
              "SpanProcessor.onEnd",
              "IdGenerator.generateSpanId",
              "IdGenerator.generateTraceId",
              "LogRecordProcessor.onEmit",
              "MetricReader.register",
              "MetricProducer.produce",
              "MetricExporter.export",
              "CardinalityLimitSelector.getCardinalityLimit",
              "View.attributeFilter",
              "ExemplarFilter",
              "The callback of broken of sdk")) {
        assertThat(child.output())
            .filteredOn(line -> line.contains("WARN") && line.contains(hook + " threw in "))
            .as(hook)
            .hasSize(1);
      }
    }
  }

  @Test
  void theInstanceIsTheSdkItself() {
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        Telemetry telemetry =
            Telemetry.builder()
                .ignoreEnvironment()
                .addProperty("otel.exporter.otlp.endpoint", receiver.authority())
                .addProperty("otel.bsp.schedule.delay", "1h")
                .addProperty("otel.metric.export.interval", "1h")
                .build()) {
      assertThat(telemetry.openTelemetry()).isInstanceOf(OpenTelemetrySdk.class);
      Telemetry over = Telemetry.of(telemetry.openTelemetry());
      over.span("over").run(() -> {});
      over.meter().counterBuilder("over").build().add(1);
      assertThat(over.flush(Wait.LIMIT).complete()).isTrue();
      assertThat(receiver.spans()).extracting(span -> span.getName()).containsExactly("over");
      assertThat(receiver.metrics()).anyMatch(metric -> metric.getName().equals("over"));
    }
  }

  @Test
  void aFlushReachesTheSdkThatRecordsNoSpans() {
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        Telemetry telemetry =
            Telemetry.builder()
                .ignoreEnvironment()
                .addProperty("otel.exporter.otlp.endpoint", receiver.authority())
                .addProperty("otel.metric.export.interval", "1h")
                .addProperty("tracing.enabled", "false")
                .build()) {
      Telemetry over = Telemetry.of(telemetry.openTelemetry());
      over.meter().counterBuilder("over").build().add(1);
      assertThat(over.flush(Wait.LIMIT).complete()).isTrue();
      assertThat(receiver.metrics()).anyMatch(metric -> metric.getName().equals("over"));
    }
  }

  /** A method that a guard leaves to the interface would hide the application's. */
  @Test
  void aGuardHidesNoMethod() {
    List<String> hidden = new ArrayList<>();
    for (Class<?> guard : Extensions.class.getDeclaredClasses()) {
      if (guard.getSimpleName().startsWith("Guarded")) {
        for (Method method : guard.getMethods()) {
          if (method.isDefault()) {
            hidden.add(guard.getSimpleName() + '.' + method.getName());
          }
        }
      }
    }
    // The SDK's own call shutdown; with() is for who makes a selector.
    assertThat(hidden).isNotEmpty().allMatch(name -> name.matches(".*\\.(close|with)"));
  }

  /** Records one of each signal; what reaches the application ends this JVM. */
  static final class Main {

    public static void main(String[] args) {
      try (Telemetry telemetry = Telemetry.init("sdk")) {
        OpenTelemetrySdk sdk = (OpenTelemetrySdk) telemetry.openTelemetry();
        sdk.getMeter("sdk").gaugeBuilder("broken").buildWithCallback(now -> fail());
        sdk.getMeter("sdk").gaugeBuilder("steady").buildWithCallback(now -> now.record(1));
        sdk.getTracer("sdk").spanBuilder("ours").startSpan().end();
        sdk.getMeter("sdk").counterBuilder("one").build().add(1);
        sdk.getMeter("sdk")
            .counterBuilder("viewed")
            .build()
            .add(1, Attributes.of(AttributeKey.stringKey("key"), "value"));
        sdk.getLogsBridge().get("sdk").logRecordBuilder().setBody("one").emit();
        telemetry.flush(Wait.LIMIT);
        telemetry.flush(Wait.LIMIT);
      }
    }
  }

  private static <T> T fail() {
    switch (System.getenv("THROWN")) {
      case "LinkageError" -> throw new NoSuchMethodError("of another version");
      case "Error" -> throw new AssertionError("of the test");
      default -> throw new IllegalStateException("of the test");
    }
  }

  /** Adds what throws later. */
  public static final class Customizer implements AutoConfigurationCustomizerProvider {

    @Override
    public void customize(AutoConfigurationCustomizer customizer) {
      customizer
          .addTracerProviderCustomizer(
              (provider, settings) ->
                  provider
                      .setSampler(Sampler.parentBased(new Thrower()))
                      .setIdGenerator(new Thrower())
                      .addSpanProcessor(new Thrower())
                      .addSpanProcessor(new Ending()))
          .addLoggerProviderCustomizer(
              (provider, settings) -> provider.addLogRecordProcessor(new ThrowingLogs()))
          .addMeterProviderCustomizer(
              (provider, settings) ->
                  provider
                      .registerMetricReader(new ThrowingMetrics(), type -> fail())
                      .registerMetricReader(PeriodicMetricReader.create(new ThrowingMetrics()))
                      .registerMetricProducer(resource -> fail())
                      .setExemplarFilter(new ThrowingFilter())
                      .registerView(
                          InstrumentSelector.builder().setName("viewed").build(),
                          View.builder().setAttributeFilter(name -> fail()).build()));
    }
  }

  private static final class Ending implements ExtendedSpanProcessor {

    @Override
    public void onEnding(ReadWriteSpan span) {
      span.setAttribute("set.as.it.ends", true);
    }

    @Override
    public boolean isOnEndingRequired() {
      return true;
    }

    @Override
    public void onStart(Context parentContext, ReadWriteSpan span) {}

    @Override
    public boolean isStartRequired() {
      return false;
    }

    @Override
    public void onEnd(ReadableSpan span) {}

    @Override
    public boolean isEndRequired() {
      return false;
    }
  }

  private static final class Thrower implements Sampler, ExtendedSpanProcessor, IdGenerator {

    @Override
    public SamplingResult shouldSample(
        Context parentContext,
        String traceId,
        String name,
        io.opentelemetry.api.trace.SpanKind spanKind,
        Attributes attributes,
        List<LinkData> parentLinks) {
      return fail();
    }

    @Override
    public String getDescription() {
      return fail();
    }

    @Override
    public String generateSpanId() {
      return fail();
    }

    @Override
    public String generateTraceId() {
      return fail();
    }

    @Override
    public void onStart(Context parentContext, ReadWriteSpan span) {
      fail();
    }

    @Override
    public boolean isStartRequired() {
      return true;
    }

    @Override
    public void onEnding(ReadWriteSpan span) {
      fail();
    }

    @Override
    public boolean isOnEndingRequired() {
      return true;
    }

    @Override
    public void onEnd(ReadableSpan span) {
      fail();
    }

    @Override
    public boolean isEndRequired() {
      return true;
    }

    @Override
    public CompletableResultCode shutdown() {
      return fail();
    }

    @Override
    public void close() {
      fail();
    }
  }

  private static final class ThrowingLogs implements LogRecordProcessor {

    @Override
    public void onEmit(Context context, ReadWriteLogRecord logRecord) {
      fail();
    }
  }

  private static final class ThrowingMetrics implements MetricReader, MetricExporter {

    @Override
    public void register(CollectionRegistration registration) {
      fail();
    }

    @Override
    public CompletableResultCode export(Collection<MetricData> metrics) {
      return fail();
    }

    @Override
    public CompletableResultCode flush() {
      return fail();
    }

    @Override
    public CompletableResultCode forceFlush() {
      return fail();
    }

    @Override
    public CompletableResultCode shutdown() {
      return fail();
    }

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return fail();
    }

    @Override
    public Aggregation getDefaultAggregation(InstrumentType type) {
      return fail();
    }

    @Override
    public MemoryMode getMemoryMode() {
      return fail();
    }

    @Override
    public void close() {
      fail();
    }
  }

  private static final class ThrowingFilter implements ExemplarFilterInternal {

    @Override
    public boolean shouldSampleMeasurement(long value, Attributes attributes, Context context) {
      return fail();
    }

    @Override
    public boolean shouldSampleMeasurement(double value, Attributes attributes, Context context) {
      return fail();
    }
  }
}
