// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.sql.CommonDataSource;
import javax.sql.ConnectionPoolDataSource;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import org.jspecify.annotations.Nullable;

/**
 * Databases in the trace: a wrapped {@code DataSource}, or a wrapped URL, whose statements are
 * spans.
 *
 * <pre>{@code
 * DataSource database = JdbcTelemetry.create(telemetry).wrap(pool);
 * }</pre>
 *
 * <p>Thread-safe. What it records stands in {@code docs/recorded-data.md}.
 */
public final class JdbcTelemetry {

  static final String SCOPE = "dev.throughline.telemetry.jdbc";

  /** The advised boundaries of database durations, in seconds. */
  static final List<Double> SECONDS = List.of(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1d, 5d, 10d);

  final RequestInstrumenter<Query, Throwable> calls;
  final RequestInstrumenter<WaitConvention.Wait, Throwable> waits;
  final Queries queries;
  final Databases databases;
  final SqlComment comment;
  final Guard guard;
  final long waitThresholdNanos;
  final boolean transactionSpans;
  private final Telemetry telemetry;

  JdbcTelemetry(JdbcTelemetryBuilder builder) {
    telemetry = builder.telemetry;
    guard = telemetry.guard(SCOPE);
    calls =
        telemetry
            .instrumenter(SCOPE, new QueryConvention())
            .setDurationHistogram(
                JdbcKeys.OPERATION_DURATION, "Duration of database client operations.", SECONDS)
            .build();
    waits = telemetry.instrumenter(SCOPE, new WaitConvention()).build();
    databases = new Databases(guard);
    queries = new Queries(builder.queryText, SqlAnalyzer::analyze, guard);
    comment = new SqlComment(builder.sqlComments, builder.sqlCommentsInPrepared, guard);
    waitThresholdNanos = TimeUnit.NANOSECONDS.convert(builder.waitThreshold);
    transactionSpans = builder.transactionSpans;
  }

  /** JDBC telemetry with all defaults. */
  public static JdbcTelemetry create(Telemetry telemetry) {
    return builder(telemetry).build();
  }

  /** A builder where a default does not fit. */
  public static JdbcTelemetryBuilder builder(Telemetry telemetry) {
    return new JdbcTelemetryBuilder(telemetry);
  }

  /**
   * A data source whose statements are spans, and in all else the given one: each object that it
   * gives implements the interfaces of the driver's, and unwraps to it. The metrics of a HikariCP
   * pool are recorded too.
   *
   * @return the argument itself with telemetry off, and where it is wrapped already
   * @throws NullPointerException if {@code dataSource} is null
   */
  public DataSource wrap(DataSource dataSource) {
    return wrapSource(dataSource);
  }

  /**
   * The same for a source of a transaction manager's connections, which need not be a {@code
   * DataSource}.
   *
   * @return the argument itself with telemetry off, and where it is wrapped already
   * @throws NullPointerException if {@code dataSource} is null
   */
  public XADataSource wrapXa(XADataSource dataSource) {
    return wrapSource(dataSource);
  }

  /**
   * The same for a source of connections for a pool, which need not be a {@code DataSource}.
   *
   * @return the argument itself with telemetry off, and where it is wrapped already
   * @throws NullPointerException if {@code dataSource} is null
   */
  public ConnectionPoolDataSource wrapPooled(ConnectionPoolDataSource dataSource) {
    return wrapSource(dataSource);
  }

  private <T extends CommonDataSource> T wrapSource(T source) {
    requireNonNull(source, "dataSource");
    if (!calls.isActive() || Traced.of(source) != null) {
      return source;
    }
    try {
      MySqlTelemetry.switchOff(source);
    } catch (Throwable t) {
      guard.caught("MysqlDataSource.setOpenTelemetry", t);
    }
    return new TracedSource(this, source, hikariMetrics(source)).proxy(source);
  }

  private @Nullable HikariMetrics hikariMetrics(CommonDataSource source) {
    try {
      return HikariMetrics.of(source, telemetry.openTelemetry(), guard);
    } catch (NoClassDefFoundError e) {
      // The service has no HikariCP.
    } catch (Throwable t) {
      guard.caught("HikariMetrics.of", t);
    }
    return null;
  }

  /**
   * A URL for code that takes only a URL: a connection that {@code DriverManager} opens for it is
   * one to the given URL, whose statements are spans. Where a library wants a driver's class too,
   * name {@link JdbcTelemetryDriver}.
   *
   * @param url e.g. {@code jdbc:postgresql://db/fleet}
   * @return e.g. {@code jdbc:throughline:1:postgresql://db/fleet}, good in this process alone; the
   *     argument itself with telemetry off
   * @throws IllegalArgumentException if it does not begin with {@code jdbc:}
   */
  public String wrapUrl(String url) {
    if (!url.startsWith(JdbcTelemetryDriver.JDBC)) {
      throw new IllegalArgumentException("not a JDBC URL, which begins with jdbc:");
    }
    return calls.isActive() ? JdbcTelemetryDriver.wrap(url, this) : url;
  }
}
