// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Records statements by the stable conventions. What a statement threw is the response, not the
 * error of the request: that would be recorded with its message, and databases put values into
 * messages.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/db/sql/">SQL client spans</a>
 */
final class QueryConvention implements RequestConvention<Query, Throwable> {

  @Override
  public SpanKind kind() {
    return SpanKind.CLIENT;
  }

  @Override
  public String spanName(Query query) {
    return query.name;
  }

  @Override
  public void onStart(AttributeSink attributes, Query query) {
    Database database = query.database;
    attributes.set(JdbcKeys.DB_SYSTEM_NAME, database.system());
    attributes.set(JdbcKeys.DB_NAMESPACE, database.namespace());
    attributes.set(JdbcKeys.SERVER_ADDRESS, database.address());
    attributes.set(JdbcKeys.SERVER_PORT, database.port());
    attributes.set(JdbcKeys.DB_QUERY_SUMMARY, query.shown.summary());
    attributes.set(JdbcKeys.DB_QUERY_TEXT, query.shown.text());
    attributes.set(JdbcKeys.DB_OPERATION_NAME, query.shown.operation());
    attributes.set(JdbcKeys.DB_COLLECTION_NAME, query.shown.collection());
    attributes.set(JdbcKeys.DB_STORED_PROCEDURE_NAME, query.shown.procedure());
    attributes.set(JdbcKeys.DB_OPERATION_BATCH_SIZE, query.batchSize);
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      Query query,
      @Nullable Throwable thrown,
      @Nullable Throwable error) {
    if (thrown != null) {
      attributes.set(JdbcKeys.DB_RESPONSE_STATUS_CODE, statusCode(thrown));
    }
  }

  @Override
  public @Nullable String errorType(
      Query query, @Nullable Throwable thrown, @Nullable Throwable error) {
    if (thrown == null) {
      return null;
    }
    String statusCode = statusCode(thrown);
    return statusCode == null ? thrown.getClass().getName() : statusCode;
  }

  @Override
  public Attributes durationAttributes(
      Query query, @Nullable Throwable thrown, @Nullable Throwable error) {
    String errorType = errorType(query, thrown, error);
    if (thrown == null || errorType == null) {
      return query.point;
    }
    String statusCode = statusCode(thrown);
    AttributesBuilder failed = query.point.toBuilder().put(JdbcKeys.ERROR_TYPE, errorType);
    return statusCode == null
        ? failed.build()
        : failed.put(JdbcKeys.DB_RESPONSE_STATUS_CODE, statusCode).build();
  }

  /** The SQLState, or the vendor's code where the driver gives no state. */
  private static @Nullable String statusCode(Throwable thrown) {
    if (!(thrown instanceof SQLException sql)) {
      return null;
    }
    String state = sql.getSQLState();
    if (state != null && !state.isEmpty()) {
      return state;
    }
    return sql.getErrorCode() == 0 ? null : Integer.toString(sql.getErrorCode());
  }
}
