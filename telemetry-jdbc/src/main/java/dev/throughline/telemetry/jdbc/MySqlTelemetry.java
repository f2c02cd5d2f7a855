// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.util.Properties;
import javax.sql.CommonDataSource;
import org.jspecify.annotations.Nullable;

/**
 * Switches off the telemetry that MySQL Connector/J has of its own from 9.0 on: it finds
 * OpenTelemetry's global instance, so that each statement would have several spans, and records the
 * URL with its password. Whoever sets {@code openTelemetry} keeps what is set.
 *
 * @see <a
 *     href="https://dev.mysql.com/doc/connector-j/en/connector-j-opentelemetry.html">Connector/J</a>
 */
final class MySqlTelemetry {

  static final String PROPERTY = "openTelemetry";
  static final String DISABLED = "DISABLED";

  /** The driver's connection; null if the service has no such driver. */
  private static final @Nullable Class<?> CONNECTION = find("com.mysql.cj.jdbc.JdbcConnection");

  private MySqlTelemetry() {}

  private static @Nullable Class<?> find(String name) {
    try {
      return Class.forName(name, false, MySqlTelemetry.class.getClassLoader());
    } catch (ClassNotFoundException | LinkageError e) {
      return null;
    }
  }

  static boolean isMySql(@Nullable String url) {
    return CONNECTION != null && url != null && url.startsWith("jdbc:mysql:");
  }

  /** The properties to open a URL with. */
  static Properties switchOff(String url, Properties info) {
    if (!isMySql(url) || url.contains(PROPERTY) || info.getProperty(PROPERTY) != null) {
      return info;
    }
    Properties properties = new Properties(info);
    properties.putAll(info);
    properties.setProperty(PROPERTY, DISABLED);
    return properties;
  }

  /** Has a driver's data source open connections without telemetry of their own. */
  static void switchOff(CommonDataSource source) throws Exception {
    Class<?> type = find("com.mysql.cj.jdbc.MysqlDataSource");
    if (type != null
        && type.isInstance(source)
        && !isSet(source)
        && !String.valueOf(type.getMethod("getUrl").invoke(source)).contains(PROPERTY)) {
      type.getMethod("setOpenTelemetry", String.class).invoke(source, DISABLED);
    }
  }

  /** Has a HikariCP pool do so that has not started yet, or has a data source of the driver's. */
  static void switchOffIn(HikariDataSource pool) throws Exception {
    if (pool.getDataSource() != null) {
      switchOff(pool.getDataSource());
    } else if (!pool.isRunning()
        && isMySql(pool.getJdbcUrl())
        && !pool.getJdbcUrl().contains(PROPERTY)) {
      pool.getDataSourceProperties().putIfAbsent(PROPERTY, DISABLED);
    }
  }

  /** Does so with a connection that is open, below a pool perhaps. */
  static void switchOff(Connection connection) throws Exception {
    if (CONNECTION == null || !isWrapper(connection, CONNECTION)) {
      return;
    }
    Object mySql = connection.unwrap(CONNECTION);
    if (!isSet(CONNECTION.getMethod("getPropertySet").invoke(mySql))) {
      Class<?> type = Class.forName("com.mysql.cj.Session");
      Object session = CONNECTION.getMethod("getSession").invoke(mySql);
      Object handler = type.getMethod("getTelemetryHandler").invoke(session);
      // Another handler is the application's own.
      if (handler != null
          && handler.getClass().getName().equals("com.mysql.cj.otel.OpenTelemetryHandler")) {
        Class<?> none = Class.forName("com.mysql.cj.telemetry.NoopTelemetryHandler");
        type.getMethod(
                "setTelemetryHandler", Class.forName("com.mysql.cj.telemetry.TelemetryHandler"))
            .invoke(session, none.getMethod("getInstance").invoke(null));
      }
    }
  }

  private static boolean isWrapper(Connection connection, Class<?> type) {
    try {
      return connection.isWrapperFor(type);
    } catch (Throwable t) {
      return false; // MySQL's would have told.
    }
  }

  /** Whether the application says itself what is to be recorded. */
  private static boolean isSet(Object properties) throws Exception {
    Object property =
        Class.forName("com.mysql.cj.conf.PropertySet")
            .getMethod("getEnumProperty", String.class)
            .invoke(properties, PROPERTY);
    return Boolean.TRUE.equals(
        Class.forName("com.mysql.cj.conf.RuntimeProperty")
            .getMethod("isExplicitlySet")
            .invoke(property));
  }
}
