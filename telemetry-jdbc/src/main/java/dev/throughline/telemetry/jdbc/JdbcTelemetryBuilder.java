// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.Telemetry;
import java.time.Duration;

/** Builds a {@link JdbcTelemetry} with settings of its own. Not thread-safe. */
public final class JdbcTelemetryBuilder {

  static final Duration DEFAULT_WAIT_THRESHOLD = Duration.ofMillis(10);

  final Telemetry telemetry;
  QueryText queryText = QueryText.SANITIZED;
  Duration waitThreshold = DEFAULT_WAIT_THRESHOLD;
  boolean transactionSpans;
  boolean sqlComments;
  boolean sqlCommentsInPrepared;

  JdbcTelemetryBuilder(Telemetry telemetry) {
    this.telemetry = requireNonNull(telemetry, "telemetry");
  }

  /** Sets what is shown of a statement's text; {@link QueryText#SANITIZED} by default. */
  public JdbcTelemetryBuilder setQueryText(QueryText queryText) {
    this.queryText = requireNonNull(queryText, "queryText");
    return this;
  }

  /**
   * Sets from which duration on {@code getConnection} leaves a span, {@code connection.wait}; 10 ms
   * by default, zero for every call.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public JdbcTelemetryBuilder setWaitThreshold(Duration waitThreshold) {
    if (waitThreshold.isNegative()) {
      throw new IllegalArgumentException("waitThreshold is negative: " + waitThreshold);
    }
    this.waitThreshold = waitThreshold;
    return this;
  }

  /** Says whether {@code commit} and {@code rollback} are spans; false by default. */
  public JdbcTelemetryBuilder setTransactionSpans(boolean transactionSpans) {
    this.transactionSpans = transactionSpans;
    return this;
  }

  /**
   * Says whether the trace context goes to the database, in a comment at the end of each statement
   * that is not prepared, as {@code traceparent='00-…-01'}; false by default. A statement that has
   * a comment gets none, nor does a batch. Baggage never goes there.
   *
   * @see <a href="https://google.github.io/sqlcommenter/spec/">sqlcommenter</a>
   */
  public JdbcTelemetryBuilder setSqlComments(boolean sqlComments) {
    this.sqlComments = sqlComments;
    return this;
  }

  /**
   * Says whether prepared and callable statements get the comment too, with the context in which
   * they are prepared; false by default, since no two texts are then the same, and drivers' and
   * databases' caches of statements are of no use.
   */
  public JdbcTelemetryBuilder setSqlCommentsInPrepared(boolean sqlCommentsInPrepared) {
    this.sqlCommentsInPrepared = sqlCommentsInPrepared;
    return this;
  }

  /** Builds it. */
  public JdbcTelemetry build() {
    return new JdbcTelemetry(this);
  }
}
