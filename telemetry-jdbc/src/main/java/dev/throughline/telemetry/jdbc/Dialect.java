// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.util.EnumSet;
import java.util.Set;

/**
 * How a database writes literals, names and comments: the traits that it has, and those that it has
 * perhaps, since the server's settings or version decide, or nobody knows. Of the latter, only what
 * holds both ways is shown.
 */
@SuppressWarnings("ImmutableEnumChecker") // nobody changes the sets
enum Dialect {
  POSTGRESQL(
      EnumSet.of(Trait.NAMES_IN_DOUBLE_QUOTES, Trait.DOLLAR_QUOTES, Trait.NESTED_COMMENTS),
      EnumSet.noneOf(Trait.class)),
  REDSHIFT(
      EnumSet.of(Trait.NAMES_IN_DOUBLE_QUOTES, Trait.DOLLAR_QUOTES, Trait.NESTED_COMMENTS),
      EnumSet.of(Trait.BACKSLASH_ESCAPES)),
  MYSQL(
      EnumSet.of(Trait.HASH_COMMENTS, Trait.SPACE_AFTER_DASHES, Trait.NAMES_IN_BACKTICKS),
      EnumSet.of(Trait.BACKSLASH_ESCAPES, Trait.DOLLAR_QUOTES)),
  SQL_SERVER(
      EnumSet.of(Trait.NAMES_IN_BRACKETS, Trait.NESTED_COMMENTS),
      EnumSet.of(Trait.NAMES_IN_DOUBLE_QUOTES)),
  ORACLE(EnumSet.of(Trait.NAMES_IN_DOUBLE_QUOTES), EnumSet.noneOf(Trait.class)),
  SQLITE(
      EnumSet.of(Trait.NAMES_IN_BRACKETS, Trait.NAMES_IN_BACKTICKS),
      EnumSet.of(Trait.NAMES_IN_DOUBLE_QUOTES)),
  H2(
      EnumSet.of(
          Trait.NAMES_IN_DOUBLE_QUOTES,
          Trait.DOLLAR_QUOTES,
          Trait.SLASH_COMMENTS,
          Trait.NAMES_IN_BACKTICKS),
      EnumSet.of(Trait.NESTED_COMMENTS)),
  HSQLDB(
      EnumSet.of(Trait.NAMES_IN_DOUBLE_QUOTES, Trait.SLASH_COMMENTS),
      EnumSet.of(Trait.NESTED_COMMENTS)),
  CLICKHOUSE(
      EnumSet.of(
          Trait.NAMES_IN_DOUBLE_QUOTES,
          Trait.BACKSLASH_ESCAPES,
          Trait.DOLLAR_QUOTES,
          Trait.HASH_COMMENTS,
          Trait.NAMES_IN_BACKTICKS,
          Trait.BACKSLASH_ESCAPES_IN_NAMES),
      EnumSet.of(Trait.NESTED_COMMENTS)),
  SNOWFLAKE(
      EnumSet.of(
          Trait.NAMES_IN_DOUBLE_QUOTES,
          Trait.BACKSLASH_ESCAPES,
          Trait.DOLLAR_QUOTES,
          Trait.SLASH_COMMENTS),
      EnumSet.of(Trait.NESTED_COMMENTS)),
  BIGQUERY(
      EnumSet.of(
          Trait.BACKSLASH_ESCAPES,
          Trait.HASH_COMMENTS,
          Trait.NAMES_IN_BACKTICKS,
          Trait.BACKSLASH_ESCAPES_IN_NAMES),
      EnumSet.of(Trait.NESTED_COMMENTS)),
  /** Db2, Derby, SAP HANA, Trino: no more than the standard's. */
  STANDARD(EnumSet.of(Trait.NAMES_IN_DOUBLE_QUOTES), EnumSet.of(Trait.NESTED_COMMENTS)),
  /** Any other. */
  UNKNOWN(EnumSet.noneOf(Trait.class), EnumSet.allOf(Trait.class));

  /** Whether a dialect has a trait. */
  enum Is {
    YES,
    NO,
    PERHAPS
  }

  /** A trait in which dialects differ. */
  enum Trait {
    /** Double quotes hold a name; else a literal. */
    NAMES_IN_DOUBLE_QUOTES,
    /** Backticks hold a name; else nothing. */
    NAMES_IN_BACKTICKS,
    /** Brackets hold a name; else the elements of an array, or an index. */
    NAMES_IN_BRACKETS,
    /** A backslash in a literal takes its meaning from the next character. */
    BACKSLASH_ESCAPES,
    /** So does one in a name that is quoted. */
    BACKSLASH_ESCAPES_IN_NAMES,
    /** A literal may be {@code $$…$$} or {@code $tag$…$tag$}; else a dollar is part of a name. */
    DOLLAR_QUOTES,
    /** A comment may begin with {@code #}. */
    HASH_COMMENTS,
    /** A comment may begin with two slashes. */
    SLASH_COMMENTS,
    /** A comment may hold comments. */
    NESTED_COMMENTS,
    /** Two dashes begin a comment only before white space. */
    SPACE_AFTER_DASHES
  }

  private final Set<Trait> traits;
  private final Set<Trait> perhaps;

  Dialect(Set<Trait> traits, Set<Trait> perhaps) {
    this.traits = traits;
    this.perhaps = perhaps;
  }

  Is is(Trait trait) {
    if (traits.contains(trait)) {
      return Is.YES;
    }
    return perhaps.contains(trait) ? Is.PERHAPS : Is.NO;
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
