// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.instrument.Guard;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No literal is shown, whatever stands around it. */
class SqlTextTest {

  private final Guard guard = new Guard(JdbcTelemetry.SCOPE);
  private final Queries queries = new Queries(QueryText.SANITIZED, Queries::analyze, guard);

  private Query query(String system, String sql) {
    Query query = queries.get(new Database(system, null, null, null), sql, false);
    assertThat(guard.hits()).isZero();
    return query;
  }

  private String text(String system, String sql) {
    return query(system, sql).text;
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
      assertThat(query.text).as(system).doesNotContain("secret", "5ec7e7", "CAFE");
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
    assertThat(text("postgresql", " /* find users */ SELECT 1 /* one */"))
        .isEqualTo(" /* find users */ SELECT ? ");
    assertThat(text("postgresql", "/* find user 17 */ SELECT 1")).isEqualTo(" SELECT ?");
  }

  @Test
  @Timeout(20)
  void largeTextsAreCut() {
    for (String part : new String[] {"[", "'", "\"", "(", "/*", "$a", "1,", "x", "-", "\\"}) {
      String sql = "SELECT a FROM t WHERE " + part.repeat(10 * 1024 * 1024 / part.length());
      Query query = query("postgresql", sql);
      assertThat(query.text.length()).isLessThanOrEqualTo(SqlText.LIMIT + 2);
      assertThat(query.name).startsWith("SELECT t");
    }
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

  @Test
  void aRepeatedTextIsAnalyzedOnce() {
    int[] analyzed = new int[1];
    Queries counted =
        new Queries(
            QueryText.SANITIZED,
            (sql, database) -> {
              analyzed[0]++;
              return Queries.analyze(sql, database);
            },
            guard);
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
