// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.throughline.telemetry.delivery.BatchSettings;
import dev.throughline.telemetry.delivery.Outbox;
import dev.throughline.telemetry.delivery.SpanPipeline;
import dev.throughline.telemetry.doctor.Diagnostics;
import dev.throughline.telemetry.instrument.BaggageAttributes;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.MetricsModule;
import dev.throughline.telemetry.instrument.RandomUuid;
import dev.throughline.telemetry.instrument.Signals;
import dev.throughline.telemetry.internals.OpenTelemetryInternals.Autoconfigure;
import dev.throughline.telemetry.propagation.BaggageMemory;
import dev.throughline.telemetry.settings.Environment;
import dev.throughline.telemetry.settings.Environment.Mode;
import dev.throughline.telemetry.settings.KnownSettings;
import dev.throughline.telemetry.settings.KnownSettings.Batches;
import dev.throughline.telemetry.settings.Secrets;
import dev.throughline.telemetry.settings.Settings;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdkBuilder;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.logs.export.SimpleLogRecordProcessor;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.resources.ResourceBuilder;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Builds an SDK by autoconfigure, with our settings, our resource and our delivery in it. */
final class SdkSetup {

  private static final AttributeKey<String> SERVICE_NAME = AttributeKey.stringKey("service.name");
  private static final AttributeKey<String> SERVICE_VERSION =
      AttributeKey.stringKey("service.version");
  private static final AttributeKey<String> SERVICE_INSTANCE_ID =
      AttributeKey.stringKey("service.instance.id");
  private static final String UNKNOWN_SERVICE = "unknown_service";

  private static final long MB = 1 << 20;
  private static final long MOST_MEMORY_BY_DEFAULT = 128 * MB;

  private final TelemetryBuilder builder;
  private final Environment environment;
  private final Mode mode;
  // Of no value until autoconfigure has read them.
  private final AtomicReference<@Nullable Settings> settings = new AtomicReference<>();
  private final Extensions extensions;
  private final Outbox outbox;
  private final List<StandIn> exporters = new ArrayList<>();
  private final List<LogStandIn> logExporters = new ArrayList<>();
  private final List<SpanProcessor> taps = new ArrayList<>();

  /**
   * The SDK that was built.
   *
   * @param outbox what delivers what the SDK records
   * @param serviceName the resource's
   */
  record Built(OpenTelemetrySdk sdk, Settings settings, Outbox outbox, String serviceName) {}

  /** No SDK can be built. */
  static final class Failed extends Exception {

    private static final long serialVersionUID = 1;

