// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.common.AttributeKey;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the pages of {@code docs/} say of databases is what the code does. */
class JdbcPagesTest {

  /** In the page's order: a database, and a statement for it. */
  private static final String STATEMENTS =
      """
      postgresql  SELECT name FROM users WHERE id = 42
      postgresql  SELECT * FROM users WHERE name = 'O''Brien' AND active = TRUE
      postgresql  SELECT "Name" FROM "Users" WHERE age > 21.5e3
      postgresql  SELECT name FROM users WHERE id IN (1, 2, 3)
      postgresql  SELECT u.name FROM users u JOIN orders o ON o.user_id = u.id WHERE o.total > 100
      postgresql  SELECT id FROM (SELECT id FROM users WHERE age < 18) AS minors
      postgresql  WITH minors AS (SELECT id FROM users WHERE age < 18) SELECT id FROM minors
      postgresql  INSERT INTO users (id, name) VALUES (1, 'ada'), (2, 'grace')
      postgresql  INSERT INTO archive SELECT * FROM users WHERE left_on < DATE '2020-01-01'
      postgresql  UPDATE users SET name = E'it\\'s', age = -1 WHERE id = $1
      postgresql  DELETE FROM sessions WHERE token = 'eyJhbGciOiJIUzI1NiJ9'
      postgresql  SELECT $body$it's a secret$body$, ARRAY['a', 'b'], rows[1]
      postgresql  SELECT name /* don't */ FROM users WHERE id = 1
      postgresql  SELECT id FROM users WHERE name = 'never closed
      postgresql  CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40))
      postgresql  ALTER TABLE users ADD COLUMN age INT DEFAULT 0
      postgresql  ALTER USER ada PASSWORD 'secret'
      postgresql  CALL top_up(7, 'EUR')
      mysql       SELECT "it's", X'CAFE', 0x1F FROM users WHERE name = "ada" # the first
      mysql       SELECT 'it\\'s', name FROM users WHERE id = 1
      oracle.db   SELECT q'[it's]' FROM dual
      microsoft.sql_server  SELECT [first name] FROM [users] WHERE id = 7
      sqlite      INSERT OR REPLACE INTO users VALUES (1, 'ada')
      other_sql   BEGIN TRANSACTION
      """;

  private final String recordedData = page("recorded-data.md");

  private static String page(String name) {
    try {
      return Files.readString(Path.of("..", "docs", name));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theSanitizerTableIsWhatTheSanitizerGives() {
    Guard guard = new Guard(JdbcTelemetry.SCOPE);
    Queries queries = new Queries(QueryText.SANITIZED, SqlAnalyzer::analyze, guard);
    String rows =
        STATEMENTS
            .lines()
            .map(line -> line.split(" +", 2))
            .map(
                parts -> {
                  Database database = new Database(parts[0], null, null, null);
                  Query query = queries.get(database, parts[1], false);
                  return row(parts[0], parts[1], query.shown.text(), query.shown.summary());
                })
            .collect(Collectors.joining("\n"));
    assertThat(guard.hits()).isZero();
    assertThat(recordedData).contains(rows);
  }

  private static String row(String... cells) {
    StringBuilder row = new StringBuilder("|");
    for (String cell : cells) {
      row.append(cell == null ? " |" : " `" + cell + "` |");
    }
    return row.toString();
  }

  @Test
  void theAttributesAndMetricsAreThoseOfTheCode() throws IllegalAccessException {
    Map<String, String> inCode = new TreeMap<>();
    Set<String> metrics = new TreeSet<>();
    for (Field field : JdbcKeys.class.getDeclaredFields()) {
      if (field.get(null) instanceof AttributeKey<?> key) {
        inCode.put(key.getKey(), key.getType().name().toLowerCase(Locale.ROOT));
      } else if (field.get(null) instanceof String metric) {
        metrics.add(metric);
      }
    }
    String section = section(recordedData, "Databases");
    assertThat(table(section, "key")).isEqualTo(inCode);
    assertThat(table(section, "metric").keySet()).isEqualTo(metrics);
  }

  @Test
  void theOptionsAreThoseOfTheBuilder() {
    Set<String> options = new TreeSet<>();
    for (Method method : JdbcTelemetryBuilder.class.getDeclaredMethods()) {
      if (Modifier.isPublic(method.getModifiers())
          && method.getReturnType() == JdbcTelemetryBuilder.class) {
        options.add(method.getName());
      }
    }
    String section = section(page("configuration.md"), "In code");
    assertThat(table(section, "JdbcTelemetry.builder(telemetry)").keySet())
        .extracting(option -> option.substring(0, option.indexOf('(')))
        .containsExactlyInAnyOrderElementsOf(options);
  }

  private static String section(String page, String heading) {
    String after = page.substring(page.indexOf("\n## " + heading + "\n") + 1);
    int end = after.indexOf("\n## ");
    return end < 0 ? after : after.substring(0, end);
  }

  /** The first two cells of the rows of all tables that begin with this column. */
  private static Map<String, String> table(String section, String firstColumn) {
    Map<String, String> rows = new TreeMap<>();
    boolean inTable = false;
    for (String line : section.lines().toList()) {
      String[] cells = line.replace("`", "").split(" *\\| *");
      if (cells.length < 3) {
        inTable = false;
      } else if (cells[1].equals(firstColumn)) {
        inTable = true;
      } else if (inTable && !cells[1].startsWith("---")) {
        rows.put(cells[1], cells[2]);
      }
    }
    return rows;
  }
}
