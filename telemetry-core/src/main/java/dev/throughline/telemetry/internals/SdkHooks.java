// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.internals;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.common.internal.ComponentRegistry;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.SdkLoggerProviderBuilder;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.CardinalityLimitSelector;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.MetricProducer;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.metrics.internal.descriptor.InstrumentDescriptor;
import io.opentelemetry.sdk.metrics.internal.exemplar.ExemplarFilterInternal;
import io.opentelemetry.sdk.metrics.internal.state.CallbackRegistration;
import io.opentelemetry.sdk.metrics.internal.view.RegisteredView;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.SdkTracerProviderBuilder;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The hooks of applications in OpenTelemetry's SDK, which calls them unguarded: one that throws
 * reaches the application, or stops all metrics. They are replaced where they stand, in private
 * fields, so that the SDK itself is what applications expect. A version that has other fields calls
 * them unguarded; a test fails on the upgrade to it.
 */
public final class SdkHooks {

  private SdkHooks() {}

  /** Replaces what an application has set on a tracer provider. */
  public static void replace(
      SdkTracerProviderBuilder builder,
      UnaryOperator<Sampler> samplers,
      UnaryOperator<SpanProcessor> processors,
      UnaryOperator<IdGenerator> idGenerators) {
    SdkHooks.<Sampler>replace(builder, "sampler", sampler -> guarded(sampler, samplers));
    SdkHooks.<List<SpanProcessor>>with(
        builder, "spanProcessors", all -> all.replaceAll(processors));
    replace(builder, "idsGenerator", idGenerators);
  }

  /** One of the SDK's own asks others by the parent of a span. */
  private static Sampler guarded(Sampler sampler, UnaryOperator<Sampler> samplers) {
    for (String of :
        List.of(
            "root",
            "remoteParentSampled",
            "remoteParentNotSampled",
            "localParentSampled",
            "localParentNotSampled")) {
      replace(sampler, of, samplers);
    }
    return samplers.apply(sampler);
  }

  /** Replaces what an application has set on a logger provider. */
  public static void replace(
      SdkLoggerProviderBuilder builder, UnaryOperator<LogRecordProcessor> processors) {
    SdkHooks.<List<LogRecordProcessor>>with(
        builder, "logRecordProcessors", all -> all.replaceAll(processors));
  }

  /**
   * Replaces what an application has set on a meter provider.
   *
   * @param exporters of periodic readers
   * @param readers all but periodic ones, which the SDK knows by their class
   * @param caught takes what a filter of attributes or exemplars throws, and the hook's name
   */
  public static void replace(
      SdkMeterProviderBuilder builder,
      UnaryOperator<MetricExporter> exporters,
      UnaryOperator<MetricReader> readers,
      UnaryOperator<CardinalityLimitSelector> limits,
      UnaryOperator<MetricProducer> producers,
      BiConsumer<String, Throwable> caught) {
    SdkHooks.<Map<MetricReader, CardinalityLimitSelector>>with(
        builder,
        "metricReaders",
        all -> {
          Map<MetricReader, CardinalityLimitSelector> replaced = new LinkedHashMap<>();
          all.forEach(
              (reader, limit) -> {
                if (reader instanceof PeriodicMetricReader) {
                  replace(reader, "exporter", exporters);
                }
                replaced.put(
                    reader instanceof PeriodicMetricReader ? reader : readers.apply(reader),
                    limits.apply(limit));
              });
          all.clear();
          all.putAll(replaced);
        });
    SdkHooks.<List<MetricProducer>>with(
        builder, "metricProducers", all -> all.replaceAll(producers));
    SdkHooks.<List<RegisteredView>>with(
        builder,
        "registeredViews",
        all -> all.forEach(view -> guardFilters(view.getViewAttributesProcessor(), caught)));
    SdkHooks.<Object>replace(
        builder,
        "exemplarFilter",
        filter ->
            filter.getClass().getName().startsWith("io.opentelemetry.sdk.")
                ? filter
                : new GuardedExemplarFilter((ExemplarFilterInternal) filter, caught));
  }

