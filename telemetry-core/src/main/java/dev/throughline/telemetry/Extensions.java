// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.throughline.telemetry.delivery.SpanPipeline;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.internals.OnEndingProcessor;
import dev.throughline.telemetry.internals.OpenTelemetryInternals.Autoconfigure;
import dev.throughline.telemetry.internals.SdkHooks;
import dev.throughline.telemetry.settings.KnownSettings;
import dev.throughline.telemetry.settings.Settings;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanId;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.TraceId;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizer;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizerProvider;
import io.opentelemetry.sdk.autoconfigure.spi.ResourceProvider;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.MemoryMode;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.ReadWriteLogRecord;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.CardinalityLimitSelector;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.MetricProducer;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The extensions of OpenTelemetry on the class path. One that throws costs itself: OpenTelemetry
 * would give up all signals for it, or hand what it throws to the application.
 */
final class Extensions implements ComponentLoader {

  // Those that come with us do not throw, and a wrapper would cost each start.
  private static final List<String> OWN =
      List.of("io.opentelemetry.sdk.", "io.opentelemetry.exporter.");
  private static final Sampler BY_DEFAULT = Sampler.parentBased(Sampler.alwaysOn());

  private final ComponentLoader all;
  private final Supplier<@Nullable Settings> settings;
  private final boolean strict;
  private final Guard guard;
  private final Set<String> told = new HashSet<>();
  private final SdkHooks.Callbacks callbacks;

  /**
   * @param settings null until they are known
   * @param strict whether what an extension throws is thrown on
   */
  Extensions(
      ComponentLoader all, Supplier<@Nullable Settings> settings, boolean strict, Guard guard) {
    this.all = all;
    this.settings = settings;
    this.strict = strict;
    this.guard = guard;
    callbacks = new SdkHooks.Callbacks(guard::caught);
  }

  /** Guards what the application gives an SDK that is built. */
  void guard(OpenTelemetrySdk sdk) {
    callbacks.of(sdk.getSdkMeterProvider());
  }

  @Override
  public <T> Iterable<T> load(Class<T> type) {
    List<T> loaded = new ArrayList<>();
    Iterator<T> providers = all.load(type).iterator();
    while (true) {
      try {
        if (!providers.hasNext()) {
          if (type == AutoConfigurationCustomizerProvider.class) {
            loaded.add(type.cast(new Last()));
          }
          return loaded;
        }
        T provider = providers.next();
        if (isOn(provider)) {
          loaded.add(isOwn(provider) ? provider : guarded(type, provider));
        }
      } catch (ServiceConfigurationError | LinkageError | RuntimeException e) {
        // The next one may well load.
        caught(type.getSimpleName(), e);
      }
    }
  }

  /** Autoconfigure asks by the names of classes, which a wrapper hides. */
  private boolean isOn(Object provider) {
    Settings known = settings.get();
    if (known == null || !(provider instanceof ResourceProvider)) {
      return true;
    }
    String name = provider.getClass().getName();
    List<String> enabled = known.find(KnownSettings.ENABLED_RESOURCE_PROVIDERS);
    return (enabled == null || enabled.contains(name))
        && !known.get(KnownSettings.DISABLED_RESOURCE_PROVIDERS).contains(name);
  }

  private static boolean isOwn(Object provider) {
    String name = provider.getClass().getName();
    return OWN.stream().anyMatch(name::startsWith);
  }

