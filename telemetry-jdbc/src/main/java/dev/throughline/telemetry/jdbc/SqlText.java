// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static dev.throughline.telemetry.jdbc.Dialect.Is.NO;
import static dev.throughline.telemetry.jdbc.Dialect.Is.PERHAPS;
import static dev.throughline.telemetry.jdbc.Dialect.Is.YES;
import static java.lang.Character.isDigit;

import dev.throughline.telemetry.jdbc.Dialect.Is;
import dev.throughline.telemetry.jdbc.Dialect.Trait;
import dev.throughline.telemetry.jdbc.SecretWords.Next;
import java.util.BitSet;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * SQL of any dialect made fit for OpenTelemetry's analyzer, which knows the common quotes alone:
 * comments are left out, and a literal that the analyzer would take for something else becomes one
 * that it knows. From where nobody can tell whether something is a literal, the rest is hidden.
 */
final class SqlText {

  /** How many characters of a statement are looked at, and shown. */
  static final int LIMIT = 16 * 1024;

  /** How many may be open at once, since each is looked for to its end. */
  private static final int MOST_BRACKETS = 32;

  private static final Pattern HEXADECIMAL = Pattern.compile("0[xX][0-9a-fA-F]+");
  private static final Pattern PARAMETER = Pattern.compile("[0-9]{1,5}");

  private static final String LITERAL = "''";

  /** Instead of an index: it can't be told what begins here. */
  private static final int IN_DOUBT = -1;

  /** Instead of an index: what begins here never ends, so something before was misread perhaps. */
  private static final int NEVER_ENDS = -2;

  private final String sql;
  private final Dialect dialect;
  private final int length;
  private final int start;
  private final SecretWords words;

  /** The depths of parentheses that are no subquery. */
  private final BitSet lists = new BitSet();

  private int depth;
  private boolean opened;
  private int brackets;
  private int parameters;
  private int firstQuote = -1;
  private int hiddenFrom = -1;
  private boolean hiddenToTheEnd;
  private int copied;
  private @Nullable StringBuilder safe;

  private SqlText(String sql, Dialect dialect) {
    this.sql = limited(sql);
    this.dialect = dialect;
    words = new SecretWords(dialect);
    length = this.sql.length();
    start = length - this.sql.stripLeading().length();
  }

  /** The statement for the analyzer; the argument itself if nothing in it is in doubt. */
  static String safe(String sql, Database database) {
    return safe(sql, Dialect.of(database.system()));
  }

  private static String safe(String sql, Dialect dialect) {
    return new SqlText(sql, dialect).scan(sql.length() > LIMIT);
  }

  static String limited(String sql) {
    return sql.length() <= LIMIT ? sql : sql.substring(0, LIMIT);
  }

  private String scan(boolean goesOn) {
    int i = 0;
    while (i < length) {
      int end = end(i);
      if (end == NEVER_ENDS && !goesOn) {
        return safe(sql.substring(0, firstQuote), dialect) + "?";
      }
      if (end < 0) {
        return cut(i);
      }
      i = end;
    }
    if (goesOn || hiddenFrom >= 0) {
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
      case '"' -> dialect.is(Trait.NAMES_IN_DOUBLE_QUOTES) == YES ? name(i, c) : doubleQuoted(i);
      case '`' -> backtick(i);
      case '[' -> dialect.is(Trait.NAMES_IN_BRACKETS) == YES ? bracketedName(i) : bracket(i);
      case ']' -> {
        brackets = Math.max(0, brackets - 1);
        yield i + 1;
      }
      case '-' -> at(i + 1) == '-' ? dashes(i) : i + 1;
      case '#' -> lineComment(i, dialect.is(Trait.HASH_COMMENTS));
      case '/' ->
          switch (at(i + 1)) {
            case '*' -> comment(i, blockEnd(i));
            case '/' -> lineComment(i, dialect.is(Trait.SLASH_COMMENTS));
            default -> i + 1;
          };
      case '$' -> dollar(i);
      case '(' -> {
        lists.set(++depth);
        opened = true;
        yield i + 1;
      }
      case ')' -> {
        depth = Math.max(0, depth - 1);
        yield i + 1;
      }
      case ';' -> endOfStatement(i);
      case '=' -> {
        hideAfter(words.equalsSign(), i + 1);
        yield i + 1;
      }
      case ':' -> colon(i);
      case '@' -> {
        words.variable();
        yield nameEnd(i + 1);
      }
      default -> other(i, c);
    };
  }