  /** Attributes are kept if a filter throws: a point too many says more than one too few. */
  private static void guardFilters(Object processor, BiConsumer<String, Throwable> caught) {
    SdkHooks.<Predicate<String>>replace(
        processor,
        "nameFilter",
        filter ->
            name -> {
              try {
                return filter.test(name);
              } catch (Throwable t) {
                caught.accept("View.attributeFilter", t);
                return true;
              }
            });
    SdkHooks.<Collection<?>>with(
        processor, "processors", all -> all.forEach(one -> guardFilters(one, caught)));
  }

  private record GuardedExemplarFilter(
      ExemplarFilterInternal filter, BiConsumer<String, Throwable> caught)
      implements ExemplarFilterInternal {

    @Override
    public boolean shouldSampleMeasurement(long value, Attributes attributes, Context context) {
      try {
        return filter.shouldSampleMeasurement(value, attributes, context);
      } catch (Throwable t) {
        caught.accept("ExemplarFilter", t);
        return false;
      }
    }

    @Override
    public boolean shouldSampleMeasurement(double value, Attributes attributes, Context context) {
      try {
        return filter.shouldSampleMeasurement(value, attributes, context);
      } catch (Throwable t) {
        caught.accept("ExemplarFilter", t);
        return false;
      }
    }
  }

  /**
   * Guards the callbacks of observable instruments. It stands before the meters in each collection,
   * and guards what was registered since the last.
   */
  public static final class Callbacks implements MetricProducer {

    private final BiConsumer<String, Throwable> caught;
    private volatile @Nullable SdkMeterProvider meters;

    /**
     * @param caught takes what a callback throws, and its name
     */
    public Callbacks(BiConsumer<String, Throwable> caught) {
      this.caught = caught;
    }

    /** Sets whose callbacks they are. */
    public void of(SdkMeterProvider provider) {
      meters = provider;
    }

    @Override
    public Collection<MetricData> produce(Resource resource) {
      SdkMeterProvider of = meters;
      if (of != null) {
        SdkHooks.<ComponentRegistry<?>>with(
            of, "registry", registry -> registry.getComponents().forEach(this::guard));
      }
      return List.of();
    }

    private void guard(Object meter) {
      SdkHooks.with(
          meter,
          "callbackLock",
          lock -> {
            synchronized (lock) {
              SdkHooks.<List<CallbackRegistration>>with(
                  meter, "callbackRegistrations", all -> all.forEach(one -> guard(meter, one)));
            }
          });
    }

    private void guard(Object meter, CallbackRegistration registration) {
      SdkHooks.<Runnable>replace(
          registration,
          "callback",
          callback ->
              callback instanceof GuardedCallback
                  ? callback
                  : new GuardedCallback(callback, name(meter, registration), caught));
    }

    private static String name(Object meter, CallbackRegistration registration) {
      StringJoiner names = new StringJoiner(", ", "The callback of ", "");
      SdkHooks.<List<InstrumentDescriptor>>with(
          registration,
          "instrumentDescriptors",
          all -> all.forEach(instrument -> names.add(instrument.getName())));
      List<String> scope = new ArrayList<>();
      SdkHooks.<InstrumentationScopeInfo>with(
          meter, "instrumentationScopeInfo", info -> scope.add(" of " + info.getName()));
      return names + String.join("", scope);
    }
  }

  private record GuardedCallback(
      Runnable callback, String name, BiConsumer<String, Throwable> caught) implements Runnable {

    @Override
    public void run() {
      try {
        callback.run();
      } catch (Throwable t) {
        caught.accept(name, t);
      }
    }
  }

  private static <T> void replace(Object owner, String field, UnaryOperator<T> replacement) {
    SdkHooks.<T>with(
        owner,
        field,
        value -> {
          T replaced = replacement.apply(value);
          if (replaced != value) {
            find(owner, field).set(owner, replaced);
          }
        });
  }

  /** Does nothing where there is no such field, or it can't be reached. */
  @SuppressWarnings("unchecked") // The SDK's field; it is another version if it is of another type.
  private static <T> void with(Object owner, String field, Action<T> action) {
    try {
      Object value = find(owner, field).get(owner);
      if (value != null) {
        action.run((T) value);
      }
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      // Another version of the SDK.
    }
  }

  private static Field find(Object owner, String field) throws NoSuchFieldException {
    Field found = owner.getClass().getDeclaredField(field);
    found.setAccessible(true);
    return found;
  }

  private interface Action<T> {
    void run(T value) throws ReflectiveOperationException;
  }
}
