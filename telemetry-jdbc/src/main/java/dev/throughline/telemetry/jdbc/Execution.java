// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** A call of a driver's within a span. */
final class Execution {

  private Execution() {}

  static @Nullable Object run(
      Traced traced, Query query, Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    JdbcTelemetry telemetry = traced.telemetry;
    InstrumentedRequest<Query, Throwable> request = telemetry.calls.start(Context.current(), query);
    if (request == null) {
      return traced.call(method, arguments);
    }
    Scope scope = request.makeCurrent();
    Throwable thrown = null;
    try {
      return traced.call(method, commented(telemetry, request, arguments));
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      scope.close();
      request.end(thrown, null);
    }
  }

  private static @Nullable Object @Nullable [] commented(
      JdbcTelemetry telemetry,
      InstrumentedRequest<?, ?> request,
      @Nullable Object @Nullable [] arguments) {
    if (arguments == null || arguments.length == 0 || !(arguments[0] instanceof String sql)) {
      return arguments;
    }
    try {
      String commented = telemetry.comment.inStatement(request.context(), sql);
      if (!commented.equals(sql)) {
        @Nullable Object[] replaced = arguments.clone();
        replaced[0] = commented;
        return replaced;
      }
    } catch (Throwable t) {
      telemetry.guard.caught("SqlComment.inStatement", t);
    }
    return arguments;
  }
}