    /**
     * @param message why, with nothing secret in it
     */
    Failed(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private SdkSetup(TelemetryBuilder builder, Environment environment, Mode mode, Guard guard) {
    this.builder = builder;
    this.environment = environment;
    this.mode = mode;
    extensions =
        new Extensions(
            ComponentLoader.forClassLoader(AutoConfiguredOpenTelemetrySdk.class.getClassLoader()),
            settings::get,
            environment.isStrict(),
            guard);
    outbox = new Outbox(extensions, Diagnostics::explain, guard);
  }

  /**
   * Builds an SDK.
   *
   * @throws Failed for a setting that autoconfigure does not take and that is none of the known
   *     ones, and for what extensions throw
   * @throws Environment.Refused if settings are strict and there is one that can't be used
   */
  static Built build(TelemetryBuilder builder, Environment environment, Mode mode, Guard guard)
      throws Failed {
    return new SdkSetup(builder, environment, mode, guard).build();
  }

  private Built build() throws Failed {
    AtomicReference<String> serviceName = new AtomicReference<>(UNKNOWN_SERVICE);
    AtomicBoolean batched = new AtomicBoolean();
    try {
      AutoConfiguredOpenTelemetrySdkBuilder autoConfigure =
          AutoConfiguredOpenTelemetrySdk.builder()
              .disableShutdownHook()
              .setComponentLoader(outbox)
              .addPropertiesSupplier(() -> builder.properties)
              .addPropagatorCustomizer(
                  (propagator, config) ->
                      propagator instanceof W3CBaggagePropagator
                          ? new BaggageMemory(propagator)
                          : propagator)
              .addResourceCustomizer(
                  (configured, config) -> {
                    Resource resource = resource(configured);
                    serviceName.set(
                        requireNonNullElse(resource.getAttribute(SERVICE_NAME), UNKNOWN_SERVICE));
                    return resource;
                  })
              .addSpanExporterCustomizer((exporter, config) -> standIn(exporter))
              .addSpanProcessorCustomizer(
                  (processor, config) -> {
                    SpanProcessor replaced = replace(processor, (Settings) config);
                    batched.compareAndSet(false, replaced instanceof SpanPipeline);
                    return replaced;
                  })
              .addTracerProviderCustomizer(
                  (tracerProvider, config) ->
                      mode.spans() && !batched.get()
                          ? tracerProvider.addSpanProcessor(pipeline((Settings) config))
                          : tracerProvider)
              .addMetricExporterCustomizer((exporter, config) -> watched(exporter))
              .addMeterProviderCustomizer(
                  (meterProvider, config) -> addReaders(meterProvider, (Settings) config))
              .addLogRecordExporterCustomizer((exporter, config) -> standIn(exporter))
              .addLogRecordProcessorCustomizer(
                  (processor, config) -> replace(processor, (Settings) config))
              .addLoggerProviderCustomizer(
                  (loggerProvider, config) -> {
                    if (mode.exports()) {
                      for (LogRecordProcessor processor : builder.logRecordProcessors) {
                        loggerProvider.addLogRecordProcessor(extensions.guarded(processor));
                      }
                    }
                    return loggerProvider;
                  });
      UnaryOperator<ConfigProperties> read =
          given -> {
            Settings holding = settings(given);
            settings.set(holding);
            return holding;
          };
      if (new Environment(Map.of(), false).get("otel.config.file") == null) {
        Autoconfigure.customize(autoConfigure, read);
      } else {
        Autoconfigure.replace(
            autoConfigure, read.apply(Autoconfigure.readEnvironment(builder.properties, outbox)));
      }
      OpenTelemetrySdk sdk = autoConfigure.build().getOpenTelemetrySdk();
      extensions.guard(sdk);
      return new Built(
          sdk, requireNonNull(settings.get()), outbox, requireNonNull(serviceName.get()));
    } catch (Environment.Refused e) {
      throw e;
    } catch (RuntimeException | LinkageError | ServiceConfigurationError e) {
      Settings last = settings.get();
      throw new Failed(
          reason(e)
              + " (the last setting read: "
              + (last == null ? "none" : last.lastVariable())
              + ")",
          e);
    }
  }

  /** The chain of what was thrown, without what may be a secret in an endpoint. */
  static String reason(Throwable thrown) {
    StringBuilder reason = new StringBuilder();
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      reason.append(reason.length() == 0 ? "" : ": ");
      reason.append(t.getMessage() == null ? t.getClass().getName() : t.getMessage());
    }
    return Secrets.text(reason.toString());
  }

  /** Once they are known, and before anything is made that delivers. */
  private Settings settings(ConfigProperties given) {
    Settings settings =
        Settings.of(
            given,
            environment,
            mode,
            builder.metrics == null ? null : builder.metrics.exporterName(),
            outbox);
    environment.tellUnusable(TelemetryBuilder.logger());
    Integer memory = settings.find(KnownSettings.DELIVERY_MEMORY_MB);
    outbox.limitMemory(
        memory == null
            ? Math.min(MOST_MEMORY_BY_DEFAULT, Runtime.getRuntime().maxMemory() / 4)
            : memory * MB);
    String spool = settings.find(KnownSettings.SPOOL_FOLDER);
    if (spool != null && mode.exports()) {
      outbox.openSpool(
          Path.of(spool), settings.get(KnownSettings.SPOOL_SIZE_MB) * MB, spoolDelay(settings));
    }
    return settings;
  }

  private SdkMeterProviderBuilder addReaders(
      SdkMeterProviderBuilder meterProvider, Settings settings) {
    MetricsModule metrics = builder.metrics;
    if (metrics != null) {
      metrics.addTo(
          meterProvider, settings, settings.exporters("metrics").contains(metrics.exporterName()));
    }
    if (mode.exports()) {
      builder.metricReaders.forEach(meterProvider::registerMetricReader);
    }
    return meterProvider;
  }

  private Resource resource(Resource configured) {
    ResourceBuilder resource = configured.toBuilder();
    Attributes known = configured.getAttributes();
    String name = known.get(SERVICE_NAME);
    if (builder.serviceName != null && (name == null || name.startsWith(UNKNOWN_SERVICE))) {
      resource.put(SERVICE_NAME, builder.serviceName);
    }
    if (builder.serviceVersion != null && known.get(SERVICE_VERSION) == null) {
      resource.put(SERVICE_VERSION, builder.serviceVersion);
    }
    if (known.get(SERVICE_INSTANCE_ID) == null) {
      resource.put(SERVICE_INSTANCE_ID, RandomUuid.next().toString());
    }
    return resource.build();
  }

  /**
   * Autoconfigure hands customizers a batch processor that already runs and shuts its exporter down
   * with it, so it gets a stand-in, and the exporter itself goes to our own processor.
   */
  private SpanExporter standIn(SpanExporter exporter) {
    StandIn standIn = new StandIn(outbox.spanExporter(exporter));
    exporters.add(standIn);
    return standIn;
  }

