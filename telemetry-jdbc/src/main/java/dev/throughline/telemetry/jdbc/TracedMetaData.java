// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** Wraps the metadata of a connection, whose result sets name wrapped statements. */
final class TracedMetaData extends Traced implements TracedResultSet.Owner {

  private final TracedConnection connection;

  TracedMetaData(JdbcTelemetry telemetry, DatabaseMetaData metaData, TracedConnection connection) {
    super(telemetry, metaData);
    this.connection = connection;
  }

  @Override
  @Nullable Object handle(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    Object result = call(method, arguments);
    if (result instanceof ResultSet resultSet) {
      return fitting(method, new TracedResultSet(resultSet, this), result);
    }
    return result instanceof Connection ? fitting(method, connection.proxy(), result) : result;
  }

  @Override
  public Statement statementOf(Statement bareStatement) {
    return connection.traced(bareStatement, false, null);
  }
}
