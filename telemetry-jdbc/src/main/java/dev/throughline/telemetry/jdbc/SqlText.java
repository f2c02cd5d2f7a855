// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.lang.Character.isDigit;

import org.jspecify.annotations.Nullable;

/**
 * SQL made fit for the analyzer, which knows the common quotes alone: comments are left out but for
 * a title, and what it would take for something else than the literal that it is, is made one that
 * it knows. From where nobody can tell whether something is a literal, the rest is one.
 */
final class SqlText {

  /** What is looked at, and what is shown, of a statement. */
  static final int LIMIT = 16 * 1024;

  private static final String LITERAL = "''";

  private final String sql;
  private final Database database;
  private final int length;
  private int brackets;
  private int copied;
  private @Nullable StringBuilder safe;

  private SqlText(String sql, Database database) {
    this.sql = limited(sql);
    this.database = database;
    length = this.sql.length();
  }

  /** The same text where nothing in it is in doubt. */
  static String safe(String sql, Database database) {
    return new SqlText(sql, database).scan(sql.length() > LIMIT);
  }

  static String limited(String sql) {
    return sql.length() <= LIMIT ? sql : sql.substring(0, LIMIT);
  }

  private String scan(boolean goesOn) {
    int i = 0;
    while (i < length) {
      int end = end(i);
      if (end < 0) {
        return cut(i);
      }
      i = end;
    }
    if (goesOn) {
      return cut(length);
    }
    return safe == null ? sql : safe.append(sql, copied, length).toString();
  }

  /**
   * Passes the token at an index.
   *
   * @return where it ends; negative where that can't be told
   */
  private int end(int i) {
    char c = sql.charAt(i);
    return switch (c) {
      case '\'' -> literal(i);
      case '"', '`' -> quoted(i, c);
      case '[' -> bracket(i);
      case ']' -> {
        brackets = Math.max(0, brackets - 1);
        yield i + 1;
      }
      case '-' -> at(i + 1) == '-' ? comment(i, lineEnd(i)) : i + 1;
      case '#' -> isMySql() ? comment(i, lineEnd(i)) : i + 1;
      case '/' -> at(i + 1) == '*' ? comment(i, blockEnd(i)) : i + 1;
      case '$' -> dollar(i);
      default -> Character.isLetterOrDigit(c) || c == '_' ? word(i) : i + 1;
    };
  }

  private char at(int i) {
    return i >= 0 && i < length ? sql.charAt(i) : 0;
  }

  private boolean isMySql() {
    return database.system().equals("mysql") || database.system().equals("mariadb");
  }

  private int literal(int i) {
    int end = closing(i, '\'', database.backslashIsPlain() && !follows(i, 'e'));
    if (end < 0) {
      return end;
    }
    return brackets > 0 ? replace(i, end, "?") : end;
  }

  private int quoted(int i, char quote) {
    boolean name = quote == '`' || database.quotesNames();
    int end = closing(i, quote, name || database.backslashIsPlain());
    return end > 0 && brackets > 0 && !name ? replace(i, end, "?") : end;
  }

  /**
   * Where a literal ends: behind the next quote that is not doubled. One behind a backslash ends it
   * or does not, as the server is set.
   */
  private int closing(int i, char quote, boolean backslashIsPlain) {
    int at = i + 1;
    while (at < length) {
      at = sql.indexOf(quote, at);
      if (at < 0) {
        return -1;
      }
      if (!backslashIsPlain && backslashesBefore(at) % 2 == 1) {
        return -1;
      }
      if (at(at + 1) != quote) {
        return at + 1;
      }
      at += 2;
    }
    return -1;
  }

  private int backslashesBefore(int end) {
    int i = end;
    while (at(i - 1) == '\\') {
      i--;
    }
    return end - i;
  }

  /** Whether the letter stands alone before an index, as in {@code E'it\'s'}. */
  private boolean follows(int i, char letter) {
    return Character.toLowerCase(at(i - 1)) == letter && !isNamePart(at(i - 2));
  }

  private static boolean isNamePart(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '$';
  }

