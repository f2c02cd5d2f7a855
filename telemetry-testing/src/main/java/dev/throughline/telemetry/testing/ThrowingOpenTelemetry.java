// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import io.opentelemetry.api.OpenTelemetry;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** An OpenTelemetry that works as another does, but for one method, which throws. */
final class ThrowingOpenTelemetry {

  /** What hands out the API's other objects, or is one of them; values are left as they are. */
  private static final Pattern API =
      Pattern.compile(
          "(.*(Provider|Builder|Tracer|Meter|Histogram|Counter|Propagators?)|Span|OpenTelemetry)");

  private final String throwing;
  private final LongAdder calls = new LongAdder();

  /**
   * @param throwing e.g. {@code Span.setAttribute}, all of its overloads
   */
  ThrowingOpenTelemetry(String throwing) {
    this.throwing = throwing;
  }

  /** How often the method that throws was called. */
  long calls() {
    return calls.sum();
  }

  OpenTelemetry over(OpenTelemetry working) {
    return (OpenTelemetry) wrap(OpenTelemetry.class, working);
  }

  private Object wrap(Class<?> type, Object working) {
    return Proxy.newProxyInstance(
        type.getClassLoader(), new Class<?>[] {type}, new Handler(working));
  }

  private final class Handler implements InvocationHandler {

    private final Object working;

    Handler(Object working) {
      this.working = working;
    }

    @Override
    public @Nullable Object invoke(
        Object proxy, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
      if (throwing.equals(method.getDeclaringClass().getSimpleName() + '.' + method.getName())) {
        calls.increment();
        throw new IllegalStateException(throwing + " throws");
      }
      if (method.getName().equals("storeInContext")) {
        // What stands in the context is the proxy, too.
        return InvocationHandler.invokeDefault(proxy, method, arguments);
      }
      Object result;
      try {
        result = method.invoke(working, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause() == null ? e : e.getCause();
      }
      if (result == working) {
        return proxy;
      }
      Class<?> type = method.getReturnType();
      return result != null && type.isInterface() && API.matcher(type.getSimpleName()).matches()
          ? wrap(type, result)
          : result;
    }
  }
}
