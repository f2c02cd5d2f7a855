// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

/**
 * The driver to name where a library wants the class of one, such as Flyway, Liquibase or a pool.
 * It opens what {@link JdbcTelemetry#wrapUrl} was given, in the wrapped form or as it was before,
 * with spans, and any other URL with the driver of that URL, without.
 *
 * <pre>{@code
 * jdbc.wrapUrl(url);
 * Flyway.configure().driver(JdbcTelemetryDriver.class.getName()).dataSource(url, user, password);
 * }</pre>
 */
public final class JdbcTelemetryDriver extends TracedDriver {

  /** A driver; libraries make it by the name of its class. */
  public JdbcTelemetryDriver() {}

  @Override
  boolean opensPlainUrls() {
    return true;
  }
}
