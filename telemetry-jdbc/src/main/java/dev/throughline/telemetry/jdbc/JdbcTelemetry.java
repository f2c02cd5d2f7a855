// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;

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
  private final TracedDriver driver = new TracedDriver(this);

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
   * gives implements the public interfaces of the driver's, and unwraps to it. Where this is a
   * HikariCP pool that has no metrics tracker, the pool's metrics are recorded too.
   *
   * @return the argument itself with telemetry off, and where it is wrapped already
   * @throws NullPointerException if {@code dataSource} is null
   */
  public DataSource wrap(DataSource dataSource) {
    requireNonNull(dataSource, "dataSource");
    if (!calls.isActive() || Traced.of(dataSource) != null) {
      return dataSource;
    }
    return new TracedSource(
            this, dataSource, HikariMetrics.attach(dataSource, telemetry.openTelemetry(), guard))
        .proxy(dataSource);
  }

  /**
   * A URL for code that takes only a URL: a connection that {@code DriverManager} opens for it is
   * one to the given URL, whose statements are spans.
   *
   * @param url e.g. {@code jdbc:postgresql://db/fleet}
   * @return e.g. {@code jdbc:throughline:1:postgresql://db/fleet}, good in this process alone; the
   *     argument itself with telemetry off
   * @throws IllegalArgumentException if it does not begin with {@code jdbc:}
   */
  public String wrapUrl(String url) {
    if (!url.startsWith(TracedDriver.JDBC)) {
      throw new IllegalArgumentException("not a JDBC URL, which begins with jdbc:");
    }
    return calls.isActive() ? driver.wrap(url) : url;
  }
}
