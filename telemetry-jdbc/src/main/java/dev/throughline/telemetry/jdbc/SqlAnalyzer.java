// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.LongValues;
import io.opentelemetry.instrumentation.api.incubator.semconv.db.SqlDialect;
import io.opentelemetry.instrumentation.api.incubator.semconv.db.SqlQuery;
import io.opentelemetry.instrumentation.api.incubator.semconv.db.SqlQueryAnalyzer;
import org.jspecify.annotations.Nullable;

/**
 * OpenTelemetry's SQL analyzer, which is no stable API: this class alone uses it. Where its version
 * does not fit, this class fails to load, and is caught like what the analyzer throws.
 */
final class SqlAnalyzer {

  private static final SqlQueryAnalyzer ANALYZER = SqlQueryAnalyzer.create(true);

  private SqlAnalyzer() {}

  /**
   * A statement as it may be shown.
   *
   * @param text the statement, with {@code ?} for each literal
   */
  record Analyzed(
      @Nullable String text,
      @Nullable String summary,
      @Nullable String operation,
      @Nullable String collection,
      @Nullable String procedure) {

    static final Analyzed NOTHING = new Analyzed(null, null, null, null, null);

    /** All but the text stand on metrics, and a text may name tables that no database has. */
    Analyzed {
      summary = cut(summary);
      operation = cut(operation);
      collection = cut(collection);
      procedure = cut(procedure);
    }

    private static @Nullable String cut(@Nullable String name) {
      return name == null ? null : LongValues.cut(name, LongValues.LONGEST_ON_METRIC);
    }
  }

  /**
   * Names a statement's operation and tables, and hides its literals.
   *
   * @param sql a statement in which nothing is in doubt, from {@link SqlText}
   */
  @SuppressWarnings("deprecation") // to become package-private in 3.0; there is no other way
  static Analyzed analyze(String sql, Database database) {
    SqlQuery found =
        ANALYZER.analyzeWithSummary(
            sql,
            Dialect.of(database.system()).is(Dialect.Trait.NAMES_IN_DOUBLE_QUOTES) == Dialect.Is.YES
                ? SqlDialect.DOUBLE_QUOTES_ARE_IDENTIFIERS
                : SqlDialect.DOUBLE_QUOTES_ARE_STRING_LITERALS);
    return new Analyzed(
        found.getQueryText(),
        found.getQuerySummary(),
        found.getOperationName(),
        found.getCollectionName(),
        found.getStoredProcedureName());
  }
}