  private int other(int i, char c) {
    if (isDigit(c)) {
      return number(i, i);
    }
    if (Character.isLetter(c) || c == '_') {
      return word(i);
    }
    // A database that does not know a typographer's quotes takes them for letters, or refuses them.
    return switch (Character.getType(c)) {
      case Character.INITIAL_QUOTE_PUNCTUATION, Character.FINAL_QUOTE_PUNCTUATION -> IN_DOUBT;
      case Character.CURRENCY_SYMBOL -> isDigit(at(i + 1)) ? number(i, i + 1) : i + 1;
      default -> "\u201a\u201e\uff02\uff07".indexOf(c) >= 0 ? IN_DOUBT : i + 1;
    };
  }

  private char at(int i) {
    return i >= 0 && i < length ? sql.charAt(i) : 0;
  }

  private static boolean isNamePart(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '$';
  }

  private int nameEnd(int i) {
    int end = i;
    while (isNamePart(at(end))) {
      end++;
    }
    return end;
  }

  /** Whether these letters stand alone before an index, as in {@code E'it\'s'}. */
  private boolean follows(int i, String letters) {
    int from = i - letters.length();
    return sql.regionMatches(true, from, letters, 0, letters.length()) && !isNamePart(at(from - 1));
  }

  private boolean hasQuote(int from, int to) {
    return sql.substring(from, to).chars().anyMatch(c -> "'\"$".indexOf(c) >= 0);
  }

  private void quoteAt(int i) {
    firstQuote = firstQuote < 0 ? i : firstQuote;
  }

  private int literal(int i) {
    quoteAt(i);
    if (dialect == Dialect.ORACLE && (follows(i, "q") || follows(i, "nq"))) {
      return oracleLiteral(i);
    }
    if ((dialect == Dialect.UNKNOWN && (follows(i, "q") || follows(i, "nq")))
        || (dialect == Dialect.BIGQUERY && sql.startsWith("'''", i))) {
      return IN_DOUBT;
    }
    boolean escapes = dialect == Dialect.POSTGRESQL && follows(i, "e");
    int end = closing(i, '\'', escapes ? YES : dialect.is(Trait.BACKSLASH_ESCAPES));
    return brackets > 0 ? replace(i, end, "?") : asRead(i, end, escapes);
  }

  /** A literal; or a table perhaps, where one is expected, for the summary to name. */
  private int doubleQuoted(int i) {
    quoteAt(i);
    if (dialect == Dialect.BIGQUERY && sql.startsWith("\"\"\"", i)) {
      return IN_DOUBT;
    }
    int end = closing(i, '"', dialect.is(Trait.BACKSLASH_ESCAPES));
    boolean isTable =
        dialect.is(Trait.NAMES_IN_DOUBLE_QUOTES) == PERHAPS
            && (words.isBeforeTable() || at(i - 1) == '.' || at(end) == '.')
            && !(depth > 0 && lists.get(depth));
    if (isValue("\"", i, end) || brackets > 0) {
      return replace(i, end, "?");
    }
    return isTable ? asRead(i, end, false) : replace(i, end, LITERAL);
  }

  /** A literal that the analyzer reads as we do, unless a backslash hides a quote. */
  private int asRead(int i, int end, boolean escapes) {
    boolean differs = escapes || dialect.is(Trait.BACKSLASH_ESCAPES) == YES;
    return differs && end > 0 && sql.substring(i, end).indexOf('\\') >= 0
        ? replace(i, end, LITERAL)
        : end;
  }

  private int name(int i, char quote) {
    quoteAt(i);
    int end = closing(i, quote, dialect.is(Trait.BACKSLASH_ESCAPES_IN_NAMES));
    boolean isValue = isValue("\"", i, end);
    return isValue || (end > 0 && sql.substring(i, end).indexOf('\\') >= 0)
        ? replace(i, end, quote + "?" + quote)
        : end;
  }

  /** A name; in other dialects nothing that is quoted, so that a quote within is in doubt. */
  private int backtick(int i) {
    int end = closing(i, '`', dialect.is(Trait.BACKSLASH_ESCAPES_IN_NAMES));
    return dialect.is(Trait.NAMES_IN_BACKTICKS) != YES && end > 0 && hasQuote(i + 1, end - 1)
        ? IN_DOUBT
        : name(i, '`');
  }

  /** Where what is in quotes ends: behind the next quote that is neither doubled nor escaped. */
  private int closing(int i, char quote, Is escapes) {
    for (int at = i + 1; at < length; at++) {
      char c = sql.charAt(at);
      if (c == '\\' && escapes == YES) {
        at++;
      } else if (c == '\\' && escapes == PERHAPS && isOdd(at, quote)) {
        return IN_DOUBT;
      } else if (c == quote && at(at + 1) != quote) {
        return at + 1;
      } else if (c == quote) {
        at++;
      }
    }
    return NEVER_ENDS;
  }

