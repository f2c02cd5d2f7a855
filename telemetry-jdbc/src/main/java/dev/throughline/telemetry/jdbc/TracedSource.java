// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.ConnectionBuilder;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Wraps what opens connections: a data source, or a builder that it gives. */
final class TracedSource extends Traced {

  private final Supplier<@Nullable String> poolName;
  private volatile @Nullable Database latest;

  TracedSource(JdbcTelemetry telemetry, Object bare, Supplier<@Nullable String> poolName) {
    super(telemetry, bare);
    this.poolName = poolName;
  }

  @Override
  @Nullable Object handle(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    if (Connection.class.isAssignableFrom(method.getReturnType())) {
      Connection connection = connect(() -> (Connection) call(method, arguments));
      Traced traced = of(connection);
      return traced == null || connection == null
          ? connection
          : fitting(method, connection, traced.bare);
    }
    Object result = call(method, arguments);
    if (result == bare) {
      return fitting(method, proxy(), result);
    }
    return result instanceof ConnectionBuilder builder
        ? new TracedSource(telemetry, builder, poolName).proxy(builder)
        : result;
  }

  /** Opens a connection. */
  @FunctionalInterface
  interface Opening<E extends Throwable> {
    @Nullable Connection open() throws E;
  }

  <E extends Throwable> @Nullable Connection connect(Opening<E> opening) throws E {
    long start = System.nanoTime();
    Connection connection;
    try {
      connection = opening.open();
    } catch (Throwable t) {
      waited(System.nanoTime() - start, t);
      throw t;
    }
    waited(System.nanoTime() - start, null);
    if (connection == null || isTraced(connection)) {
      return connection;
    }
    return new TracedConnection(telemetry, connection, this).proxy(connection);
  }

  /** Remembers what the connections are to, for waits that get none. */
  void gave(Database database) {
    latest = database;
  }

  private void waited(long nanos, @Nullable Throwable error) {
    if (nanos < telemetry.waitThresholdNanos) {
      return;
    }
    Instant began = Instant.now().minusNanos(nanos);
    InstrumentedRequest<WaitConvention.Wait, Throwable> wait =
        telemetry.waits.start(
            Context.current(),
            new WaitConvention.Wait(latest, poolName),
            List.of(),
            TimeUnit.SECONDS.toNanos(began.getEpochSecond()) + began.getNano());
    if (wait != null) {
      wait.end(null, error);
    }
  }
}
