// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.delivery.BatchSettings;
import dev.throughline.telemetry.delivery.Outbox;
import dev.throughline.telemetry.delivery.SpanPipeline;
import dev.throughline.telemetry.doctor.Diagnostics;
import dev.throughline.telemetry.instrument.BaggageAttributes;
import dev.throughline.telemetry.instrument.MetricsModule;
import dev.throughline.telemetry.instrument.RequestIds;
import dev.throughline.telemetry.instrument.Signals.Sampling;
import dev.throughline.telemetry.propagation.BaggageMemory;
import dev.throughline.telemetry.settings.BadSettings;
import dev.throughline.telemetry.settings.ConfigFile;
import dev.throughline.telemetry.settings.Configuration;
import dev.throughline.telemetry.settings.Environment;
import dev.throughline.telemetry.settings.KnownSettings;
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
import io.opentelemetry.sdk.autoconfigure.internal.AutoConfigureUtil;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.internal.DefaultConfigProperties;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.logs.export.SimpleLogRecordProcessor;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.opentelemetry.sdk.resources.Resource;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** An SDK by autoconfigure, with our settings, our resource and our span processor in it. */
final class SdkSetup {

  /** How long a stream may stay unseen. */
  static final Duration DEFAULT_SEGMENT_LIMIT = Duration.ofMinutes(1);

  private static final AttributeKey<String> SERVICE_NAME = AttributeKey.stringKey("service.name");
  private static final AttributeKey<String> SERVICE_VERSION =
      AttributeKey.stringKey("service.version");
  private static final AttributeKey<String> SERVICE_INSTANCE_ID =
      AttributeKey.stringKey("service.instance.id");

  private static final long MB = 1 << 20;
  private static final long DEFAULT_MEMORY_MB = 128;
  private static final int DEFAULT_SPOOL_MB = 512;
  private static final Duration SPOOL_INTERVAL = Duration.ofSeconds(1);

  private final TelemetryBuilder builder;
  private final Environment environment;
  private final BadSettings bad;
  private final boolean spans;
  private final boolean exports;
  private final List<String> propagators;
  private final List<StandIn> exporters = new ArrayList<>();
  private final List<LogStandIn> logExporters = new ArrayList<>();
  private final Outbox outbox =
      new Outbox(
          ComponentLoader.forClassLoader(AutoConfiguredOpenTelemetrySdk.class.getClassLoader()),
          Diagnostics::explain);
  private final List<SpanProcessor> taps = new ArrayList<>();
  private boolean opened;
  private @Nullable SpanPipeline pipeline;
  private @Nullable Settings settings;
  private Duration closeTimeout;
  private Duration segmentLimit = DEFAULT_SEGMENT_LIMIT;
  private String serviceName = "";
  private List<String> baggageKeys = KnownSettings.DEFAULT_BAGGAGE_ATTRIBUTES;
  private @Nullable RequestIds requestIds;
  private String configuration = "";

  /**
   * @param bad takes the settings that can't be used
   * @param exports false where telemetry is off, but for metrics that are only pulled
   */
  SdkSetup(
      TelemetryBuilder builder,
      Environment environment,
      BadSettings bad,
      boolean spans,
      boolean exports,
      List<String> propagators,
      Duration closeTimeout) {
    this.builder = builder;
    this.environment = environment;
    this.bad = bad;
    this.spans = spans;
    this.exports = exports;
    this.propagators = propagators;
    this.closeTimeout = closeTimeout;
  }

  /**
   * Builds the SDK.
   *
   * @throws io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException for a setting that
   *     autoconfigure does not take, and that is none of the known ones
   * @throws BadSettings.Refused where settings are strict
   */
  OpenTelemetrySdk build() {
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
            .addResourceCustomizer((resource, config) -> resource(resource))
            .addSpanExporterCustomizer((exporter, config) -> standIn(exporter))
            .addSpanProcessorCustomizer(this::replace)
            .addTracerProviderCustomizer(
                (tracerProvider, config) ->
                    spans && pipeline == null
                        ? tracerProvider.addSpanProcessor(pipeline(config))
                        : tracerProvider)
            .addMetricExporterCustomizer((exporter, config) -> watched(exporter))
            .addLogRecordExporterCustomizer((exporter, config) -> standIn(exporter))
            .addLogRecordProcessorCustomizer(this::replace)
            .addMeterProviderCustomizer(
                (meterProvider, config) -> {
                  if (builder.metrics != null) {
                    builder.metrics.addTo(meterProvider, config, isNamed(builder.metrics));
                  }
                  if (exports) {
                    for (MetricReader reader : builder.metricReaders) {
                      meterProvider.registerMetricReader(reader);
                    }
                  }
                  return meterProvider;
                })
            .addLoggerProviderCustomizer(
                (loggerProvider, config) -> {
                  if (exports) {
                    for (LogRecordProcessor processor : builder.logRecordProcessors) {
                      loggerProvider.addLogRecordProcessor(processor);
                    }
                  }
                  return loggerProvider;
                });
    if (new Environment(Map.of(), false).get("otel.config.file") != null) {
      ConfigFile.ignore(
          autoConfigure, settings(DefaultConfigProperties.create(builder.properties, outbox)));
    } else {
      AutoConfigureUtil.setConfigPropertiesCustomizer(autoConfigure, this::settings);
    }
    return autoConfigure.build().getOpenTelemetrySdk();
  }

