// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

/**
 * How a database writes literals, names and comments: the traits that it has, and those that it has
 * perhaps, since the server's settings or version decide, or nobody knows. Of the latter, only what
 * holds both ways is shown.
 */
enum Dialect {
  POSTGRESQL("\"$*", ""),
  REDSHIFT("\"$*", "\\"),
  MYSQL("#-`", "\\$"),
  SQL_SERVER("[*", "\""),
  ORACLE("\"", ""),
  SQLITE("[`", "\""),
  H2("\"$/`", "*"),
  HSQLDB("\"/", "*"),
  CLICKHOUSE("\"\\$#`^", "*"),
  SNOWFLAKE("\"\\$/", "*"),
  BIGQUERY("\\#`^", "*"),
  /** Db2, Derby, SAP HANA, Trino: no more than the standard's. */
  STANDARD("\"", "*"),
  /** Any other. */
  UNKNOWN("", "\"\\[$#/*-`^");

  /** Whether a dialect has a trait. */
  enum Is {
    YES,
    NO,
    PERHAPS
  }

  /** In what dialects differ, with the sign of it in the lists above. */
  enum Trait {
    /** Double quotes hold a name; else a literal. */
    NAMES_IN_DOUBLE_QUOTES('"'),
    /** Backticks hold a name; else nothing. */
    NAMES_IN_BACKTICKS('`'),
    /** Brackets hold a name; else the elements of an array, or an index. */
    NAMES_IN_BRACKETS('['),
    /** A backslash in a literal takes its meaning from the next character. */
    BACKSLASH_ESCAPES('\\'),
    /** So does one in a name that is quoted. */
    BACKSLASH_ESCAPES_IN_NAMES('^'),
    /** A literal may be {@code $$…$$} or {@code $tag$…$tag$}; else a dollar is part of a name. */
    DOLLAR_QUOTES('$'),
    /** A comment may begin with {@code #}. */
    HASH_COMMENTS('#'),
    /** A comment may begin with two slashes. */
    SLASH_COMMENTS('/'),
    /** A comment may hold comments. */
    NESTED_COMMENTS('*'),
    /** Two dashes begin a comment only before white space. */
    SPACE_AFTER_DASHES('-');

    private final char sign;

    Trait(char sign) {
      this.sign = sign;
    }
  }

  private final String yes;
  private final String perhaps;

  Dialect(String yes, String perhaps) {
    this.yes = yes;
    this.perhaps = perhaps;
  }

  Is is(Trait trait) {
    return yes.indexOf(trait.sign) >= 0
        ? Is.YES
        : perhaps.indexOf(trait.sign) >= 0 ? Is.PERHAPS : Is.NO;
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
}
