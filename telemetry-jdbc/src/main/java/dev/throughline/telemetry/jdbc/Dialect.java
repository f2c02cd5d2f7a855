// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static dev.throughline.telemetry.jdbc.Dialect.Is.NO;
import static dev.throughline.telemetry.jdbc.Dialect.Is.PERHAPS;
import static dev.throughline.telemetry.jdbc.Dialect.Is.YES;

/**
 * How a database writes literals, names and comments, as far as databases differ. {@code PERHAPS}
 * is what depends on the server's settings or version, or is not known: there, only what holds both
 * ways is shown.
 */
enum Dialect {
  // "name" \escape [name]  $$     #      //   nested   --x
  POSTGRESQL(YES, NO, NO, YES, NO, NO, YES, NO),
  REDSHIFT(YES, PERHAPS, NO, YES, NO, NO, YES, NO),
  MYSQL(NO, PERHAPS, NO, PERHAPS, YES, NO, NO, YES),
  SQL_SERVER(PERHAPS, NO, YES, NO, NO, NO, YES, NO),
  ORACLE(YES, NO, NO, NO, NO, NO, NO, NO),
  SQLITE(PERHAPS, NO, YES, NO, NO, NO, NO, NO),
  H2(YES, NO, NO, YES, NO, YES, PERHAPS, NO),
  HSQLDB(YES, NO, NO, NO, NO, YES, PERHAPS, NO),
  CLICKHOUSE(YES, YES, NO, YES, YES, NO, PERHAPS, NO),
  SNOWFLAKE(YES, YES, NO, YES, NO, YES, PERHAPS, NO),
  BIGQUERY(NO, YES, NO, NO, YES, NO, PERHAPS, NO),
  /** Db2, Derby, SAP HANA, Trino: no more than the standard's. */
  STANDARD(YES, NO, NO, NO, NO, NO, PERHAPS, NO),
  /** Any other. */
  UNKNOWN(PERHAPS, PERHAPS, PERHAPS, PERHAPS, PERHAPS, PERHAPS, PERHAPS, PERHAPS);

  enum Is {
    YES,
    NO,
    PERHAPS
  }

  /** Double quotes hold a name; else a literal. */
  final Is doubleQuotesName;

  /** A backslash in a literal takes its meaning from the next character. */
  final Is backslashEscapes;

  /** Brackets hold a name; else the elements of an array, or an index. */
  final Is bracketsName;

  /** A literal may be {@code $$…$$} or {@code $tag$…$tag$}; else a dollar is part of a name. */
  final Is dollarQuotes;

  /** A comment may begin with {@code #}. */
  final Is hashComments;

  /** A comment may begin with two slashes. */
  final Is slashComments;

  /** A comment may hold comments. */
  final Is commentsNest;

  /** Two dashes begin a comment only before white space. */
  final Is dashesNeedSpace;

  Dialect(
      Is doubleQuotesName,
      Is backslashEscapes,
      Is bracketsName,
      Is dollarQuotes,
      Is hashComments,
      Is slashComments,
      Is commentsNest,
      Is dashesNeedSpace) {
    this.doubleQuotesName = doubleQuotesName;
    this.backslashEscapes = backslashEscapes;
    this.bracketsName = bracketsName;
    this.dollarQuotes = dollarQuotes;
    this.hashComments = hashComments;
    this.slashComments = slashComments;
    this.commentsNest = commentsNest;
    this.dashesNeedSpace = dashesNeedSpace;
  }

  /**
   * The dialect of a database.
   *
   * @param system {@code db.system.name}
   */
  static Dialect of(String system) {
    return switch (system) {
      case "postgresql", "cockroachdb" -> POSTGRESQL;
      case "aws.redshift" -> REDSHIFT;
      case "mysql", "mariadb" -> MYSQL;
      case "microsoft.sql_server" -> SQL_SERVER;
      case "oracle.db" -> ORACLE;
      case "sqlite" -> SQLITE;
      case "h2database" -> H2;
      case "hsqldb" -> HSQLDB;
      case "clickhouse" -> CLICKHOUSE;
      case "snowflake" -> SNOWFLAKE;
      case "gcp.bigquery", "gcp.spanner" -> BIGQUERY;
      case "ibm.db2", "derby", "sap.hana", "trino" -> STANDARD;
      default -> UNKNOWN;
    };
  }

  /** Whether a backslash in a quoted name takes its meaning from the next character. */
  Is backslashEscapesInNames() {
    return switch (this) {
      case CLICKHOUSE, BIGQUERY -> YES;
      case UNKNOWN -> PERHAPS;
      default -> NO;
    };
  }
}
