// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import org.jspecify.annotations.Nullable;

/**
 * Records waits for a connection, for which there is no convention of OpenTelemetry's. They have no
 * attributes of database calls, so that nobody counts them as such.
 */
final class WaitConvention implements RequestConvention<WaitConvention.Wait, Throwable> {

  /**
   * A {@code getConnection} that took long.
   *
   * @param database where the source's last connection leads; null before the first
   * @param pool null if the source is no HikariCP pool
   */
  record Wait(@Nullable Database database, @Nullable HikariMetrics pool) {}

  @Override
  public SpanKind kind() {
    return SpanKind.INTERNAL;
  }

  @Override
  public String spanName(Wait wait) {
    return "connection.wait";
  }

  @Override
  public void onStart(AttributeSink attributes, Wait wait) {
    Database database = wait.database();
    String pool = wait.pool() == null ? null : wait.pool().poolName();
    if (database != null) {
      attributes.set(JdbcKeys.SERVER_ADDRESS, database.address());
      attributes.set(JdbcKeys.SERVER_PORT, database.port());
      pool = pool == null ? database.target() : pool;
    }
    attributes.set(JdbcKeys.CONNECTION_POOL, pool);
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      Wait wait,
      @Nullable Throwable response,
      @Nullable Throwable error) {}

  @Override
  public @Nullable String errorType(
      Wait wait, @Nullable Throwable response, @Nullable Throwable error) {
    return error == null ? null : error.getClass().getName();
  }

  @Override
  public Attributes durationAttributes(
      Wait wait, @Nullable Throwable response, @Nullable Throwable error) {
    return Attributes.empty();
  }
}
