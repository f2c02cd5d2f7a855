// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The forms of statements, the options, and input that is no good; on H2, or a driver that notes.
 */
class StatementsTest {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private final DataSource bare = H2.memory("statements");

  @BeforeEach
  void makeATable() throws Exception {
    try (Connection connection = bare.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE IF EXISTS users");
      statement.execute("CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40))");
      statement.execute("INSERT INTO users (name) VALUES ('ada')");
    }
  }

  private DataSource wrap() {
    return wrap(builder -> builder);
  }

  private DataSource wrap(UnaryOperator<JdbcTelemetryBuilder> options) {
    return wrap(bare, options);
  }

  private DataSource wrap(DataSource source, UnaryOperator<JdbcTelemetryBuilder> options) {
    return options
        .apply(JdbcTelemetry.builder(recorded.telemetry()).setWaitThreshold(Duration.ofDays(1)))
        .build()
        .wrap(source);
  }

  @Test
  void everyFormOfExecuteIsOneSpan() throws Exception {
    try (Connection connection = wrap().getConnection();
        Statement statement = connection.createStatement();
        PreparedStatement prepared =
            connection.prepareStatement("UPDATE users SET name = ? WHERE id = 1");
        CallableStatement callable = connection.prepareCall("CALL ABS(?)")) {
      String update = "UPDATE users SET name = 'x' WHERE id = 1";
      statement.executeLargeUpdate(update);
      statement.executeUpdate(update, Statement.RETURN_GENERATED_KEYS);
      statement.execute(update, new int[] {1});
      statement.executeLargeUpdate(update, new String[] {"ID"});
      statement.addBatch(update);
      statement.addBatch(update);
      statement.executeLargeBatch();
      prepared.setString(1, "y");
      prepared.executeLargeUpdate();
      prepared.setString(1, "z");
      prepared.addBatch();
      prepared.executeLargeBatch();
      callable.setInt(1, -7);
      try (ResultSet rows = callable.executeQuery()) {
        rows.next();
        assertThat(rows.getInt(1)).isEqualTo(7);
      }
    }
    assertThat(recorded)
        .tree(
            """
            UPDATE users        CLIENT
            UPDATE users        CLIENT
            UPDATE users        CLIENT
            UPDATE users        CLIENT
            BATCH UPDATE users  CLIENT db.operation.batch.size=2
            UPDATE users        CLIENT
            UPDATE users        CLIENT
            CALL ABS            CLIENT db.stored_procedure.name=ABS db.operation.name=CALL
            """);
  }

