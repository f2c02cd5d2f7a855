// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Wraps a statement, prepared or not: each execution is a span. */
final class TracedStatement extends Traced implements TracedResultSet.Owner {

  /** More texts of one batch are not shown. */
  private static final int TEXTS_OF_A_BATCH = 20;

  private final TracedConnection connection;
  private final @Nullable Query prepared;
  private @Nullable TracedResultSet latest;
  private @Nullable Set<Query> batch;
  private long batchSize;

  TracedStatement(
      JdbcTelemetry telemetry,
      Statement statement,
      TracedConnection connection,
      @Nullable Query prepared) {
    super(telemetry, statement);
    this.connection = connection;
    this.prepared = prepared;
  }

  @Override
  @Nullable Object handle(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    String name = method.getName();
    Object result;
    if (name.startsWith("execute")) {
      result = run(name, method, arguments);
    } else {
      result = call(method, arguments);
      if (name.endsWith("Batch")) {
        batched(name, arguments);
      }
    }
    if (result instanceof ResultSet resultSet) {
      return fitting(method, traced(resultSet), result);
    }
    return result instanceof Connection ? fitting(method, connection.proxy(), result) : result;
  }

  private @Nullable Object run(String name, Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    if (name.endsWith("Batch")) {
      try {
        Set<Query> queries = batch == null ? Set.of() : batch;
        return execute(Query.batch(connection.database(), queries, batchSize), method, arguments);
      } finally {
        clearBatch();
      }
    }
    return execute(query(arguments), method, arguments);
  }

  /** That of the text which is given with the call, else of the one that was prepared. */
  private Query query(@Nullable Object @Nullable [] arguments) {
    String sql = arguments != null && arguments[0] instanceof String text ? text : null;
    Query own = prepared;
    return own == null || sql != null
        ? telemetry.queries.get(connection.database(), sql, false)
        : own;
  }

  private void batched(String name, @Nullable Object @Nullable [] arguments) {
    if (name.equals("clearBatch")) {
      clearBatch();
    } else if (name.equals("addBatch")) {
      Set<Query> queries = batch;
      if (queries == null) {
        queries = new LinkedHashSet<>();
        batch = queries;
      }
      if (queries.size() < TEXTS_OF_A_BATCH) {
        queries.add(query(arguments));
      }
      batchSize++;
    }
  }

  private void clearBatch() {
    batch = null;
    batchSize = 0;
  }

  /** The one that it has already, where a driver gives the same again. */
  private Object traced(ResultSet resultSet) {
    TracedResultSet known = latest;
    if (known == null || known.bare != resultSet) {
      known = new TracedResultSet(telemetry, resultSet, this);
      known.proxy(resultSet);
      latest = known;
    }
    return known.proxy();
  }

  @Override
  public Object statementOf(Statement bareStatement) {
    return proxy();
  }
}
