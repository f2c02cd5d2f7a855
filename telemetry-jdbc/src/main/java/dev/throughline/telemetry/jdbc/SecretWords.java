// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.util.Set;

/**
 * Finds secrets that no quotes mark, by the words before them: {@code IDENTIFIED BY tiger}, {@code
 * SET app.token TO x}, {@code EXEC sp_addlogin ada, tiger}.
 */
final class SecretWords {

  /** What a word says of what follows it. */
  enum Next {
    SHOWN,
    /** This word itself is a value. */
    IS_VALUE,
    /** The rest of the statement may be a secret. */
    HIDDEN,
    /** So may the rest of the text be. */
    ALL_HIDDEN
  }

  /** The first words of statements in which {@code password} is a column, and values are quoted. */
  private static final Set<String> QUERIES =
      words(
          "SELECT INSERT UPDATE DELETE MERGE REPLACE UPSERT WITH VALUES FROM TABLE EXPLAIN TRUNCATE",
          "CALL SHOW DESCRIBE COMMENT DECLARE BEGIN IF WHILE PRINT RETURN");

  /** What is created or altered with columns, or with statements within. */
  private static final Set<String> WITH_COLUMNS =
      words("TABLE VIEW INDEX TRIGGER FUNCTION PROCEDURE PROC TYPE PACKAGE");

  private static final Set<String> BEFORE_TABLES =
      words("FROM INTO JOIN UPDATE TABLE ONLY EXISTS MERGE VIEW INDEX");

  private static final Set<String> DEFINING = words("CREATE ALTER DROP");
  private static final Set<String> ACCOUNTS = words("USER ROLE LOGIN");
  private static final Set<String> IDENTIFIED_BY = words("BY WITH USING VIA");
  private static final Set<String> IN_ARGUMENTS =
      words("NULL DEFAULT OUTPUT OUT WITH RECOMPILE USING INTO AS");

  private final Dialect dialect;
  private int words;
  private String first = "";
  private String previous = "";
  private boolean isQuery;
  private boolean sets;
  private boolean isCall;
  private int procedureEnd;

  SecretWords(Dialect dialect) {
    this.dialect = dialect;
  }

  private static Set<String> words(String... lines) {
    return Set.of(String.join(" ", lines).split(" "));
  }

  void nextStatement() {
    words = 0;
    first = "";
    previous = "";
    isQuery = false;
    sets = false;
    isCall = false;
  }

  /** Takes an equals sign: behind that of a setting, values need no quotes. */
  Next equalsSign() {
    return words == 0 || isQuery || isCall ? Next.SHOWN : Next.HIDDEN;
  }

  /** Takes the variable {@code @name}: what it is set to is a literal or an expression. */
  void variable() {
    isQuery |= words == 1 && first.equals("SET");
  }

  /** Whether a table is expected next. */
  boolean isBeforeTable() {
    return BEFORE_TABLES.contains(previous);
  }

  /**
   * Takes a word, or a name in quotes.
   *
   * @param word in upper case
   * @param from where it begins
   * @param joined whether a dot joins it to what stands before it
   */
  Next word(String word, int from, int to, boolean joined) {
    String before = previous;
    previous = word;
    if (words++ == 0) {
      first = word;
      isQuery = QUERIES.contains(word);
      isCall = dialect == Dialect.SQL_SERVER && (word.startsWith("SP_") || word.startsWith("XP_"));
      procedureEnd = to;
    } else if (isCall) {
      return argument(word, from, to, joined);
    } else if (before.equals("IDENTIFIED") && IDENTIFIED_BY.contains(word)) {
      return Next.HIDDEN;
    } else if (first.equals("INSERT") && before.equals("FORMAT") && dialect == Dialect.CLICKHOUSE) {
      return Next.ALL_HIDDEN;
    } else if (!isQuery) {
      isQuery =
          words <= 6
              && DEFINING.contains(first)
              && WITH_COLUMNS.contains(word)
              && !ACCOUNTS.contains(before);
    }
    if ((word.equals("EXEC") || word.equals("EXECUTE"))
        && (words == 1 || (dialect == Dialect.SQL_SERVER && !first.equals("GRANT")))) {
      isCall = true;
      procedureEnd = -1;
      return Next.SHOWN;
    }
    sets |= word.equals("SET");
    return !isQuery && isBeforeSecret(word) ? Next.HIDDEN : Next.SHOWN;
  }

  /** SQL Server takes a bare word as a string. */
  private Next argument(String word, int from, int to, boolean joined) {
    if (procedureEnd < 0 || (joined && from == procedureEnd + 1)) {
      procedureEnd = to;
      return Next.SHOWN;
    }
    return IN_ARGUMENTS.contains(word) ? Next.SHOWN : Next.IS_VALUE;
  }

  private boolean isBeforeSecret(String word) {
    return switch (word) {
      case "PASSPHRASE", "PASSWD", "PWD", "SECRET", "CREDENTIAL", "CREDENTIALS", "OPTIONS" -> true;
      case "USING" -> first.equals("CONNECT");
      case "TO" -> sets;
      case "KEY" -> first.equals("ATTACH") || first.equals("PRAGMA");
      default ->
          word.contains("PASSWORD")
              || word.contains("SECRET_")
              || (first.equals("PRAGMA") && word.contains("KEY"));
    };
  }
}