  /** What is known of the sampler; only after {@link #build}. */
  Sampling sampling() {
    String sampler = settings == null ? null : settings.getString("otel.traces.sampler");
    return switch (sampler == null ? "parentbased_always_on" : sampler) {
      case "always_on", "parentbased_always_on" -> Sampling.EVERY_TRACE;
      case "always_off", "traceidratio", "parentbased_always_off", "parentbased_traceidratio" ->
          Sampling.SOME_TRACES;
      default -> Sampling.BY_ATTRIBUTES;
    };
  }

  /** How long closing may take; only known after {@link #build}. */
  Duration closeTimeout() {
    return closeTimeout;
  }

  /** The listed keys of baggage; only known after {@link #build}. */
  List<String> baggageKeys() {
    return baggageKeys;
  }

  /** The ids of requests, null for none; only known after {@link #build}. */
  @Nullable RequestIds requestIds() {
    return requestIds;
  }

  /** How long a span of an open-ended request lasts; only known after {@link #build}. */
  Duration segmentLimit() {
    return segmentLimit;
  }

  /** The variable that was read last: where {@link #build} throws, mostly the one it was at. */
  String lastVariable() {
    return settings == null ? "none" : settings.lastVariable();
  }

  /** What delivers what the SDK records. */
  Outbox outbox() {
    return outbox;
  }

  /** The settings that hold, for people to read; only known after {@link #build}. */
  String configuration() {
    return configuration;
  }

  /** Where telemetry goes, in one line; only known after {@link #build}. */
  String summary() {
    Settings read = settings;
    if (read == null) {
      return "";
    }
    return "Telemetry of "
        + serviceName
        + ": traces to "
        + (spans ? exporter(read, "traces") : "nowhere (TRACING_ENABLED=false)")
        + ", metrics to "
        + exporter(read, "metrics")
        + ", logs to "
        + exporter(read, "logs")
        + "; sampler "
        + read.getString("otel.traces.sampler", "parentbased_always_on")
        + argument(read.getString("otel.traces.sampler.arg"))
        + "; propagators "
        + String.join(",", read.getList("otel.propagators", List.of("tracecontext", "baggage")));
  }

  private boolean isNamed(MetricsModule metrics) {
    return requireNonNull(settings).exporters("metrics").contains(metrics.exporterName());
  }

  private static String argument(@Nullable String argument) {
    return argument == null ? "" : " " + Secrets.mask("otel.traces.sampler.arg", argument);
  }

  private static String exporter(Settings settings, String signal) {
    List<String> exporters = settings.exporters(signal);
    if (!exporters.contains("otlp")) {
      return String.join(", ", exporters);
    }
    return String.join(", ", exporters)
        + " ("
        + settings.protocol(signal)
        + " "
        + settings.otlpEndpoint(signal)
        + ")";
  }

  private ConfigProperties settings(ConfigProperties given) {
    ConfigProperties defaults = DefaultConfigProperties.createFromMap(environment.all());
    Map<String, List<String>> decided = new HashMap<>();
    decided.put("otel.propagators", propagators);
    if (!spans) {
      decided.put("otel.traces.exporter", List.of("none"));
    }
    if (!exports) {
      decided.put("otel.metrics.exporter", List.of("none"));
      decided.put("otel.logs.exporter", List.of("none"));
    }
    ConfigProperties set = builder.ignoreEnvironment ? defaults : given;
    Configuration known = new Configuration(set, environment, decided, bad);
    bad.tell(TelemetryBuilder.logger());
    configuration = known.text();
    Settings read =
        new Settings(
            set,
            defaults,
            decided,
            known.usable(),
            builder.metrics == null ? null : builder.metrics.exporterName(),
            outbox);
    settings = read;
    Integer memory = read.getInt("telemetry.delivery.memory.mb");
    outbox.limitMemory(
        memory == null
            ? Math.min(DEFAULT_MEMORY_MB * MB, Runtime.getRuntime().maxMemory() / 4)
            : memory * MB);
    String spool = read.getString("telemetry.spool.folder");
    if (spool != null && exports && !opened) {
      opened = true;
      outbox.openSpool(
          Path.of(spool),
          read.getInt("telemetry.spool.size.mb", DEFAULT_SPOOL_MB) * MB,
          spoolDelay(read));
    }
    closeTimeout = read.getDuration("telemetry.close.timeout", closeTimeout);
    segmentLimit = read.getDuration("telemetry.segment.limit", segmentLimit);
    baggageKeys =
        read.getList("telemetry.baggage.attributes", KnownSettings.DEFAULT_BAGGAGE_ATTRIBUTES);
    String header = read.getString("telemetry.request.id.header");
    requestIds = header == null ? null : new RequestIds(header);
    return read;
  }

