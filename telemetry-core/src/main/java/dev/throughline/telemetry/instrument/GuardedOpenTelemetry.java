// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.logs.LoggerProvider;
import io.opentelemetry.api.metrics.BatchCallback;
import io.opentelemetry.api.metrics.DoubleGaugeBuilder;
import io.opentelemetry.api.metrics.DoubleHistogramBuilder;
import io.opentelemetry.api.metrics.LongCounterBuilder;
import io.opentelemetry.api.metrics.LongUpDownCounterBuilder;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.MeterBuilder;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.api.metrics.ObservableMeasurement;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.propagation.ContextPropagators;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * An OpenTelemetry whose observable instruments are guarded: a callback that throws leaves out its
 * own instrument. The SDK takes a {@link LinkageError} for fatal, and stops collecting all metrics.
 *
 * <p>Instruments themselves are the SDK's own, and recording costs nothing more.
 */
final class GuardedOpenTelemetry implements OpenTelemetry, MeterProvider {

  private final OpenTelemetry delegate;
  private final Guard guard;

  GuardedOpenTelemetry(OpenTelemetry delegate, Guard guard) {
    this.delegate = delegate;
    this.guard = guard;
  }

  @Override
  public TracerProvider getTracerProvider() {
    return delegate.getTracerProvider();
  }

  @Override
  public LoggerProvider getLogsBridge() {
    return delegate.getLogsBridge();
  }

  @Override
  public ContextPropagators getPropagators() {
    return delegate.getPropagators();
  }

  @Override
  public MeterProvider getMeterProvider() {
    return this;
  }

  @Override
  public MeterBuilder meterBuilder(String scope) {
    return new GuardedMeterBuilder(delegate.getMeterProvider().meterBuilder(scope), scope, guard);
  }

  @Override
  public String toString() {
    return delegate.toString();
  }

  private record GuardedMeterBuilder(MeterBuilder delegate, String scope, Guard guard)
      implements MeterBuilder {

    @Override
    public MeterBuilder setSchemaUrl(String schemaUrl) {
      delegate.setSchemaUrl(schemaUrl);
      return this;
    }

    @Override
    public MeterBuilder setInstrumentationVersion(String version) {
      delegate.setInstrumentationVersion(version);
      return this;
    }

    @Override
    public Meter build() {
      return new GuardedMeter(delegate.build(), scope, guard);
    }
  }

  private record GuardedMeter(Meter delegate, String scope, Guard guard) implements Meter {

    @Override
    public LongCounterBuilder counterBuilder(String name) {
      return guarded(LongCounterBuilder.class, delegate.counterBuilder(name), name);
    }

    @Override
    public LongUpDownCounterBuilder upDownCounterBuilder(String name) {
      return guarded(LongUpDownCounterBuilder.class, delegate.upDownCounterBuilder(name), name);
    }

    @Override
    public DoubleGaugeBuilder gaugeBuilder(String name) {
      return guarded(DoubleGaugeBuilder.class, delegate.gaugeBuilder(name), name);
    }

    /** Has no callbacks. */
    @Override
    public DoubleHistogramBuilder histogramBuilder(String name) {
      return delegate.histogramBuilder(name);
    }

    @Override
    public BatchCallback batchCallback(
        Runnable callback, ObservableMeasurement measurement, ObservableMeasurement... more) {
      return delegate.batchCallback(
          () -> guard.run("A batch callback of " + scope, callback), measurement, more);
    }

    private <B> B guarded(Class<B> type, B builder, String instrument) {
      return type.cast(new GuardedBuilder(instrument + " of " + scope, guard).around(builder));
    }
  }

  /**
   * Stands before a builder of any kind, with all of its interfaces: OpenTelemetry's incubator adds
   * some that are not known here.
   */
  private record GuardedBuilder(String instrument, Guard guard) {

    Object around(Object builder) {
      try {
        Class<?> type = builder.getClass();
        return Proxy.newProxyInstance(
            type.getClassLoader(), interfaces(type), new Handler(builder, this));
      } catch (RuntimeException e) {
        // An ahead-of-time compiled image without this proxy.
        return builder;
      }
    }

    private static Class<?>[] interfaces(Class<?> type) {
      Set<Class<?>> interfaces = new LinkedHashSet<>();
      for (Class<?> c = type; c != null; c = c.getSuperclass()) {
        for (Class<?> implemented : c.getInterfaces()) {
          if (Modifier.isPublic(implemented.getModifiers())) {
            interfaces.add(implemented);
          }
        }
      }
      return interfaces.toArray(new Class<?>[0]);
    }

    Consumer<Object> around(Consumer<Object> callback) {
      return measurement -> {
        try {
          callback.accept(measurement);
        } catch (Throwable t) {
          guard.caught("The callback of " + instrument, t);
        }
      };
    }
  }

  private record Handler(Object builder, GuardedBuilder guarded) implements InvocationHandler {

    @Override
    @SuppressWarnings("unchecked") // each buildWithCallback takes a consumer of its measurement
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
      if (method.getName().equals("buildWithCallback")
          && arguments.length == 1
          && arguments[0] instanceof Consumer<?> callback) {
        arguments[0] = guarded.around((Consumer<Object>) callback);
      }
      Object result;
      try {
        result = method.invoke(builder, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
      if (result == builder) {
        return proxy;
      }
      // ofLongs and ofDoubles go over to another builder.
      return result != null && method.getReturnType().getName().endsWith("Builder")
          ? guarded.around(result)
          : result;
    }
  }
}