  @Test
  void generatedKeysNameTheirStatement() throws Exception {
    try (Connection connection = wrap().getConnection();
        PreparedStatement insert =
            connection.prepareStatement(
                "INSERT INTO users (name) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
      insert.setString(1, "grace");
      insert.executeUpdate();
      try (ResultSet keys = insert.getGeneratedKeys()) {
        assertThat(keys.next()).isTrue();
        assertThat(keys.getInt(1)).isEqualTo(2);
        assertThat(keys.getStatement()).isSameAs(insert);
      }
    }
    assertThat(recorded.takeSpan().getName()).isEqualTo("INSERT users");
  }

  @Test
  void emptyBatchesAndThoseThatFailAreSpans() throws Exception {
    try (Connection connection = wrap().getConnection();
        Statement statement = connection.createStatement()) {
      statement.addBatch("DELETE FROM nowhere");
      statement.addBatch("DELETE FROM users");
      Throwable thrown = catchThrowable(statement::executeBatch);
      assertThat(thrown).isInstanceOf(SQLException.class);
      // What failed is no part of the next batch.
      statement.addBatch("DELETE FROM users");
      statement.executeBatch();
      statement.clearBatch();
      catchThrowable(statement::executeBatch);
    }
    List<SpanData> spans = recorded.takeSpans(3);
    assertThat(spans)
        .extracting(SpanData::getName)
        .containsExactly("BATCH", "DELETE users", "BATCH");
    assertThat(DatabaseKit.attributes(spans.get(0)))
        .containsEntry("db.operation.name", "BATCH DELETE")
        .containsKey("error.type");
    assertThat(DatabaseKit.attributes(spans.get(2))).containsEntry("db.operation.batch.size", 0L);
  }

  @Test
  void aLongBatchShowsItsFirstTexts() throws Exception {
    FakeDriver driver = new FakeDriver();
    try (Connection connection = wrap(driver.make(DataSource.class), b -> b).getConnection();
        Statement statement = connection.createStatement()) {
      for (int i = 0; i < 1_000; i++) {
        statement.addBatch("DELETE FROM t" + i);
      }
      statement.executeBatch();
    }
    SpanData span = recorded.takeSpan();
    assertThat(DatabaseKit.attributes(span))
        .containsEntry("db.operation.batch.size", 1_000L)
        .extractingByKey("db.query.text")
        .asString()
        .startsWith("DELETE FROM t0; DELETE FROM t1; ")
        .endsWith("; DELETE FROM t19");
  }

  @Test
  void commitsAndRollbacksAreSpansOnDemand() throws Exception {
    for (boolean shown : new boolean[] {false, true}) {
      DataSource source = wrap(builder -> builder.setTransactionSpans(shown));
      try (Connection connection = source.getConnection();
          Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        statement.execute("SELECT 1");
        connection.commit();
        connection.rollback();
        connection.rollback(connection.setSavepoint());
      }
    }
    assertThat(recorded)
        .tree(
            """
            SELECT    CLIENT
            SELECT    CLIENT
            COMMIT    CLIENT db.operation.name=COMMIT db.system.name=h2database
            ROLLBACK  CLIENT db.operation.name=ROLLBACK db.namespace=statements
            ROLLBACK  CLIENT
            """);
  }

  @Test
  void everyGetConnectionIsASpanOnDemand() throws Exception {
    DataSource source = wrap(builder -> builder.setWaitThreshold(Duration.ZERO));
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
    source.getConnection("", "").close();
    List<SpanData> spans = recorded.takeSpans(3);
    assertThat(spans)
        .extracting(SpanData::getName)
        .containsExactly("connection.wait", "SELECT", "connection.wait");
    assertThat(DatabaseKit.attributes(spans.get(0))).isEmpty();
    assertThat(DatabaseKit.attributes(spans.get(2)))
        .isEqualTo(Map.of("connection.pool", "statements"));
  }

  @Test
  void ofARoutingDataSourceEachStatementShowsWhereItWent() throws Exception {
    FakeDriver router = new FakeDriver();
    DataSource source = wrap(router.make(DataSource.class), builder -> builder);
    for (String name : List.of("eu", "us", "eu")) {
      router.answering("getConnection", H2.memory(name).getConnection());
      try (Connection connection = source.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute("SELECT 1");
      }
    }
    assertThat(recorded.takeSpans(3))
        .extracting(span -> DatabaseKit.attributes(span).get("db.namespace"))
        .containsExactly("eu", "us", "eu");
  }

  @Test
  void theTextIsShownAsAskedFor() throws Exception {
    String plain = "SELECT name FROM users WHERE name = 'secret'";
    String sanitized = "SELECT name FROM users WHERE name = ?";
    String prepared = "SELECT name FROM users WHERE name = ? AND 1 = 1";
    for (QueryText text : QueryText.values()) {
      try (Connection connection = wrap(builder -> builder.setQueryText(text)).getConnection();
          Statement statement = connection.createStatement();
          PreparedStatement parameterized = connection.prepareStatement(prepared)) {
        statement.execute(plain);
        parameterized.setString(1, "secret");
        parameterized.execute();
      }
    }
    assertThat(recorded.takeSpans(8))
        .allSatisfy(span -> assertThat(span.getName()).isEqualTo("SELECT users"))
        .extracting(span -> DatabaseKit.attributes(span).get("db.query.text"))
        .containsExactly(
            sanitized,
            "SELECT name FROM users WHERE name = ? AND ? = ?",
            "51ac0b22cd9416df60262aff31de7f8b3c07304e03c8d301d20917800f434866",
            "86af72782d2c7b4dfc7d093ffdba92b99e9681b5c1289e99113bd351935fc089",
            null,
            null,
            sanitized,
            prepared);
  }

  @Test
  void theContextGoesToTheDatabaseOnDemand() throws Exception {
    FakeDriver driver = new FakeDriver();
    List<String> sent = driver.noted("execute", "executeQuery", "prepareStatement", "addBatch");
    DataSource source =
        wrap(driver.make(DataSource.class), builder -> builder.setSqlComments(true));
    DataSource all =
        wrap(driver.make(DataSource.class), builder -> builder.setSqlCommentsInPrepared(true));
    recorded
        .telemetry()
        .span("work")
        .baggage("customer_id", "c1")
        .run(
            () -> {
              try (Connection connection = source.getConnection();
                  Statement statement = connection.createStatement()) {
                statement.execute("SELECT 1");
                statement.executeQuery("SELECT '--' FROM t");
                statement.addBatch("SELECT 2");
                connection.prepareStatement("SELECT ?").execute();
                all.getConnection().prepareStatement("SELECT ?, 1").execute();
              }
            });
    List<SpanData> spans = recorded.takeSpans(5);
    SpanData first = spans.get(0);
    String flags = first.getSpanContext().getTraceFlags().asHex();
    assertThat(sent)
        .containsExactly(
            "SELECT 1 /*traceparent='00-%s-%s-%s'*/"
                .formatted(first.getTraceId(), first.getSpanId(), flags),
            "SELECT '--' FROM t",
            "SELECT 2",
            "SELECT ?",
            "SELECT ?, 1 /*traceparent='00-%s-%s-%s'*/"
                .formatted(first.getTraceId(), first.getParentSpanId(), flags));
    assertThat(spans)
        .extracting(span -> DatabaseKit.attributes(span).get("db.query.text"))
        .allSatisfy(text -> assertThat(String.valueOf(text)).doesNotContain("traceparent"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "SELECT 1;                  | SELECT 1 /*…*/;",
        "'SELECT 1 ;\n; '            | 'SELECT 1 /*…*/ ;\n; '",
        "SELECT 1; SELECT 2         | SELECT 1; SELECT 2 /*…*/",
        "BEGIN p; END;              | BEGIN p; END /*…*/;",
        "{call p(?)}                | {call p(?)}",
        "'\n {? = call p(?)}'       | '\n {? = call p(?)}'",
        "SELECT 1 // don't          | SELECT 1 // don't",
        "SELECT 1 # a               | SELECT 1 # a",
        "INSERT INTO t FORMAT CSV 1 | INSERT INTO t FORMAT CSV 1",
        ";                          | ;",
      })
  void aCommentIsPartOfTheStatement(String sql, String expected) throws Exception {
    FakeDriver driver = new FakeDriver();
    List<String> sent = driver.noted("execute", "prepareCall");
    DataSource source =
        wrap(
            driver.make(DataSource.class),
            builder -> builder.setSqlComments(true).setSqlCommentsInPrepared(true));
    recorded
        .telemetry()
        .span("work")
        .run(
            () -> {
              try (Connection connection = source.getConnection();
                  Statement statement = connection.createStatement()) {
                statement.execute(sql);
                connection.prepareCall(sql);
              }
            });
    recorded.takeSpans(2);
    assertThat(sent)
        .extracting(text -> text.replaceAll("/\\*traceparent='[0-9a-f-]*'\\*/", "/*…*/"))
        .containsExactly(expected, expected);
  }

  @Test
  void aTraceStateCannotEndTheComment() throws Exception {
    FakeDriver driver = new FakeDriver();
    List<String> sent = driver.noted("execute");
    DataSource source =
        wrap(driver.make(DataSource.class), builder -> builder.setSqlComments(true));
    SpanContext remote =
        SpanContext.createFromRemoteParent(
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            io.opentelemetry.api.trace.TraceFlags.getSampled(),
            io.opentelemetry.api.trace.TraceState.builder()
                .put("vendor", "a' */ DROP TABLE users; /*")
                .build());
    try (Scope ignored = Span.wrap(remote).makeCurrent();
        Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
    SpanData span = recorded.takeSpan();
    assertThat(sent)
        .containsExactly(
            "SELECT 1 /*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-%s-01',"
                    .formatted(span.getSpanId())
                + "tracestate='vendor%3Da%27%20*%2F%20DROP%20TABLE%20users%3B%20%2F*'*/");
    assertThat(sent.get(0).indexOf("*/")).isEqualTo(sent.get(0).length() - 2);
  }

  @Test
  void withoutASpanThereIsNoComment() throws Exception {
    FakeDriver driver = new FakeDriver();
    List<String> sent = driver.noted("prepareStatement");
    DataSource source =
        wrap(driver.make(DataSource.class), builder -> builder.setSqlCommentsInPrepared(true));
    source.getConnection().prepareStatement("SELECT ?");
    assertThat(sent).containsExactly("SELECT ?");
  }

  @Test
  void inputThatIsNoGoodIsTheDriversToRefuse() throws Exception {
    String broken = "SELEC 'secret";
    String large = "SELECT '" + "secret ".repeat(1_500_000) + "' FROM users";
    try (Connection plain = bare.getConnection();
        Connection traced = wrap().getConnection();
        Statement bareStatement = plain.createStatement();
        Statement statement = traced.createStatement()) {
      for (String sql : new String[] {null, "", broken, "\u0000", "))(("}) {
        assertSameFailure(() -> bareStatement.execute(sql), () -> statement.execute(sql));
      }
      assertSameFailure(() -> plain.prepareStatement(null), () -> traced.prepareStatement(null));
      assertThat(statement.execute(large)).isEqualTo(bareStatement.execute(large));
      bareStatement.close();
      statement.close();
      assertSameFailure(
          () -> bareStatement.execute("SELECT 1"), () -> statement.execute("SELECT 1"));
      plain.close();
      traced.close();
      assertSameFailure(plain::createStatement, traced::createStatement);
      assertSameFailure(statement::getConnection, bareStatement::getConnection);
    }
    List<SpanData> spans = recorded.takeSpans(7);
    assertThat(spans)
        .allSatisfy(
            span ->
                assertThat(DatabaseKit.attributes(span))
                    .containsEntry("db.system.name", "h2database")
                    .allSatisfy(
                        (key, value) ->
                            assertThat(value.toString())
                                .doesNotContain("secret")
                                .hasSizeLessThanOrEqualTo(SqlText.LIMIT)));
    assertThat(spans.get(0).getName()).isEqualTo("statements");
    assertThat(spans.get(5).getName()).isEqualTo("SELECT");
  }

  private interface Call {
    Object call() throws Exception;
  }

  private static void assertSameFailure(Call bare, Call traced) {
    Throwable expected = catchThrowable(bare::call);
    Throwable seen = catchThrowable(traced::call);
    assertThat(seen == null ? null : seen.getClass())
        .isEqualTo(expected == null ? null : expected.getClass());
    if (expected instanceof SQLException sql) {
      assertThat(seen).hasMessage(sql.getMessage());
      assertThat(((SQLException) seen).getSQLState()).isEqualTo(sql.getSQLState());
    }
  }

  @Test
  void offGivesBackWhatItWasGiven() {
    try (Telemetry off =
        Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", "true").build()) {
      JdbcTelemetry jdbc = JdbcTelemetry.create(off);
      String url = "jdbc:h2:mem:statements";
      assertThat(jdbc.wrap(bare)).isSameAs(bare);
      assertThat(jdbc.wrapUrl(url)).isSameAs(url);
    }
  }

  @Test
  void wrongOptionsAreRefused() {
    JdbcTelemetryBuilder builder = JdbcTelemetry.builder(recorded.telemetry());
    assertThatThrownBy(() -> builder.setWaitThreshold(Duration.ofMillis(-1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("waitThreshold is negative: PT-0.001S");
    assertThatThrownBy(() -> builder.setQueryText(null)).isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> builder.build().wrap(null)).isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> builder.build().wrapUrl("postgresql://u:secret@db/fleet"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("not a JDBC URL, which begins with jdbc:");
  }

  @Test
  void theDriverRunsWithinTheSpan() throws Exception {
    FakeDriver driver = new FakeDriver();
    SpanContext[] within = new SpanContext[1];
    driver.doing("execute", () -> within[0] = Span.current().getSpanContext());
    try (Connection connection = wrap(driver.make(DataSource.class), b -> b).getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
    assertThat(Span.current().getSpanContext().isValid()).isFalse();
    assertThat(within[0].getSpanId()).isEqualTo(recorded.takeSpan().getSpanId());
  }
}
