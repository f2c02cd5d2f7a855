// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizer;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizerProvider;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.ResourceProvider;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSamplerProvider;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.ReadWriteLogRecord;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What others put on the class path, and what it throws: all of it an error of linking. */
class ExtensionsTest {

  @TempDir Path folder;

  private void provide(Class<?> type, String... classes) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(services.resolve(type.getName()), String.join("\n", classes));
  }

  private ChildJvm.Launch service(OtlpReceiver receiver) {
    return ChildJvm.of(Main.class)
        .classPath(System.getProperty("java.class.path") + File.pathSeparator + folder)
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.authority())
        .environment("OTEL_RESOURCE_ATTRIBUTES", "own=1");
  }

  /** Records one of each signal; what reaches the application ends this JVM. */
  static final class Main {

    public static void main(String[] args) {
      try (Telemetry telemetry = Telemetry.init("extended")) {
        Span raw = telemetry.tracer().spanBuilder("raw").startSpan();
        raw.end();
        telemetry.span("ours").run(() -> {});
        telemetry.meter().counterBuilder("one").build().add(1);
        telemetry
            .openTelemetry()
            .getLogsBridge()
            .get("test")
            .logRecordBuilder()
            .setBody("one")
            .emit();
        telemetry.flush(Wait.LIMIT);
      }
    }
  }

  private static void arrives(OtlpReceiver receiver, ChildJvm child) {
    assertThat(child.awaitExit()).as(String.join("\n", child.output())).isZero();
    assertThat(receiver.spans())
        .extracting(io.opentelemetry.proto.trace.v1.Span::getName)
        .contains("raw", "ours");
    assertThat(receiver.metrics()).anyMatch(metric -> metric.getName().equals("one"));
    assertThat(receiver.logs()).hasSize(1);
    assertThat(receiver.resource().getAttributesList())
        .anyMatch(attribute -> attribute.getKey().equals("own"));
  }

  @Test
  void whatThrowsAtSetUpCostsItself() throws IOException {
    provide(ResourceProvider.class, BrokenResource.class.getName(), "com.example.Missing");
    provide(AutoConfigurationCustomizerProvider.class, BrokenCustomizer.class.getName());
    provide(ConfigurableSamplerProvider.class, BrokenSamplerProvider.class.getName());
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        ChildJvm child =
            service(receiver).environment("OTEL_TRACES_SAMPLER", "broken-at-set-up").start()) {
      arrives(receiver, child);
      assertThat(child.output())
          .filteredOn(line -> line.contains("An extension of OpenTelemetry threw"))
          .anyMatch(line -> line.contains("BrokenResource.createResource"))
          .anyMatch(line -> line.contains("com.example.Missing"))
          .anyMatch(line -> line.contains("BrokenCustomizer, addResourceCustomizer"))
          .anyMatch(line -> line.contains("BrokenCustomizer, addPropertiesSupplier"))
          .anyMatch(line -> line.contains("BrokenCustomizer.customize"))
          .anyMatch(line -> line.contains("BrokenSamplerProvider.createSampler"))
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void whatThrowsAtRunTimeCostsItself() throws IOException {
    provide(AutoConfigurationCustomizerProvider.class, RunTimeCustomizer.class.getName());
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        ChildJvm child = service(receiver).start()) {
      arrives(receiver, child);
      for (String hook :
          List.of(
              "Sampler.shouldSample",
              "SpanProcessor.onStart",
              "SpanProcessor.onEnd",
              "LogRecordProcessor.onEmit")) {
        assertThat(child.output())
            .filteredOn(line -> line.contains("WARN") && line.contains(hook + " threw in "))
            .as(hook)
            .hasSize(1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ENABLED", "DISABLED"})
  void providersAreAskedByTheirNames(String list) throws IOException {
    provide(ResourceProvider.class, GoodResource.class.getName(), BrokenResource.class.getName());
    String own = "io.opentelemetry.sdk.autoconfigure.EnvironmentResourceProvider";
    String names =
        list.equals("ENABLED")
            ? own + "," + GoodResource.class.getName()
            : BrokenResource.class.getName();
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        ChildJvm child =
            service(receiver)
                .environment("OTEL_JAVA_" + list + "_RESOURCE_PROVIDERS", names)
                .start()) {
      arrives(receiver, child);
      assertThat(receiver.resource().getAttributesList())
          .anyMatch(attribute -> attribute.getKey().equals("good"));
      assertThat(child.output()).noneMatch(line -> line.contains("WARN"));
    }
  }

  @Test
  void strictlyItIsThrown() throws IOException {
    provide(ResourceProvider.class, BrokenResource.class.getName());
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        ChildJvm child = service(receiver).environment("TELEMETRY_STRICT", "true").start()) {
      assertThat(child.awaitExit()).isNotZero();
      assertThat(child.output()).anyMatch(line -> line.contains("Telemetry could not be set up"));
    }
  }

  private static LinkageError broken() {
    return new NoSuchMethodError("of another version");
  }

  /** A resource. */
  public static final class GoodResource implements ResourceProvider {

    @Override
    public Resource createResource(ConfigProperties settings) {
      return Resource.builder().put("good", "1").build();
    }
  }

  /** No resource. */
  public static final class BrokenResource implements ResourceProvider {

    @Override
    public Resource createResource(ConfigProperties settings) {
      throw broken();
    }
  }

  /** No sampler. */
  public static final class BrokenSamplerProvider implements ConfigurableSamplerProvider {

    @Override
    public Sampler createSampler(ConfigProperties settings) {
      throw broken();
    }

    @Override
    public String getName() {
      return "broken-at-set-up";
    }
  }

  /** Throws in all that it customizes, and in the end itself. */
  public static final class BrokenCustomizer implements AutoConfigurationCustomizerProvider {

    @Override
    public void customize(AutoConfigurationCustomizer customizer) {
      customizer
          .addPropertiesSupplier(
              () -> {
                throw broken();
              })
          .addPropertiesCustomizer(
              settings -> {
                throw broken();
              })
          .addResourceCustomizer(
              (resource, settings) -> {
                throw broken();
              })
          .addSamplerCustomizer(
              (sampler, settings) -> {
                throw broken();
              })
          .addSpanExporterCustomizer(
              (exporter, settings) -> {
                throw broken();
              })
          .addSpanProcessorCustomizer(
              (processor, settings) -> {
                throw broken();
              })
          .addTracerProviderCustomizer(
              (provider, settings) -> {
                throw broken();
              })
          .addMeterProviderCustomizer(
              (provider, settings) -> {
                throw broken();
              })
          .addMetricExporterCustomizer(
              (exporter, settings) -> {
                throw broken();
              })
          .addLoggerProviderCustomizer(
              (provider, settings) -> {
                throw broken();
              })
          .addLogRecordExporterCustomizer(
              (exporter, settings) -> {
                throw broken();
              })
          .addPropagatorCustomizer(
              (propagator, settings) -> {
                throw broken();
              });
      throw broken();
    }
  }

  /** What it makes throws later. */
  public static final class RunTimeCustomizer implements AutoConfigurationCustomizerProvider {

    @Override
    public void customize(AutoConfigurationCustomizer customizer) {
      customizer
          .addSamplerCustomizer((sampler, settings) -> new BrokenSampler())
          .addSpanProcessorCustomizer(
              (processor, settings) -> SpanProcessor.composite(processor, new BrokenProcessor()))
          .addLogRecordProcessorCustomizer(
              (processor, settings) ->
                  LogRecordProcessor.composite(processor, new BrokenLogRecordProcessor()));
    }
  }

  private static final class BrokenSampler implements Sampler {

    @Override
    public SamplingResult shouldSample(
        Context parentContext,
        String traceId,
        String name,
        SpanKind spanKind,
        Attributes attributes,
        List<LinkData> parentLinks) {
      throw broken();
    }

    @Override
    public String getDescription() {
      throw broken();
    }
  }

  private static final class BrokenProcessor implements SpanProcessor {

    @Override
    public void onStart(Context parentContext, ReadWriteSpan span) {
      throw broken();
    }

    @Override
    public boolean isStartRequired() {
      return true;
    }

    @Override
    public void onEnd(ReadableSpan span) {
      throw broken();
    }

    @Override
    public boolean isEndRequired() {
      return true;
    }
  }

  private static final class BrokenLogRecordProcessor implements LogRecordProcessor {

    @Override
    public void onEmit(Context context, ReadWriteLogRecord logRecord) {
      throw broken();
    }
  }
}
