// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.ConnectionBuilder;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.ShardingKeyBuilder;
import java.sql.Wrapper;
import java.util.Set;
import java.util.logging.Logger;
import javax.sql.CommonDataSource;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Wraps a data source that is no more than a {@code DataSource}, as routing ones often are. Written
 * out, since they may throw checked exceptions that no method declares, as Kotlin's do: a proxy
 * would wrap these.
 */
final class TracedDataSource implements DataSource {

  /** All interfaces that this has, or needs not. */
  static final Set<Class<?>> HAS = Set.of(DataSource.class, CommonDataSource.class, Wrapper.class);

  final TracedSource source;
  private final DataSource bare;

  TracedDataSource(DataSource bare, TracedSource source) {
    this.bare = bare;
    this.source = source;
  }

  @Override
  public @Nullable Connection getConnection() throws SQLException {
    return source.<SQLException>connect(bare::getConnection);
  }

  @Override
  public @Nullable Connection getConnection(String user, String password) throws SQLException {
    return source.<SQLException>connect(() -> bare.getConnection(user, password));
  }

  @Override
  public ConnectionBuilder createConnectionBuilder() throws SQLException {
    return source.wrapped(bare.createConnectionBuilder());
  }

  @Override
  public ShardingKeyBuilder createShardingKeyBuilder() throws SQLException {
    return bare.createShardingKeyBuilder();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    T found = bare.unwrap(type);
    return found == bare && HAS.contains(type) ? type.cast(this) : found;
  }

  @Override
  public boolean isWrapperFor(Class<?> type) throws SQLException {
    return type == Traced.Mark.class || bare.isWrapperFor(type);
  }

  @Override
  public @Nullable PrintWriter getLogWriter() throws SQLException {
    return bare.getLogWriter();
  }

  @Override
  public void setLogWriter(PrintWriter out) throws SQLException {
    bare.setLogWriter(out);
  }

  @Override
  public int getLoginTimeout() throws SQLException {
    return bare.getLoginTimeout();
  }

  @Override
  public void setLoginTimeout(int seconds) throws SQLException {
    bare.setLoginTimeout(seconds);
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    return bare.getParentLogger();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof TracedDataSource wrapped && wrapped.bare.equals(bare);
  }

  @Override
  public int hashCode() {
    return bare.hashCode();
  }

  @Override
  public String toString() {
    return bare.toString();
  }
}