  private MetricExporter watched(MetricExporter exporter) {
    MetricExporter counted = outbox.metricExporter(exporter);
    return builder.metrics == null ? counted : builder.metrics.watch(counted);
  }

  private SpanProcessor replace(SpanProcessor processor, Settings settings) {
    if (processor instanceof SimpleSpanProcessor simple
        && simple.getSpanExporter() instanceof StandIn standIn
        && exporters.remove(standIn)) {
      taps.add(SimpleSpanProcessor.create(standIn.exporter));
    }
    processor.shutdown();
    // Autoconfigure makes the batch processor last. In its place ours is the only processor, and
    // the SDK calls it without a composite between.
    return processor instanceof BatchSpanProcessor ? pipeline(settings) : SpanProcessor.composite();
  }

  /** Of a value from a stranger; the SDK cuts by itself if it was told a limit. */
  static int longestValue(Settings settings) {
    return settings.getString("otel.span.attribute.value.length.limit") == null
            && settings.getString("otel.attribute.value.length.limit") == null
        ? Signals.LONGEST_VALUE
        : Integer.MAX_VALUE;
  }

  private SpanPipeline pipeline(Settings settings) {
    List<SpanProcessor> all = new ArrayList<>();
    all.add(
        new BaggageTap(
            new BaggageAttributes(
                settings.get(KnownSettings.BAGGAGE_ATTRIBUTES), longestValue(settings))));
    all.addAll(builder.spanProcessors);
    all.addAll(taps);
    List<SpanExporter> batched = new ArrayList<>();
    for (StandIn standIn : exporters) {
      batched.add(standIn.exporter);
    }
    return outbox.spanPipeline(
        all,
        batched.isEmpty() ? null : SpanExporter.composite(batched),
        batches(settings, KnownSettings.SPAN_BATCHES));
  }

  private LogRecordExporter standIn(LogRecordExporter exporter) {
    LogStandIn standIn = new LogStandIn(outbox.logRecordExporter(exporter));
    logExporters.add(standIn);
    return standIn;
  }

  /** As with spans: the processor of each simple exporter, then one of batches for all others. */
  private LogRecordProcessor replace(LogRecordProcessor processor, Settings settings) {
    if (processor instanceof SimpleLogRecordProcessor simple
        && simple.getLogRecordExporter() instanceof LogStandIn standIn
        && logExporters.remove(standIn)) {
      processor.shutdown();
      return SimpleLogRecordProcessor.create(standIn.exporter);
    }
    if (!(processor instanceof BatchLogRecordProcessor)) {
      return processor;
    }
    processor.shutdown();
    List<LogRecordExporter> batched = new ArrayList<>();
    for (LogStandIn standIn : logExporters) {
      batched.add(standIn.exporter);
    }
    return outbox.logRecordProcessor(
        LogRecordExporter.composite(batched), batches(settings, KnownSettings.LOG_RECORD_BATCHES));
  }

  /**
   * Items that wait for their batch are in memory alone: not for longer than those on disk may be.
   */
  private BatchSettings batches(Settings settings, Batches batches) {
    Duration delay = settings.get(batches.scheduleDelay);
    boolean spools = settings.find(KnownSettings.SPOOL_FOLDER) != null && mode.exports();
    Duration spoolDelay = spoolDelay(settings);
    return new BatchSettings(
        spools && spoolDelay.compareTo(delay) < 0 ? spoolDelay : delay,
        requireNonNullElse(settings.find(batches.maxQueueSize), Integer.MAX_VALUE),
        settings.get(batches.maxExportBatchSize),
        settings.get(batches.exportTimeout));
  }

  /** Half of the interval for the batch, half for the disk: it is what a crash costs. */
  private static Duration spoolDelay(Settings settings) {
    return settings.get(KnownSettings.SPOOL_SYNC_INTERVAL).dividedBy(2);
  }

  private static final class LogStandIn implements LogRecordExporter {

    final LogRecordExporter exporter;

    LogStandIn(LogRecordExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<LogRecordData> logs) {
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
  }

  private static final class StandIn implements SpanExporter {

    final SpanExporter exporter;

    StandIn(SpanExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
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
  }

  private static final class BaggageTap implements SpanProcessor {

    private final BaggageAttributes attributes;

    BaggageTap(BaggageAttributes attributes) {
      this.attributes = attributes;
    }

    @Override
    public void onStart(Context parentContext, ReadWriteSpan span) {
      attributes.copy(parentContext, span);
    }

    @Override
    public boolean isStartRequired() {
      return true;
    }

    @Override
    public void onEnd(ReadableSpan span) {}

    @Override
    public boolean isEndRequired() {
      return false;
    }
  }
}
