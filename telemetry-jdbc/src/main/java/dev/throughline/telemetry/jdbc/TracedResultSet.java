// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.lang.reflect.Method;
import java.sql.ResultSet;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** Wraps a result set, which names the wrapped statement as its own; all else is the driver's. */
final class TracedResultSet extends Traced {

  /** What a result set came from. */
  interface Owner {

    /** The statement as the application is to see it. */
    Object statementOf(Statement bareStatement);
  }

  private final Owner owner;

  TracedResultSet(JdbcTelemetry telemetry, ResultSet resultSet, Owner owner) {
    super(telemetry, resultSet);
    this.owner = owner;
  }

  @Override
  @Nullable Object handle(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    Object result = call(method, arguments);
    return result instanceof Statement statement && method.getName().equals("getStatement")
        ? fitting(method, owner.statementOf(statement), result)
        : result;
  }
}
