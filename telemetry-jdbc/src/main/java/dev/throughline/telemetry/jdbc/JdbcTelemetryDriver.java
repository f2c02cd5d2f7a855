// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The driver of wrapped URLs, to be named where a library wants a driver's class, such as Flyway,
 * Liquibase or a pool. It opens what {@link JdbcTelemetry#wrapUrl} was given, in the wrapped form
 * or as it was before, with spans, and any other URL with the driver of that URL, without.
 *
 * <pre>{@code
 * jdbc.wrapUrl(url);
 * Flyway.configure().driver(JdbcTelemetryDriver.class.getName()).dataSource(url, user, password);
 * }</pre>
 */
public final class JdbcTelemetryDriver implements Driver {

  static final String JDBC = "jdbc:";

  private static final String WRAPPED = "jdbc:throughline:";

  /** More URLs than this, such as one for each tenant, are opened without spans if plain. */
  private static final int LIMIT = 1_000;

  private static final Map<String, JdbcTelemetry> BY_PREFIX = new ConcurrentHashMap<>();
  private static final Map<String, JdbcTelemetry> BY_PLAIN_URL = new ConcurrentHashMap<>();
  private static boolean isRegistered;

  private final boolean opensPlainUrls;

  /** A driver; libraries make it by the name of its class. */
  public JdbcTelemetryDriver() {
    this(true);
  }

  /** The driver manager's own opens no plain URL, which is for the driver of that URL. */
  private JdbcTelemetryDriver(boolean opensPlainUrls) {
    this.opensPlainUrls = opensPlainUrls;
  }

  /** A connection to be opened, with spans unless the telemetry is null. */
  private record Target(String url, @Nullable JdbcTelemetry telemetry) {}

  /** Wraps a URL; the driver manager keeps this driver for good, from the first URL on. */
  static synchronized String wrap(String url, JdbcTelemetry telemetry) {
    if (url.startsWith(WRAPPED)) {
      return url;
    }
    if (!isRegistered) {
      try {
        DriverManager.registerDriver(new JdbcTelemetryDriver(false));
      } catch (SQLException e) {
        throw new IllegalStateException("the driver manager takes no drivers", e);
      }
      isRegistered = true;
    }
    String prefix = null;
    for (Map.Entry<String, JdbcTelemetry> each : BY_PREFIX.entrySet()) {
      prefix = each.getValue() == telemetry ? each.getKey() : prefix;
    }
    if (prefix == null) {
      prefix = WRAPPED + (BY_PREFIX.size() + 1) + ":";
      BY_PREFIX.put(prefix, telemetry);
    }
    if (BY_PLAIN_URL.size() < LIMIT) {
      BY_PLAIN_URL.put(url, telemetry);
    }
    return prefix + url.substring(JDBC.length());
  }

  private @Nullable Target target(String url) {
    int end = url.startsWith(WRAPPED) ? url.indexOf(':', WRAPPED.length()) + 1 : 0;
    JdbcTelemetry telemetry = end == 0 ? null : BY_PREFIX.get(url.substring(0, end));
    if (telemetry != null) {
      return new Target(JDBC + url.substring(end), telemetry);
    }
    return opensPlainUrls ? new Target(url, BY_PLAIN_URL.get(url)) : null;
  }

  @Override
  public @Nullable Connection connect(String url, Properties info) throws SQLException {
    Target target = target(url);
    if (target == null) {
      return null;
    }
    if (target.telemetry == null) {
      return DriverManager.getConnection(target.url, info);
    }
    Properties properties = MySqlTelemetry.switchOff(target.url, info);
    return new TracedSource(target.telemetry, this, null)
        .connect(() -> DriverManager.getConnection(target.url, properties));
  }

  @Override
  public boolean acceptsURL(String url) {
    return target(url) != null;
  }

  @Override
  public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) throws SQLException {
    Target target = target(url);
    return target == null
        ? new DriverPropertyInfo[0]
        : DriverManager.getDriver(target.url).getPropertyInfo(target.url, info);
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
