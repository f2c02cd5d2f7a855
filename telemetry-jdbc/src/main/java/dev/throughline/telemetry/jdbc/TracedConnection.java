// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.jdbc.SqlAnalyzer.Analyzed;
import io.opentelemetry.context.Context;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Wraps a connection: what it makes is wrapped too, and on demand its commits are spans. */
final class TracedConnection extends Traced {

  private final Connection connection;
  private final TracedSource source;
  private @Nullable Database database;

  TracedConnection(JdbcTelemetry telemetry, Connection connection, TracedSource source) {
    super(telemetry, connection);
    this.connection = connection;
    this.source = source;
  }

  @Override
  @Nullable Object handle(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    String name = method.getName();
    if (telemetry.transactionSpans && (name.equals("commit") || name.equals("rollback"))) {
      return execute(transaction(name), method, arguments);
    }
    boolean prepares = name.startsWith("prepare");
    Object result = prepares ? prepare(method, arguments) : call(method, arguments);
    if (result instanceof Statement statement) {
      String sql = arguments != null && arguments[0] instanceof String text ? text : null;
      return fitting(method, traced(statement, prepares, sql), result);
    }
    if (result instanceof DatabaseMetaData metaData) {
      return fitting(method, new MetaData(metaData).proxy(metaData), result);
    }
    return result;
  }

  /** Some databases look at a statement only now: one that they refuse is a span. */
  private @Nullable Object prepare(Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    Context context = Context.current();
    long start = System.nanoTime();
    try {
      return call(method, telemetry.comment.inPrepared(context, arguments));
    } catch (Throwable t) {
      if (arguments != null && arguments[0] instanceof String sql && isOpen()) {
        InstrumentedRequest<Query, Throwable> failed =
            telemetry.calls.start(
                context,
                telemetry.queries.get(database(), sql, true),
                List.of(),
                epochNanosBefore(System.nanoTime() - start));
        if (failed != null) {
          failed.end(t, null);
        }
      }
      throw t;
    }
  }

  private boolean isOpen() {
    try {
      return !connection.isClosed();
    } catch (Throwable t) {
      telemetry.guard.caught("Connection.isClosed", t);
      return false;
    }
  }

  private Query transaction(String name) {
    String operation = name.equals("commit") ? "COMMIT" : "ROLLBACK";
    return new Query(database(), new Analyzed(null, operation, operation, null, null), null);
  }

  Statement traced(Statement statement, boolean prepared, @Nullable String sql) {
    Query query = prepared ? telemetry.queries.get(database(), sql, true) : null;
    return new TracedStatement(telemetry, statement, this, query).proxy(statement);
  }

  /** Looked up when it is first needed, and then kept: a driver may make objects for it. */
  Database database() {
    Database known = database;
    if (known == null) {
      known = telemetry.databases.of(connection);
      database = known;
      source.gave(known);
    }
    return known;
  }

  /** The metadata of the connection, whose result sets name wrapped statements. */
  private final class MetaData extends Traced implements TracedResultSet.Owner {

    MetaData(DatabaseMetaData metaData) {
      super(TracedConnection.this.telemetry, metaData);
    }

    @Override
    @Nullable Object handle(Method method, @Nullable Object @Nullable [] arguments)
        throws Throwable {
      Object result = call(method, arguments);
      if (result instanceof ResultSet resultSet) {
        return fitting(
            method, new TracedResultSet(telemetry, resultSet, this).proxy(resultSet), result);
      }
      return result instanceof Connection
          ? fitting(method, TracedConnection.this.proxy(), result)
          : result;
    }

    @Override
    public Object statementOf(Statement bareStatement) {
      return traced(bareStatement, false, null);
    }
  }
}