  /** Whether an odd number of backslashes stands before a quote: then it matters what they are. */
  private boolean isOdd(int backslash, char quote) {
    int from = backslash;
    while (at(from - 1) == '\\') {
      from--;
    }
    int to = backslash;
    while (at(to) == '\\') {
      to++;
    }
    return at(to) == quote && (to - from) % 2 == 1;
  }

  private int oracleLiteral(int quote) {
    char open = at(quote + 1);
    char close =
        switch (open) {
          case '[' -> ']';
          case '(' -> ')';
          case '{' -> '}';
          case '<' -> '>';
          default -> open;
        };
    int end = sql.indexOf(close + "'", quote + 2);
    return end < 0 ? NEVER_ENDS : replace(Math.max(copied, quote - 1), end + 2, LITERAL);
  }

  private int bracketedName(int i) {
    quoteAt(i);
    int end = sql.indexOf(']', i);
    while (end >= 0 && at(end + 1) == ']' && dialect == Dialect.SQL_SERVER) {
      end = sql.indexOf(']', end + 2);
    }
    if (end < 0) {
      return NEVER_ENDS;
    }
    boolean isPlain = !hasQuote(i, end) && sql.indexOf(']', i) == end;
    return isValue("\"", i, end + 1) || !isPlain ? replace(i, end + 1, "[?]") : end + 1;
  }

  /** The elements of an array, or an index; of an unknown database perhaps a name. */
  private int bracket(int i) {
    if (brackets == MOST_BRACKETS) {
      return IN_DOUBT;
    }
    int end = sql.indexOf(']', i);
    if (end < 0) {
      quoteAt(i);
      return NEVER_ENDS;
    }
    if (dialect.is(Trait.NAMES_IN_BRACKETS) == PERHAPS
        && (isOpen(i, end, '\'') || isOpen(i, end, '"'))) {
      return IN_DOUBT;
    }
    brackets++;
    return i + 1;
  }

  private boolean isOpen(int from, int to, char quote) {
    return sql.substring(from, to).chars().filter(c -> c == quote).count() % 2 == 1;
  }

  /** A name or keyword. */
  private int word(int i) {
    int end = nameEnd(i);
    String word = sql.substring(i, end);
    boolean isValue = isValue(word.toUpperCase(Locale.ROOT), i, end);
    // What is between two dollars would be a literal's tag to the analyzer.
    return isValue || word.indexOf('$') != word.lastIndexOf('$') ? replace(i, end, "?") : end;
  }

  /** Whether a word or name is itself a value; also minds what it says of what follows. */
  private boolean isValue(String word, int i, int end) {
    if (opened) {
      lists.set(depth, !word.equals("SELECT") && !word.equals("WITH"));
      opened = false;
    }
    Next next = words.word(word, i, end, at(i - 1) == '.');
    hideAfter(next, end);
    return next == Next.IS_VALUE;
  }

  private void hideAfter(Next next, int end) {
    if (hiddenFrom < 0 && (next == Next.HIDDEN || next == Next.ALL_HIDDEN)) {
      hiddenFrom = end;
      hiddenToTheEnd = next == Next.ALL_HIDDEN;
    }
  }

  private int endOfStatement(int i) {
    words.nextStatement();
    if (hiddenFrom >= 0 && !hiddenToTheEnd) {
      int from = hiddenFrom;
      hiddenFrom = -1;
      replace(from, i, " ?");
    }
    return i + 1;
  }

  /** A number, with all that may belong to it: {@code 0b1010}, {@code 1_000}, {@code 1e-9}. */
  private int number(int i, int digits) {
    int end = digits;
    boolean isPlain = i == digits;
    while (isNamePart(at(end)) || at(end) == '.' || (isSign(at(end)) && isExponent(digits, end))) {
      isPlain &= isDigit(at(end)) || "eE.+-".indexOf(at(end)) >= 0;
      end++;
    }
    if (brackets > 0) {
      return replace(i, end, "?");
    }
    return isPlain || HEXADECIMAL.matcher(sql).region(i, end).matches()
        ? end
        : replace(i, end, "0");
  }

  private static boolean isSign(char c) {
    return c == '+' || c == '-';
  }

  private boolean isExponent(int digits, int end) {
    return (at(end - 1) == 'e' || at(end - 1) == 'E') && at(digits + 1) != 'x';
  }

  /** A parameter's name, which may tell as much as a value; not a cast, or part of a path. */
  private int colon(int i) {
    char before = at(i - 1);
    char after = at(i + 1);
    if (before == ':'
        || isNamePart(before)
        || "])\"'`".indexOf(before) >= 0
        || !isNamePart(after)) {
      return i + 1;
    }
    return replace(i, nameEnd(i + 1), "?");
  }

