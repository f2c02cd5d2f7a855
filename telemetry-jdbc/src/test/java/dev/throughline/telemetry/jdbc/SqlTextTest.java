// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.instrument.Guard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No literal is shown, whatever stands around it. */
class SqlTextTest {

  private final Guard guard = new Guard(JdbcTelemetry.SCOPE);
  private final Queries queries = new Queries(QueryText.SANITIZED, SqlAnalyzer::analyze, guard);

  private Query query(String system, String sql) {
    Query query = queries.get(new Database(system, null, null, null), sql, false);
    assertThat(guard.hits()).isZero();
    return query;
  }

  private String text(String system, String sql) {
    return query(system, sql).shown.text();
  }

  @Test
  void whatIsInNoDoubtIsTheSameText() {
    String sql = "SELECT a, 'it''s' FROM \"t\" WHERE b = $1 AND c[d] = `e`";
    assertThat(SqlText.safe(sql, Database.UNKNOWN)).isSameAs(sql);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT 'secret",
        "SELECT 'a\\', 'secret'",
        "SELECT E'it\\'secret'",
        "SELECT \"secret",
        "SELECT /* don't */ 1 FROM t WHERE a = 'secret'",
        "SELECT 1 -- don't\nFROM t WHERE a = 'secret'",
        "SELECT 1 FROM t WHERE a = 'secret' -- secret",
        "SELECT 1 /* 'secret' */",
        "SELECT 1 /* secret",
        "SELECT ARRAY['secret', 'b']",
        "SELECT ARRAY['a]', 'secret']",
        "SELECT ARRAY[['a'], ['secret']]",
        "SELECT $$it's a $1 secret$$",
        "SELECT $t$secret $$ secret$t$",
        "SELECT $t$secret",
        "INSERT INTO t VALUES ('x', 'secret'), ('secret', 0xCAFE)",
        "ALTER USER u IDENTIFIED BY secret",
        "SELECT N'secret', X'5ec7e7', U&'secret'",
      })
  void literalsAreNotShown(String sql) {
    for (String system :
        new String[] {"postgresql", "mysql", "h2database", "oracle.db", "sqlite", "other_sql"}) {
      Query query = query(system, sql);
      assertThat(query.shown.text()).as(system).doesNotContain("secret", "5ec7e7", "CAFE");
      assertThat(query.name).as(system).doesNotContain("secret");
    }
  }

  @Test
  void whereTheDatabaseIsKnownMoreIsShown() {
    assertThat(text("postgresql", "SELECT a FROM t WHERE b LIKE 'x' ESCAPE '\\' AND c = 1"))
        .isEqualTo("SELECT a FROM t WHERE b LIKE ? ESCAPE ? AND c = ?");
    assertThat(text("mysql", "SELECT a FROM t WHERE b = 'x\\' AND c = 1"))
        .isEqualTo("SELECT a FROM t WHERE b = ?");
    assertThat(text("postgresql", "SELECT \"a\" FROM \"t\"")).isEqualTo("SELECT \"a\" FROM \"t\"");
    assertThat(text("mysql", "SELECT 'it\\'s secret', 'x'")).isEqualTo("SELECT ?");
    assertThat(text("mysql", "SELECT \"a\" FROM t")).isEqualTo("SELECT ? FROM t");
    assertThat(text("mysql", "SELECT a # don't\nFROM t")).isEqualTo("SELECT a FROM t");
    assertThat(text("postgresql", "SELECT a #> b FROM t")).isEqualTo("SELECT a #> b FROM t");
    assertThat(text("postgresql", "SELECT /* a /* b */ 'c' */ d")).isEqualTo("SELECT d");
    assertThat(text("microsoft.sql_server", "SELECT * FROM [1 table] WHERE a = 1"))
        .isEqualTo("SELECT * FROM [1 table] WHERE a = ?");
    assertThat(text("postgresql", "SELECT a[1], ARRAY[1, b, $$c$$] FROM t"))
        .isEqualTo("SELECT a[?], ARRAY[?, b, ?] FROM t");
    assertThat(text("oracle.db", "SELECT q'[it's]', nq'!a'b!', v$x FROM v$session"))
        .isEqualTo("SELECT ?, n?, v$x FROM v$session");
    assertThat(text("postgresql", "SELECT a/**/FROM t")).isEqualTo("SELECT a FROM t");
    assertThat(text("postgresql", " /* find ada */ SELECT 1 /* one */")).isEqualTo(" SELECT ? ");
    assertThat(text("postgresql", "-- find ada\nSELECT 1")).isEqualTo("-- ? SELECT ?");
    assertThat(text("postgresql", "UPDATE t SET a = E'it\\'s', b = 1"))
        .isEqualTo("UPDATE t SET a = E?, b = ?");
    assertThat(text("microsoft.sql_server", "SELECT [a]]b], [it's], [c] FROM t"))
        .isEqualTo("SELECT [?], [?], [c] FROM t");
    assertThat(text("clickhouse", "SELECT `a\\`b`, 'it\\'s', \"c\" # d\nFROM t"))
        .isEqualTo("SELECT `?`, ?, \"c\" FROM t");
    assertThat(text("mysql", "SELECT a--1, 'b' FROM t")).isEqualTo("SELECT a- ?, ? FROM t");
    assertThat(text("oracle.db", "SELECT a FROM t WHERE b = :name AND c::d = 1"))
        .isEqualTo("SELECT a FROM t WHERE b = ? AND c::d = ?");
    assertThat(text("postgresql", "SELECT $2, $1, a$b$c FROM t WHERE d = 'x'"))
        .isEqualTo("SELECT $2, $1, ? FROM t WHERE d = ?");
    assertThat(text("other_sql", "SELECT $1, $2, $424 FROM t"))
        .isEqualTo("SELECT $1, $2, ? FROM t");
    assertThat(text("trino", "SELECT 1 /* a /* b */ c */ FROM t")).isEqualTo("SELECT ? FROM t");
    assertThat(text("mysql", "SELECT /*! STRAIGHT_JOIN */ a FROM t")).isEqualTo("SELECT a FROM t");
  }

  @Test
  void ofAStatementWithAPasswordTheRestIsHidden() {
    assertThat(text("oracle.db", "ALTER USER ada IDENTIFIED BY tiger; SELECT a FROM t"))
        .isEqualTo("ALTER USER ada IDENTIFIED BY ?");
    assertThat(text("postgresql", "SET app.token TO x; SELECT password FROM t"))
        .isEqualTo("SET app.token TO ?; SELECT password FROM t");
    assertThat(text("microsoft.sql_server", "EXEC dbo.p ada, [b], \"c\", @d = e, @f OUTPUT, 1"))
        .isEqualTo("EXEC dbo.p ?, [?], ?, @d = ?, @f OUTPUT, ?");
    assertThat(
            text("microsoft.sql_server", "DECLARE @a int = 1; SET @a = @b + 1; SELECT @a FROM t"))
        .isEqualTo("DECLARE @a int = ?; SET @a = @b + ?; SELECT @a FROM t");
    assertThat(text("postgresql", "CREATE TABLE t (password TEXT); UPDATE t SET password = $1"))
        .isEqualTo("CREATE TABLE t (password TEXT); UPDATE t SET password = $1");
    assertThat(text("postgresql", "GRANT EXECUTE ON FUNCTION f TO ada"))
        .isEqualTo("GRANT EXECUTE ON FUNCTION f TO ada");
  }

  @Test
  void aTextThatEndsWithinALiteralIsHiddenFromItsFirstQuote() {
    assertThat(text("postgresql", "SELECT a FROM t WHERE b = 1 AND c = 'x' AND secret = 'y''"))
        .isEqualTo("SELECT a FROM t WHERE b = ? AND c = ?");
    assertThat(text("h2database", "EXPLAIN SELECT \"a, 'secret' FROM t"))
        .isEqualTo("EXPLAIN SELECT ?");
  }

  /** A system, and a statement for it. */
  static Stream<Arguments> secrets() throws IOException {
    return Files.readAllLines(Path.of("src", "test", "resources", "secrets.sql")).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("//"))
        .map(line -> line.split(" +", 2))
        .map(parts -> Arguments.of(parts[0], parts[1].replace("\\n", "\n")));
  }

  @ParameterizedTest
  @MethodSource("secrets")
  void noSecretOfAnyDialectIsShown(String system, String sql) {
    Query query = query(system, sql);
    assertThat(query.name + " " + query.shown.text() + " " + query.shown.collection())
        .doesNotContainIgnoringCase("secret")
        .doesNotContain("4242", "CAFE42");
  }

  /** Of each dialect, what may stand anywhere, in its forms of names, comments and literals. */
  static Stream<Arguments> fragments() {
    String[] all = {"a", "t.b", "=", ",", "(", ")", "42", "1.5e-9", "'secret'", "'it''s secret'"};
    return Stream.of(
        Arguments.of(
            "postgresql",
            all,
            new String[] {
              "\"it's\"",
              "E'it\\'s secret'",
              "'a\\'",
              "$$it's secret$$",
              "$t$ $$ 'secret $t$",
              "::",
              "@>",
              "#>",
              "/* it's /* a */ secret */",
              "-- don't\n",
              "ARRAY['secret', 'b']",
              "a[1]",
              "U&'secret'"
            }),
        Arguments.of(
            "mysql",
            all,
            new String[] {
              "`it's`",
              "\"it's secret\"",
              "# don't\n",
              "-- don't\n",
              "x--1",
              "/* it's /* secret */",
              "_utf8'secret'",
              "X'5ec7e7'",
              "'a' \"secret\""
            }),
        Arguments.of(
            "microsoft.sql_server",
            all,
            new String[] {
              "[it's]",
              "[a]]'b]",
              "[\"]",
              "\"it's\"",
              "N'secret'",
              "$424242",
              "@p",
              "#t",
              "/* it's /* a */ secret */",
              "-- don't\n",
              "'a\\'"
            }),
        Arguments.of(
            "oracle.db",
            all,
            new String[] {
              "q'[it's secret]'",
              "nq'!it's secret!'",
              "Q'<'secret>'",
              "\"it's\"",
              ":x",
              "v$x",
              "/* it's */",
              "/*+ it's */",
              "-- don't\n",
              "'a\\'"
            }),
        Arguments.of(
            "sqlite",
            all,
            new String[] {
              "[it's]",
              "`it's`",
              "\"it's\"",
              "\"secret\"",
              "/* it's /* a */",
              "-- don't\n",
              "$x",
              "?1",
              "'a\\'"
            }),
        Arguments.of(
            "h2database",
            all,
            new String[] {
              "\"it's\"",
              "`it's`",
              "$$it's secret$$",
              "// don't\n",
              "-- don't\n",
              "/* it's */",
              "U&'secret'",
              "'a\\'"
            }),
        Arguments.of(
            "clickhouse",
            all,
            new String[] {
              "`a\\`it's`",
              "\"a\\\"it's\"",
              "'it\\'s secret'",
              "$x$it's secret$x$",
              "# don't\n",
              "#! don't\n",
              "-- don't\n",
              "/* it's */",
              "['secret', 'b']",
              "{p:String}"
            }),
        Arguments.of(
            "snowflake",
            all,
            new String[] {
              "\"it's\"",
              "\"a\\\"",
              "'it\\'s secret'",
              "$$it's secret$$",
              "// don't\n",
              "-- don't\n",
              "$1",
              "a:b.c",
              "/* it's */"
            }),
        Arguments.of(
            "ibm.db2",
            all,
            new String[] {"\"it's\"", "/* it's */", "-- don't\n", "GX'5ec7e7'", "'a\\'", "t#a"}));
  }

  @ParameterizedTest
  @MethodSource("fragments")
  void noLiteralIsShownWhateverStandsAroundIt(String system, String[] all, String[] own) {
    Random random = new Random(7);
    for (int i = 0; i < 5_000; i++) {
      StringBuilder sql = new StringBuilder("SELECT a FROM t WHERE");
      for (int j = random.nextInt(12); j >= 0; j--) {
        String[] from = random.nextBoolean() ? all : own;
        sql.append(' ').append(from[random.nextInt(from.length)]);
      }
      Query query = query(system, sql.toString());
      assertThat(query.name + " " + query.shown.text())
          .as("%s", sql)
          .doesNotContain("secret", "5ec7e7", "4242");
    }
  }

  @Test
  @Timeout(20)
  void largeTextsAreCut() {
    for (String part : new String[] {"[", "'", "\"", "(", "/*", "$a", "1,", "x", "-", "\\"}) {
      String sql = "SELECT a FROM t WHERE " + part.repeat(10 * 1024 * 1024 / part.length());
      Query query = query("postgresql", sql);
      assertThat(query.shown.text().length()).isLessThanOrEqualTo(SqlText.LIMIT + 2);
      assertThat(query.name).startsWith("SELECT t");
    }
  }

  /** Each of these made a scan that looks ahead or back look at the rest of the text again. */
  @ParameterizedTest
  @Timeout(60)
  @MethodSource("systems")
  void aTextOfAnyFormTakesTimeByItsLength(String system) {
    for (String part :
        new String[] {
          "(",
          "[",
          "[]",
          "'",
          "''",
          "'a',",
          "\"",
          "\"a\".",
          "`",
          "`a`",
          "\\",
          "'\\'",
          "'\\\\",
          "--\n",
          "-- a\n",
          "/*",
          "/**/",
          "/*/",
          "*/",
          "#\n",
          "//\n",
          "$a$",
          "$$",
          "$1,",
          "$",
          ":a ",
          "@a ",
          "=",
          ";",
          ",",
          "?,",
          "1,",
          "1e",
          "1e-",
          "x",
          "x.",
          "q'[",
          "q'[]'",
          "EXEC ",
          "SELECT ",
          "FROM (",
          "IDENTIFIED BY ",
          "SET a=",
          "(SELECT ",
          "UNION SELECT 1 FROM t ",
          "JOIN t ON a=b ",
          "CASE WHEN ",
          "\u201c",
          "\ud83d\ude00",
          " ",
          "\n",
          "\u0000"
        }) {
      for (String head : new String[] {"", "SELECT a FROM t WHERE b IN ("}) {
        query(system, head + part.repeat(64 * 1024 / part.length()));
        query(system, head + part.repeat(8 * 1024 / part.length()) + "]*/'\"`$a$)");
      }
    }
  }

  static Stream<String> systems() {
    return Stream.of(
        "postgresql",
        "mysql",
        "microsoft.sql_server",
        "oracle.db",
        "sqlite",
        "h2database",
        "clickhouse",
        "gcp.bigquery",
        "other_sql");
  }

  @Test
  void noTextMakesItThrow() {
    String letters = "'\"`[]()$-/*#\\eEqQ;? \n,.0x SELECT FROM a WITH INSERT VALUES secret";
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      StringBuilder sql = new StringBuilder();
      int length = random.nextInt(40);
      for (int j = 0; j < length; j++) {
        int at = random.nextInt(letters.length());
        sql.append(letters, at, random.nextBoolean() ? at + 1 : Math.min(at + 7, letters.length()));
      }
      String system = random.nextBoolean() ? "postgresql" : "mysql";
      assertThat(query(system, sql.toString())).isNotNull();
    }
  }

  private Queries counted(int[] analyzed) {
    return new Queries(
        QueryText.SANITIZED,
        (sql, database) -> {
          analyzed[0]++;
          return SqlAnalyzer.analyze(sql, database);
        },
        guard);
  }

  @Test
  void whatIsRememberedIsBoundedInCharacters() {
    int[] analyzed = new int[1];
    Queries counted = counted(analyzed);
    Database one = new Database("h2database", "one", null, null);
    String columns = "column_of_a_table, ".repeat(400);
    for (int i = 0; i < 2_000; i++) {
      counted.get(one, "SELECT " + columns + "x FROM t" + i, false);
    }

    // Each is asked once, the latest first: those not analyzed again were all kept at one time.
    analyzed[0] = 0;
    for (int i = 1_999; i >= 0; i--) {
      counted.get(one, "SELECT " + columns + "x FROM t" + i, false);
    }
    long kept = 2_000 - analyzed[0];
    assertThat(kept * 2 * columns.length()).isBetween(500_000L, 2L * 1024 * 1024);
  }

  @Test
  void aNameOfAStrangerIsCut() {
    Query query = query("h2database", "SELECT * FROM \"" + "t".repeat(5_000) + '"');
    assertThat(query.point.asMap().values())
        .allSatisfy(value -> assertThat(value.toString().length()).isLessThanOrEqualTo(256));
    assertThat(query.shown.collection()).hasSize(256);
  }

  @Test
  void aRepeatedTextIsAnalyzedOnce() {
    int[] analyzed = new int[1];
    Queries counted = counted(analyzed);
    Database one = new Database("h2database", "one", null, null);
    Query first = counted.get(one, "SELECT 1", false);
    assertThat(counted.get(one, new String("SELECT 1"), true)).isSameAs(first);
    assertThat(analyzed[0]).isEqualTo(1);
    assertThat(counted.get(new Database("h2database", "two", null, null), "SELECT 1", false))
        .isNotSameAs(first);
    for (int i = 0; i < 100_000; i++) {
      counted.get(one, "SELECT " + i + " FROM t" + i, false);
    }
    assertThat(counted.get(one, "SELECT 1", false).name).isEqualTo("SELECT");
  }
}
