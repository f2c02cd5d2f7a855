// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.ConnectionBuilder;
import java.util.List;
import javax.sql.ConnectionEvent;
import javax.sql.ConnectionEventListener;
import javax.sql.PooledConnection;
import javax.sql.PooledConnectionBuilder;
import javax.sql.StatementEvent;
import javax.sql.StatementEventListener;
import javax.sql.XAConnectionBuilder;
import org.jspecify.annotations.Nullable;

/** Wraps what opens connections: a data source, its builders, and its connections for pools. */
final class TracedSource extends Traced {

  private final @Nullable HikariMetrics pool;
  private volatile @Nullable Database latest;

  TracedSource(JdbcTelemetry telemetry, Object bare, @Nullable HikariMetrics pool) {
    super(telemetry, bare);
    this.pool = pool;
  }

  @Override
  @Nullable Object handle(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    if (Connection.class.isAssignableFrom(method.getReturnType())) {
      Connection connection = connect(() -> (Connection) call(method, arguments));
      return connection != null && of(connection) instanceof TracedConnection traced
          ? fitting(method, connection, traced.bare)
          : connection;
    }
    Object result = call(method, withListener(arguments));
    if (result == bare) {
      return fitting(method, proxy(), result);
    }
    return result == null ? null : fitting(method, wrapped(result), result);
  }

  /** What opens connections too, wrapped; anything else as it is. */
  <T> T wrapped(T result) {
    return opens(result) ? new TracedSource(telemetry, result, pool).proxy(result) : result;
  }

  private static boolean opens(Object result) {
    return result instanceof PooledConnection
        || result instanceof ConnectionBuilder
        || result instanceof PooledConnectionBuilder
        || result instanceof XAConnectionBuilder;
  }

  /** A pool finds its own by the source of an event, which is to be the one that it was given. */
  private @Nullable Object @Nullable [] withListener(@Nullable Object @Nullable [] arguments) {
    if (arguments == null || arguments.length != 1 || !(proxy() instanceof PooledConnection mine)) {
      return arguments;
    }
    if (arguments[0] instanceof ConnectionEventListener listener) {
      return new Object[] {new ConnectionEvents(listener, mine)};
    }
    return arguments[0] instanceof StatementEventListener listener
        ? new Object[] {new StatementEvents(listener, mine)}
        : arguments;
  }

  /** A record, since what is equal to the one that was added is removed. */
  private record ConnectionEvents(ConnectionEventListener to, PooledConnection source)
      implements ConnectionEventListener {

    @Override
    public void connectionClosed(ConnectionEvent event) {
      to.connectionClosed(new ConnectionEvent(source, event.getSQLException()));
    }

    @Override
    public void connectionErrorOccurred(ConnectionEvent event) {
      to.connectionErrorOccurred(new ConnectionEvent(source, event.getSQLException()));
    }
  }

  private record StatementEvents(StatementEventListener to, PooledConnection source)
      implements StatementEventListener {

    @Override
    public void statementClosed(StatementEvent event) {
      to.statementClosed(new StatementEvent(source, event.getStatement()));
    }

    @Override
    public void statementErrorOccurred(StatementEvent event) {
      to.statementErrorOccurred(
          new StatementEvent(source, event.getStatement(), event.getSQLException()));
    }
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
    try {
      MySqlTelemetry.switchOff(connection);
    } catch (Throwable t) {
      telemetry.guard.caught("Session.setTelemetryHandler", t);
    }
    return new TracedConnection(telemetry, connection, this).proxy(connection);
  }

  /** Remembers what the connections are to, for waits that get none. */
  void gave(Database database) {
    latest = database;
  }

  private void waited(long nanos, @Nullable Throwable error) {
    if (pool != null) {
      pool.track();
    }
    if (nanos < telemetry.waitThresholdNanos) {
      return;
    }
    InstrumentedRequest<WaitConvention.Wait, Throwable> wait =
        telemetry.waits.start(
            Context.current(),
            new WaitConvention.Wait(latest, pool),
            List.of(),
            epochNanosBefore(nanos));
    if (wait != null) {
      wait.end(null, error);
    }
  }
}