  private Resource resource(Resource configured) {
    io.opentelemetry.sdk.resources.ResourceBuilder resource = configured.toBuilder();
    Attributes known = configured.getAttributes();
    String name = known.get(SERVICE_NAME);
    if (builder.serviceName != null && (name == null || name.startsWith("unknown_service"))) {
      name = builder.serviceName;
      resource.put(SERVICE_NAME, name);
    }
    serviceName = name == null ? "unknown_service" : name;
    if (builder.serviceVersion != null && known.get(SERVICE_VERSION) == null) {
      resource.put(SERVICE_VERSION, builder.serviceVersion);
    }
    if (known.get(SERVICE_INSTANCE_ID) == null) {
      resource.put(SERVICE_INSTANCE_ID, newInstanceId().toString());
    }
    return resource.build();
  }

  /**
   * A random UUID, as random as the SDK's trace ids are: that of the JDK would load all that looks
   * for the safest source.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc9562#section-5.4">RFC 9562, section 5.4</a>
   */
  private static UUID newInstanceId() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    return new UUID(
        (random.nextLong() & ~0xF000L) | 0x4000L, (random.nextLong() >>> 2) | Long.MIN_VALUE);
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

  private SpanProcessor replace(SpanProcessor processor, ConfigProperties config) {
    if (processor instanceof SimpleSpanProcessor simple
        && simple.getSpanExporter() instanceof StandIn standIn
        && exporters.remove(standIn)) {
      taps.add(SimpleSpanProcessor.create(standIn.exporter));
    }
    processor.shutdown();
    if (!(processor instanceof BatchSpanProcessor)) {
      return SpanProcessor.composite();
    }
    // Autoconfigure makes this one last. In its place ours is the only processor, and the SDK calls
    // it without a composite between.
    return pipeline(config);
  }

  private SpanPipeline pipeline(ConfigProperties config) {
    List<SpanProcessor> all = new ArrayList<>();
    all.add(new BaggageTap(new BaggageAttributes(baggageKeys)));
    all.addAll(builder.spanProcessors);
    all.addAll(taps);
    List<SpanExporter> batched = new ArrayList<>();
    for (StandIn standIn : exporters) {
      batched.add(standIn.exporter);
    }
    SpanPipeline made =
        outbox.spanPipeline(
            all,
            batched.isEmpty() ? null : SpanExporter.composite(batched),
            new BatchSettings(
                delay("otel.bsp.schedule.delay", Duration.ofSeconds(5)),
                config.getInt("otel.bsp.max.queue.size", Integer.MAX_VALUE),
                config.getInt("otel.bsp.max.export.batch.size", 512),
                config.getDuration("otel.bsp.export.timeout", Duration.ofSeconds(30))));
    pipeline = made;
    return made;
  }

  /** What waits for its batch is in memory alone: not for longer than what is on disk may be. */
  private Duration delay(String name, Duration byDefault) {
    Settings read = requireNonNull(settings);
    Duration delay = read.scheduleDelay(name, byDefault);
    Duration spoolDelay = spoolDelay(read);
    return opened && spoolDelay.compareTo(delay) < 0 ? spoolDelay : delay;
  }

  /** Half of the interval for the batch, half for the disk: it is what a crash costs. */
  private static Duration spoolDelay(ConfigProperties read) {
    return read.getDuration("telemetry.spool.sync.interval", SPOOL_INTERVAL).dividedBy(2);
  }

  private LogRecordExporter standIn(LogRecordExporter exporter) {
    LogStandIn standIn = new LogStandIn(outbox.logRecordExporter(exporter));
    logExporters.add(standIn);
    return standIn;
  }

  /** As with spans: the processor of each simple exporter, then one of batches for all others. */
  private LogRecordProcessor replace(LogRecordProcessor processor, ConfigProperties config) {
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
        LogRecordExporter.composite(batched),
        new BatchSettings(
            delay("otel.blrp.schedule.delay", Duration.ofSeconds(1)),
            config.getInt("otel.blrp.max.queue.size", Integer.MAX_VALUE),
            config.getInt("otel.blrp.max.export.batch.size", 512),
            config.getDuration("otel.blrp.export.timeout", Duration.ofSeconds(30))));
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