  /** A name of SQL Server's and SQLite's, or elements of an array, which are literals. */
  private int bracket(int i) {
    int end = sql.indexOf(']', i);
    if (end < 0) {
      return end;
    }
    boolean isName =
        database.system().equals("microsoft.sql_server") || database.system().equals("sqlite");
    if (isName && !hasQuote(i, end)) {
      return end + 1;
    }
    brackets++;
    return i + 1;
  }

  private boolean hasQuote(int from, int to) {
    int single = sql.indexOf('\'', from);
    int twofold = sql.indexOf('"', from);
    return (single >= 0 && single < to) || (twofold >= 0 && twofold < to);
  }

  /** A name, a number; and Oracle's {@code q'[…]'}. */
  private int word(int i) {
    char first = at(i);
    if (database.system().equals("oracle.db")
        && (first == 'q' || first == 'Q')
        && at(i + 1) == '\'') {
      return oracleLiteral(i);
    }
    int end = i + 1;
    while (end < length && isNamePart(sql.charAt(end))) {
      if (database.system().equals("oracle.db")
          && at(end + 1) == '\''
          && Character.toLowerCase(at(end)) == 'q'
          && Character.toLowerCase(first) == 'n'
          && end == i + 1) {
        return oracleLiteral(end);
      }
      end++;
    }
    // The analyzer takes what is in brackets for a name.
    return brackets > 0 && isDigit(first) ? replace(i, end, "?") : end;
  }

  private int oracleLiteral(int q) {
    char open = at(q + 2);
    char close =
        switch (open) {
          case '[' -> ']';
          case '(' -> ')';
          case '{' -> '}';
          case '<' -> '>';
          default -> open;
        };
    int end = sql.indexOf(close + "'", q + 3);
    return end < 0 ? end : replace(q, end + 2, LITERAL);
  }

  /** A literal in the form {@code $tag$…$tag$}; else a parameter or part of a name. */
  private int dollar(int i) {
    int tagEnd = i + 1;
    while (isNamePart(at(tagEnd)) && at(tagEnd) != '$') {
      tagEnd++;
    }
    if (at(tagEnd) != '$' || isDigit(at(i + 1)) || isNamePart(at(i - 1))) {
      return i + 1;
    }
    String tag = sql.substring(i, tagEnd + 1);
    int end = sql.indexOf(tag, tagEnd + 1);
    if (end < 0) {
      return end;
    }
    return replace(i, end + tag.length(), brackets > 0 ? "?" : LITERAL);
  }

  private int lineEnd(int i) {
    int end = i;
    while (end < length && sql.charAt(end) != '\n' && sql.charAt(end) != '\r') {
      end++;
    }
    return end;
  }

  private int blockEnd(int i) {
    boolean nests =
        database.system().equals("postgresql") || database.system().equals("microsoft.sql_server");
    int depth = 1;
    int at = i + 2;
    while (at < length) {
      if (at(at) == '*' && at(at + 1) == '/') {
        depth--;
        at += 2;
        if (depth == 0) {
          return at;
        }
      } else if (nests && at(at) == '/' && at(at + 1) == '*') {
        depth++;
        at += 2;
      } else {
        at++;
      }
    }
    return -1;
  }

  private int comment(int i, int end) {
    if (end < 0) {
      return end;
    }
    if (isTitle(i, end)) {
      return end;
    }
    // A comment also parts words.
    boolean parts = isNamePart(at(i - 1)) && isNamePart(at(end));
    return replace(i, end, parts ? " " : "");
  }

  /** Whether a comment stands before the statement, to say what it is, and holds no values. */
  private boolean isTitle(int from, int to) {
    return sql.substring(0, from).isBlank()
        && sql.substring(from, to).chars().noneMatch(c -> "'\"`[$".indexOf(c) >= 0 || isDigit(c));
  }

  private int replace(int from, int to, String by) {
    if (safe == null) {
      safe = new StringBuilder(length);
    }
    safe.append(sql, copied, from).append(by);
    copied = to;
    return to;
  }

  private String cut(int at) {
    replace(at, length, "?");
    return String.valueOf(safe);
  }
}
