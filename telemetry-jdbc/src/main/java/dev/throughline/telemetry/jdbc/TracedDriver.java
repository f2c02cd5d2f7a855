// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Opens wrapped URLs with the driver of the URL within. A number in them says which telemetry they
 * belong to.
 */
final class TracedDriver implements Driver {

  static final String JDBC = "jdbc:";

  private static final String WRAPPED = "jdbc:throughline:";
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final JdbcTelemetry telemetry;
  private @Nullable String prefix;

  TracedDriver(JdbcTelemetry telemetry) {
    this.telemetry = telemetry;
  }

  /** Registers itself with the first URL: the driver manager keeps it for good. */
  synchronized String wrap(String url) {
    if (url.startsWith(WRAPPED)) {
      return url;
    }
    if (prefix == null) {
      try {
        DriverManager.registerDriver(this);
      } catch (SQLException e) {
        throw new IllegalStateException("the driver manager takes no drivers", e);
      }
      prefix = WRAPPED + NUMBERS.incrementAndGet() + ":";
    }
    return prefix + url.substring(JDBC.length());
  }

  private synchronized @Nullable String unwrap(String url) {
    return prefix != null && url.startsWith(prefix) ? JDBC + url.substring(prefix.length()) : null;
  }

  @Override
  public @Nullable Connection connect(String url, Properties info) throws SQLException {
    String unwrapped = unwrap(url);
    if (unwrapped == null) {
      return null;
    }
    return new TracedSource(telemetry, this, () -> null)
        .connect(() -> DriverManager.getConnection(unwrapped, info));
  }

  @Override
  public boolean acceptsURL(String url) {
    return unwrap(url) != null;
  }

  @Override
  public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) throws SQLException {
    String unwrapped = unwrap(url);
    return unwrapped == null
        ? new DriverPropertyInfo[0]
        : DriverManager.getDriver(unwrapped).getPropertyInfo(unwrapped, info);
  }

  @Override
  public int getMajorVersion() {
    return 1;
  }

  @Override
  public int getMinorVersion() {
    return 0;
  }

  @Override
  public boolean jdbcCompliant() {
    return false;
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException("logs through SLF4J");
  }
}