  /** A literal in the form {@code $tag$…$tag$}, a parameter, money, or part of a name. */
  private int dollar(int i) {
    int tagEnd = i + 1;
    while (at(tagEnd) != '$' && isNamePart(at(tagEnd))) {
      tagEnd++;
    }
    if (isDigit(at(i + 1))) {
      return isParameter(sql.substring(i + 1, tagEnd)) ? tagEnd : number(i, i + 1);
    }
    if (at(tagEnd) != '$') {
      return tagEnd;
    }
    quoteAt(i);
    String tag = sql.substring(i, tagEnd + 1);
    int end = sql.indexOf(tag, tagEnd + 1);
    if (dialect.is(Trait.DOLLAR_QUOTES) == NO
        || (dialect.is(Trait.DOLLAR_QUOTES) == PERHAPS && end > 0 && hasQuote(tagEnd + 1, end))) {
      return IN_DOUBT;
    }
    return end < 0 ? NEVER_ENDS : replace(i, end + tag.length(), brackets > 0 ? "?" : LITERAL);
  }

  /** Of an unknown database, what counts up from one. */
  private boolean isParameter(String number) {
    if (!PARAMETER.matcher(number).matches()) {
      return false;
    }
    if (dialect == Dialect.UNKNOWN) {
      int parameter = Integer.parseInt(number);
      boolean follows = parameter <= parameters + 1;
      parameters = Math.max(parameters, follows ? parameter : 0);
      return follows;
    }
    return dialect.is(Trait.DOLLAR_QUOTES) == YES;
  }

  private int dashes(int i) {
    if (dialect.is(Trait.SPACE_AFTER_DASHES) == NO || at(i + 2) <= ' ') {
      return comment(i, lineEnd(i));
    }
    // Two signs, which the analyzer would take for a comment.
    return dialect.is(Trait.SPACE_AFTER_DASHES) == YES
        ? replace(i + 1, i + 1, " ")
        : lineComment(i, dialect.is(Trait.SPACE_AFTER_DASHES));
  }

  private int lineComment(int i, Is isComment) {
    int end = lineEnd(i);
    if (isComment == NO) {
      return i + 1;
    }
    return isComment == PERHAPS && hasQuote(i, end) ? IN_DOUBT : comment(i, end);
  }

  private int lineEnd(int i) {
    int end = i;
    while (end < length && sql.charAt(end) != '\n' && sql.charAt(end) != '\r') {
      end++;
    }
    return end;
  }

  private int blockEnd(int i) {
    int first = sql.indexOf("*/", i + 2) + 2;
    if (first < 2) {
      return NEVER_ENDS;
    }
    boolean runs = dialect == Dialect.MYSQL && (at(i + 2) == '!' || sql.startsWith("M!", i + 2));
    if (runs && hasQuote(i, first)) {
      return IN_DOUBT;
    }
    int nested = dialect.is(Trait.NESTED_COMMENTS) == NO ? first : nestedEnd(i);
    if (dialect.is(Trait.NESTED_COMMENTS) == PERHAPS
        && nested != first
        && (nested < 0 || hasQuote(first, nested))) {
      return IN_DOUBT;
    }
    return nested;
  }

  private int nestedEnd(int i) {
    int nesting = 0;
    for (int at = i; at < length - 1; at++) {
      if (sql.startsWith("/*", at)) {
        nesting++;
        at++;
      } else if (sql.startsWith("*/", at)) {
        at++;
        if (--nesting == 0) {
          return at + 1;
        }
      }
    }
    return NEVER_ENDS;
  }

  /**
   * Leaves out a comment, which also parts what stands before it from what follows. Of a line
   * before the statement, it stays visible that there is one, as the analyzer shows it.
   */
  private int comment(int i, int end) {
    quoteAt(i);
    if (i <= start && at(i) == '-') {
      return replace(i, end, "-- ?");
    }
    return replace(i, end, at(i - 1) > ' ' && at(Math.max(i, end)) > ' ' ? " " : "");
  }

  /** Writes something else, unless this is hidden; an end that is none stays it. */
  private int replace(int from, int to, String by) {
    if (to < 0 || hiddenFrom >= 0) {
      return to;
    }
    if (safe == null) {
      safe = new StringBuilder(length);
    }
    safe.append(sql, copied, from).append(by);
    copied = to;
    return to;
  }

  private String cut(int at) {
    boolean isHidden = hiddenFrom >= 0;
    int from = isHidden ? hiddenFrom : at;
    hiddenFrom = -1;
    replace(from, length, isHidden ? " ?" : "?");
    return String.valueOf(safe);
  }
}
