// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.doctor.Diagnostics;
import dev.throughline.telemetry.instrument.BaggageAttributes;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.MetricsModule;
import dev.throughline.telemetry.instrument.RequestIds;
import dev.throughline.telemetry.instrument.ScopeHooks;
import dev.throughline.telemetry.instrument.Segments;
import dev.throughline.telemetry.instrument.Signals;
import dev.throughline.telemetry.instrument.Signals.Sampling;
import dev.throughline.telemetry.propagation.OffPropagators;
import dev.throughline.telemetry.settings.Environment;
import dev.throughline.telemetry.settings.Environment.Mode;
import dev.throughline.telemetry.settings.KnownSettings;
import dev.throughline.telemetry.settings.Settings;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.logs.LoggerProvider;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.opentelemetry.sdk.trace.SpanProcessor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds a {@link Telemetry} of its own: it shares no settings, exporters or counts with another.
 *
 * <p>Settings come from system properties, then environment variables, then {@link #addProperty}.
 * Not thread-safe.
 */
public final class TelemetryBuilder {

  private static final String DEFAULT_SCOPE = "dev.throughline.telemetry";

  final Map<String, String> properties = new HashMap<>();
  final List<SpanProcessor> spanProcessors = new ArrayList<>();
  final List<MetricReader> metricReaders = new ArrayList<>();
  final List<LogRecordProcessor> logRecordProcessors = new ArrayList<>();
  @Nullable MetricsModule metrics;
  @Nullable String serviceName;
  @Nullable String serviceVersion;
  boolean ignoreEnvironment;
  private @Nullable String scopeName;

  TelemetryBuilder() {}

  /**
   * Sets the service's name, e.g. {@code bmc-gateway}; {@code OTEL_SERVICE_NAME} and {@code
   * service.name} in {@code OTEL_RESOURCE_ATTRIBUTES} win over it.
   */
  public TelemetryBuilder setServiceName(String serviceName) {
    this.serviceName = requireNonNull(serviceName, "serviceName");
    return this;
  }

  /**
   * Sets the resource attribute {@code service.version}; {@code OTEL_RESOURCE_ATTRIBUTES} wins over
   * it.
   */
  public TelemetryBuilder setServiceVersion(String serviceVersion) {
    this.serviceVersion = requireNonNull(serviceVersion, "serviceVersion");
    return this;
  }

  /**
   * Sets the instrumentation scope of {@link Telemetry#span}, {@link Telemetry#tracer} and {@link
   * Telemetry#meter}; the service's name by default.
   */
  public TelemetryBuilder setScopeName(String scopeName) {
    this.scopeName = requireNonNull(scopeName, "scopeName");
    return this;
  }

  /**
   * Sets what a setting is where neither a system property nor a variable sets it.
   *
   * @param key as a system property, e.g. {@code otel.exporter.otlp.endpoint}
   */
  public TelemetryBuilder addProperty(String key, String value) {
    properties.put(requireNonNull(key, "key"), requireNonNull(value, "value"));
    return this;
  }

  /** Reads neither system properties nor environment variables; for tests, and for tools. */
  public TelemetryBuilder ignoreEnvironment() {
    this.ignoreEnvironment = true;
    return this;
  }

  /**
   * Adds a processor that sees every recorded span, before it is batched. An exception of it is
   * logged and goes no further.
   */
  public TelemetryBuilder addSpanProcessor(SpanProcessor processor) {
    spanProcessors.add(requireNonNull(processor, "processor"));
    return this;
  }

  /** Adds a metric reader beside those of {@code OTEL_METRICS_EXPORTER}. */
  public TelemetryBuilder addMetricReader(MetricReader reader) {
    metricReaders.add(requireNonNull(reader, "reader"));
    return this;
  }

  /**
   * Sets what reads metrics beside {@code OTEL_METRICS_EXPORTER}, of {@code telemetry-metrics};
   * none by default.
   */
  public TelemetryBuilder setMetrics(MetricsModule metrics) {
    this.metrics = requireNonNull(metrics, "metrics");
    return this;
  }

  /** Adds a log record processor beside those of {@code OTEL_LOGS_EXPORTER}. */
  public TelemetryBuilder addLogRecordProcessor(LogRecordProcessor processor) {
    logRecordProcessors.add(requireNonNull(processor, "processor"));
    return this;
  }

  /**
   * Builds it, and says in one INFO line where telemetry goes. Settings that can't be used never
   * stop the application, unless it asks for that: one WARN for each says what is used instead.
   *
   * @throws IllegalArgumentException if {@code telemetry.strict} is {@code true} and settings can't
   *     be used; it names them all
   */
  public Telemetry build() {
    Environment environment = new Environment(properties, ignoreEnvironment);
    Mode mode = environment.mode(metrics != null && metrics.isMounted());
    ContextPropagators off = OffPropagators.of(environment.propagators());
    if (mode == Mode.OFF) {
      environment.tellUnusable(logger());
      Telemetry telemetry = off(off, "Telemetry is off because OTEL_SDK_DISABLED=true");
      logger().info("Telemetry is off because OTEL_SDK_DISABLED=true");
      return telemetry;
    }
    return Recording.build(this, environment, mode, off);
  }

  Telemetry off(ContextPropagators propagators, String why) {
    return new Telemetry(
        new Signals(
            OpenTelemetry.propagating(propagators),
            false,
            false,
            true,
            Sampling.SOME_TRACES,
            null,
            null,
            null,
            null,
            new Guard(DEFAULT_SCOPE),
            Signals.LONGEST_VALUE),
        List.of(),
        scope(),
        null,
        why);
  }

  String scope() {
    String scope = scopeName == null ? serviceName : scopeName;
    return scope == null ? DEFAULT_SCOPE : scope;
  }

  static Logger logger() {
    return LoggerFactory.getLogger(Telemetry.class);
  }

  /** In a class of its own, so that off does not load the SDK. */
  private static final class Recording {

    static Telemetry build(
        TelemetryBuilder builder, Environment environment, Mode mode, ContextPropagators off) {
      if (mode.exports()) {
        // Before anything of OpenTelemetry's uses its context.
        ScopeHooks.prepare();
      }
      String mix = Diagnostics.mixOfVersions(TelemetryBuilder.class.getClassLoader());
      if (mix != null) {
        logger()
            .warn(
                "OpenTelemetry artifacts of several versions are on the class path, and may not"
                    + " work together; import telemetry-bom first. {}",
                mix);
      }
      Guard guard = new Guard(DEFAULT_SCOPE);
      try {
        return started(
            builder, SdkSetup.build(builder, environment, mode, guard), mode, off, guard);
      } catch (SdkSetup.Failed e) {
        String why = e.getMessage();
        environment.refuse("Telemetry could not be set up: " + why);
        logger().warn("Telemetry is off because it could not be set up: {}", why);
        logger().debug("Telemetry could not be set up", masked(e));
        return builder.off(off, "Telemetry is off because it could not be set up: " + why);
      }
    }

    private static Telemetry started(
        TelemetryBuilder builder,
        SdkSetup.Built built,
        Mode mode,
        ContextPropagators off,
        Guard guard) {
      OpenTelemetrySdk sdk = built.sdk();
      Settings settings = built.settings();
      // Metrics that are pulled keep their series if telemetry is off.
      built.outbox().recordCounts(sdk.getMeterProvider(), !mode.exports());
      OpenTelemetry openTelemetry = mode.spans() ? sdk : new WithoutSpans(sdk, off);
      Segments segments = new Segments(settings.get(KnownSettings.SEGMENT_LIMIT));
      String requestIds = settings.find(KnownSettings.REQUEST_ID_HEADER);
      Telemetry telemetry =
          new Telemetry(
              new Signals(
                  openTelemetry,
                  mode.spans(),
                  true,
                  true,
                  sampling(settings.get(KnownSettings.SAMPLER)),
                  null,
                  segments,
                  requestIds != null && mode.exports() ? new RequestIds(requestIds) : null,
                  mode.exports() ? new ScopeHooks(guard) : null,
                  guard,
                  SdkSetup.longestValue(settings)),
              settings.get(KnownSettings.BAGGAGE_ATTRIBUTES),
              builder.scope(),
              new Shutdown(
                  sdk, built.outbox(), settings.get(KnownSettings.CLOSE_TIMEOUT), segments),
              settings.text());
      if (builder.metrics != null) {
        start(builder.metrics, telemetry.openTelemetry(), guard);
      }
      logger()
          .info(
              mode.exports()
                  ? settings.summary(built.serviceName())
                  : "Telemetry is off because OTEL_SDK_DISABLED=true; the metrics that are mounted"
                      + " can still be pulled");
      return telemetry;
    }

    /** The sampling that a sampler is known for by its name. */
    private static Sampling sampling(String sampler) {
      return switch (sampler) {
        case "always_on", "parentbased_always_on" -> Sampling.EVERY_TRACE;
        case "always_off", "traceidratio", "parentbased_always_off", "parentbased_traceidratio" ->
            Sampling.SOME_TRACES;
        default -> Sampling.BY_ATTRIBUTES;
      };
    }

    private static void start(MetricsModule metrics, OpenTelemetry openTelemetry, Guard guard) {
      try {
        metrics.start(openTelemetry, guard);
      } catch (Throwable t) {
        guard.caught("MetricsModule.start", t);
      }
    }

    /** Where it was thrown, with a message that may be read. */
    private static Throwable masked(SdkSetup.Failed failed) {
      Throwable root = failed;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      Throwable masked = new IllegalStateException(failed.getMessage());
      masked.setStackTrace(root.getStackTrace());
      return masked;
    }
  }

  /** Metrics and logs of one instance with a tracer provider that makes no spans. */
  private record WithoutSpans(OpenTelemetry recording, ContextPropagators getPropagators)
      implements OpenTelemetry {

    @Override
    public TracerProvider getTracerProvider() {
      return TracerProvider.noop();
    }

    @Override
    public MeterProvider getMeterProvider() {
      return recording.getMeterProvider();
    }

    @Override
    public LoggerProvider getLogsBridge() {
      return recording.getLogsBridge();
    }
  }

  /** The instance that records metrics and logs. */
  static OpenTelemetry recording(OpenTelemetry openTelemetry) {
    return openTelemetry instanceof WithoutSpans without ? without.recording() : openTelemetry;
  }

  /** A telemetry over an instance of someone else's. */
  static Telemetry over(OpenTelemetry openTelemetry, boolean adapters) {
    ScopeHooks.prepare();
    Guard guard = new Guard(DEFAULT_SCOPE);
    List<String> listed = new Environment(Map.of(), false).getList("telemetry.baggage.attributes");
    List<String> baggageKeys =
        listed.isEmpty() ? KnownSettings.BAGGAGE_ATTRIBUTES.defaultValue() : listed;
    boolean spans = openTelemetry.getTracer(DEFAULT_SCOPE).isEnabled();
    boolean metrics =
        openTelemetry.getMeter(DEFAULT_SCOPE).counterBuilder("telemetry.probe").build().isEnabled();
    return new Telemetry(
        new Signals(
            openTelemetry,
            spans,
            metrics,
            adapters,
            Sampling.BY_ATTRIBUTES,
            new BaggageAttributes(baggageKeys, Signals.LONGEST_VALUE),
            new Segments(KnownSettings.SEGMENT_LIMIT.defaultValue()),
            null,
            new ScopeHooks(guard),
            guard,
            Signals.LONGEST_VALUE),
        baggageKeys,
        DEFAULT_SCOPE,
        null,
        "OpenTelemetry was set up by someone else, and no setting was read");
  }
}