  private <T> T guarded(Class<T> type, T provider) {
    if (settings.get() == null && provider instanceof ResourceProvider) {
      // Nobody calls it yet, but its name is looked at.
      return provider;
    }
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          try {
            Object[] given = arguments == null ? new Object[0] : arguments.clone();
            for (int i = 0; i < given.length; i++) {
              if (given[i] instanceof AutoConfigurationCustomizer customizer) {
                given[i] = guarded(customizer, provider.getClass().getName());
              }
            }
            Object made = method.invoke(provider, given);
            return made == null ? null : guardedAtRunTime(made);
          } catch (InvocationTargetException e) {
            caught(
                provider.getClass().getName() + "." + method.getName(),
                requireNonNullElse(e.getCause(), e));
            return instead(method.getReturnType());
          }
        };
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(), Autoconfigure.interfaces(type, provider), handler));
  }

  /** The replacement of what could not be made. */
  private static @Nullable Object instead(Class<?> type) {
    if (type == Resource.class) {
      return Resource.empty();
    } else if (type == Sampler.class) {
      return BY_DEFAULT;
    } else if (type == SpanExporter.class) {
      return SpanExporter.composite();
    } else if (type == LogRecordExporter.class) {
      return LogRecordExporter.composite();
    } else if (type == TextMapPropagator.class) {
      return TextMapPropagator.noop();
    } else if (type == boolean.class) {
      return false;
    } else if (type == int.class) {
      return 0;
    }
    return type == String.class ? "" : null;
  }

  private AutoConfigurationCustomizer guarded(AutoConfigurationCustomizer customizer, String by) {
    return (AutoConfigurationCustomizer)
        Proxy.newProxyInstance(
            AutoConfigurationCustomizer.class.getClassLoader(),
            new Class<?>[] {AutoConfigurationCustomizer.class},
            (proxy, method, arguments) -> {
              String what = by + ", " + method.getName();
              Object[] given = arguments == null ? new Object[0] : arguments.clone();
              for (int i = 0; i < given.length; i++) {
                given[i] = guardedFunction(given[i], what);
              }
              Object result = method.invoke(customizer, given);
              return result == customizer ? proxy : result;
            });
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // of the customizer's many types
  private Object guardedFunction(Object function, String what) {
    if (function instanceof BiFunction customizer) {
      return (BiFunction<Object, Object, Object>)
          (given, config) -> {
            Object made = called(() -> customizer.apply(given, config), given, what);
            return made == given ? given : guardedAtRunTime(made);
          };
    } else if (function instanceof Function properties) {
      return (Function<Object, Object>)
          config -> called(() -> properties.apply(config), Map.of(), what);
    } else if (function instanceof Supplier properties) {
      return (Supplier<Object>) () -> called(properties::get, Map.of(), what);
    }
    return function;
  }

  private Object called(Supplier<@Nullable Object> function, Object otherwise, String what) {
    try {
      Object result = function.get();
      return result == null ? otherwise : result;
    } catch (Throwable t) {
      caught(what, t);
      return otherwise;
    }
  }

  /** Tells it once, and throws it on when it is fatal, or settings are strict. */
  private void caught(String what, Throwable thrown) {
    if (Guard.isFatal(thrown)) {
      throw (VirtualMachineError) thrown;
    }
    if (strict) {
      throw thrown instanceof RuntimeException e ? e : new IllegalStateException(what, thrown);
    }
    if (told.add(what)) {
      TelemetryBuilder.logger()
          .warn(
              "An extension of OpenTelemetry threw, and telemetry goes on without it: {}: {}",
              what,
              SdkSetup.reason(thrown));
    }
  }

  private Object guardedAtRunTime(Object made) {
    if (made instanceof Sampler sampler) {
      return new GuardedSampler(sampler, guard);
    } else if (made instanceof SpanProcessor processor && !(processor instanceof SpanPipeline)) {
      return new GuardedSpanProcessor(processor, guard);
    } else if (made instanceof LogRecordProcessor processor) {
      return guarded(processor);
    }
    return made;
  }

  /** A processor of log records that throws into nobody's log statement. */
  LogRecordProcessor guarded(LogRecordProcessor processor) {
    return processor instanceof GuardedLogRecordProcessor
        ? processor
        : new GuardedLogRecordProcessor(processor, guard);
  }

  /** Guards what others have put into the SDK, once they are through. */
  private final class Last implements AutoConfigurationCustomizerProvider {

    @Override
    public int order() {
      return Integer.MAX_VALUE;
    }

    @Override
    public void customize(AutoConfigurationCustomizer customizer) {
      customizer
          .addTracerProviderCustomizer(
              (provider, config) -> {
                SdkHooks.replace(
                    provider,
                    sampler ->
                        isOwn(sampler) || sampler instanceof GuardedSampler
                            ? sampler
                            : new GuardedSampler(sampler, guard),
                    processor ->
                        processor instanceof SpanPipeline
                                || processor instanceof GuardedSpanProcessor
                            ? processor
                            : new GuardedSpanProcessor(processor, guard),
                    ids -> isOwn(ids) ? ids : new GuardedIdGenerator(ids, guard));
                return provider;
              })
          .addLoggerProviderCustomizer(
              (provider, config) -> {
                SdkHooks.replace(provider, Extensions.this::guarded);
                return provider;
              })
          .addMeterProviderCustomizer(
              (provider, config) -> {
                SdkHooks.replace(
                    provider,
                    exporter -> isOwn(exporter) ? exporter : new GuardedExporter(exporter, guard),
                    reader -> new GuardedReader(reader, guard),
                    limits -> type -> limit(limits, type),
                    producer -> resource -> produced(producer, resource),
                    guard::caught);
                return provider.registerMetricProducer(callbacks);
              });
    }
  }

  private int limit(CardinalityLimitSelector limits, InstrumentType type) {
    try {
      return limits.getCardinalityLimit(type);
    } catch (Throwable t) {
      guard.caught("CardinalityLimitSelector.getCardinalityLimit", t);
      return CardinalityLimitSelector.defaultCardinalityLimitSelector().getCardinalityLimit(type);
    }
  }

  private Collection<MetricData> produced(MetricProducer producer, Resource resource) {
    try {
      return requireNonNull(producer.produce(resource));
    } catch (Throwable t) {
      guard.caught("MetricProducer.produce", t);
      return List.of();
    }
  }

  /** A reader that can't be registered reads nothing, and the others do. */
  private record GuardedReader(MetricReader reader, Guard guard) implements MetricReader {

    @Override
    public void register(CollectionRegistration registration) {
      guard.run("MetricReader.register", () -> reader.register(registration));
    }

    @Override
    public CompletableResultCode forceFlush() {
      return asked(guard, "MetricReader.forceFlush", reader::forceFlush);
    }

    @Override
    public CompletableResultCode shutdown() {
      return asked(guard, "MetricReader.shutdown", reader::shutdown);
    }

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return otherwise(
          guard,
          "MetricReader.getAggregationTemporality",
          () -> reader.getAggregationTemporality(type),
          AggregationTemporality.CUMULATIVE);
    }

    @Override
    public Aggregation getDefaultAggregation(InstrumentType type) {
      return otherwise(
          guard,
          "MetricReader.getDefaultAggregation",
          () -> reader.getDefaultAggregation(type),
          Aggregation.defaultAggregation());
    }

    @Override
    public MemoryMode getMemoryMode() {
      return otherwise(
          guard, "MetricReader.getMemoryMode", reader::getMemoryMode, MemoryMode.IMMUTABLE_DATA);
    }

    @Override
    public String toString() {
      return reader.toString();
    }
  }

  /** The exporter of a periodic reader, whose thread would end with what it throws. */
  private record GuardedExporter(MetricExporter exporter, Guard guard) implements MetricExporter {

    @Override
    public CompletableResultCode export(Collection<MetricData> metrics) {
      return asked(guard, "MetricExporter.export", () -> exporter.export(metrics));
    }

    @Override
    public CompletableResultCode flush() {
      return asked(guard, "MetricExporter.flush", exporter::flush);
    }

    @Override
    public CompletableResultCode shutdown() {
      return asked(guard, "MetricExporter.shutdown", exporter::shutdown);
    }

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return otherwise(
          guard,
          "MetricExporter.getAggregationTemporality",
          () -> exporter.getAggregationTemporality(type),
          AggregationTemporality.CUMULATIVE);
    }

    @Override
    public Aggregation getDefaultAggregation(InstrumentType type) {
      return otherwise(
          guard,
          "MetricExporter.getDefaultAggregation",
          () -> exporter.getDefaultAggregation(type),
          Aggregation.defaultAggregation());
    }

    @Override
    public MemoryMode getMemoryMode() {
      return otherwise(
          guard,
          "MetricExporter.getMemoryMode",
          exporter::getMemoryMode,
          MemoryMode.IMMUTABLE_DATA);
    }

    @Override
    public String toString() {
      return exporter.toString();
    }
  }

  private static <T> T otherwise(Guard guard, String hook, Supplier<T> question, T otherwise) {
    try {
      return requireNonNull(question.get());
    } catch (Throwable t) {
      guard.caught(hook, t);
      return otherwise;
    }
  }

  private record GuardedIdGenerator(IdGenerator ids, Guard guard) implements IdGenerator {

    @Override
    public String generateSpanId() {
      try {
        String id = ids.generateSpanId();
        if (SpanId.isValid(id)) {
          return id;
        }
      } catch (Throwable t) {
        guard.caught("IdGenerator.generateSpanId", t);
      }
      return IdGenerator.random().generateSpanId();
    }

    @Override
    public String generateTraceId() {
      try {
        String id = ids.generateTraceId();
        if (TraceId.isValid(id)) {
          return id;
        }
      } catch (Throwable t) {
        guard.caught("IdGenerator.generateTraceId", t);
      }
      return IdGenerator.random().generateTraceId();
    }

    @Override
    public boolean generatesRandomTraceIds() {
      return otherwise(
          guard, "IdGenerator.generatesRandomTraceIds", ids::generatesRandomTraceIds, false);
    }
  }

  private record GuardedSampler(Sampler sampler, Guard guard) implements Sampler {

    @Override
    public SamplingResult shouldSample(
        Context parentContext,
        String traceId,
        String name,
        SpanKind spanKind,
        Attributes attributes,
        List<LinkData> parentLinks) {
      try {
        SamplingResult result =
            sampler.shouldSample(parentContext, traceId, name, spanKind, attributes, parentLinks);
        if (result != null) {
          return result;
        }
      } catch (Throwable t) {
        guard.caught("Sampler.shouldSample", t);
      }
      return BY_DEFAULT.shouldSample(
          parentContext, traceId, name, spanKind, attributes, parentLinks);
    }

    @Override
    public String getDescription() {
      try {
        return sampler.getDescription();
      } catch (Throwable t) {
        guard.caught("Sampler.getDescription", t);
        return sampler.getClass().getName();
      }
    }

    @Override
    public CompletableResultCode shutdown() {
      return asked(guard, "Sampler.shutdown", sampler::shutdown);
    }

    @Override
    public String toString() {
      return getDescription();
    }
  }

  private record GuardedSpanProcessor(
      SpanProcessor processor,
      boolean isStartRequired,
      boolean isOnEndingRequired,
      boolean isEndRequired,
      Guard guard)
      implements OnEndingProcessor {

    GuardedSpanProcessor(SpanProcessor processor, Guard guard) {
      this(
          processor,
          otherwise(guard, "SpanProcessor.isStartRequired", processor::isStartRequired, false),
          otherwise(
              guard,
              "SpanProcessor.isOnEndingRequired",
              () -> OnEndingProcessor.isRequired(processor),
              false),
          otherwise(guard, "SpanProcessor.isEndRequired", processor::isEndRequired, false),
          guard);
    }

    @Override
    public void onStart(Context parentContext, ReadWriteSpan span) {
      try {
        processor.onStart(parentContext, span);
      } catch (Throwable t) {
        guard.caught("SpanProcessor.onStart", t);
      }
    }

    @Override
    public void onEnding(ReadWriteSpan span) {
      try {
        OnEndingProcessor.call(processor, span);
      } catch (Throwable t) {
        guard.caught("SpanProcessor.onEnding", t);
      }
    }

    @Override
    public void onEnd(ReadableSpan span) {
      try {
        processor.onEnd(span);
      } catch (Throwable t) {
        guard.caught("SpanProcessor.onEnd", t);
      }
    }

    @Override
    public CompletableResultCode forceFlush() {
      return asked(guard, "SpanProcessor.forceFlush", processor::forceFlush);
    }

    @Override
    public CompletableResultCode shutdown() {
      return asked(guard, "SpanProcessor.shutdown", processor::shutdown);
    }
  }

  private static CompletableResultCode asked(
      Guard guard, String hook, Supplier<CompletableResultCode> question) {
    return otherwise(guard, hook, question, CompletableResultCode.ofFailure());
  }

  private record GuardedLogRecordProcessor(LogRecordProcessor processor, Guard guard)
      implements LogRecordProcessor {

    @Override
    public void onEmit(Context context, ReadWriteLogRecord logRecord) {
      try {
        processor.onEmit(context, logRecord);
      } catch (Throwable t) {
        guard.caught("LogRecordProcessor.onEmit", t);
      }
    }

    @Override
    public CompletableResultCode forceFlush() {
      return asked(guard, "LogRecordProcessor.forceFlush", processor::forceFlush);
    }

    @Override
    public CompletableResultCode shutdown() {
      return asked(guard, "LogRecordProcessor.shutdown", processor::shutdown);
    }
  }
}
