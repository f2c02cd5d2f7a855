// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.PointData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What holds on every database, bare and behind a pool: one CLIENT span for each statement. */
abstract class DatabaseKit {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private final boolean pooled;
  private DataSource database;

  DatabaseKit(boolean pooled) {
    this.pooled = pooled;
  }

  /** A source of connections to a database that keeps what is written, without telemetry. */
  abstract DataSource bare() throws Exception;

  /** The attributes that all spans of this database have. */
  abstract Map<String, Object> where();

  /** The SQLState or vendor's code of a table that is not there. */
  abstract String noSuchTable();

  @BeforeEach
  final void makeATable() throws Exception {
    DataSource bare = bare();
    if (pooled) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(bare);
      config.setMaximumPoolSize(2);
      bare = new HikariDataSource(config);
    }
    database = telemetry().build().wrap(bare);
    try (Connection connection = bare.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE IF EXISTS users");
      statement.execute("CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40))");
      statement.execute("INSERT INTO users VALUES (1, 'ada')");
    }
  }

  @AfterEach
  final void close() throws Exception {
    if (database instanceof AutoCloseable closeable) {
      closeable.close();
    }
  }

  private JdbcTelemetryBuilder telemetry() {
    return JdbcTelemetry.builder(recorded.telemetry()).setWaitThreshold(Duration.ofDays(1));
  }

  @Test
  void aStatementIsASpan() throws Exception {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      try (ResultSet rows = statement.executeQuery("SELECT name FROM users WHERE id = 1")) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getString(1)).isEqualTo("ada");
      }
      assertThat(statement.executeUpdate("UPDATE users SET name = 'grace' WHERE id = 1"))
          .isEqualTo(1);
      assertThat(statement.execute("SELECT 'x'")).isTrue();
      assertThat(statement.execute("DELETE FROM users WHERE name = 'nobody'")).isFalse();
    }
    List<SpanData> spans = recorded.takeSpans(4);
    assertThat(spans)
        .extracting(SpanData::getName)
        .containsExactly("SELECT users", "UPDATE users", "SELECT", "DELETE users");
    assertThat(spans)
        .allSatisfy(
            span -> {
              assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
              assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
              assertThat(attributes(span)).containsAllEntriesOf(where());
              assertThat(span.getInstrumentationScopeInfo().getName())
                  .isEqualTo("dev.throughline.telemetry.jdbc");
            });
    assertThat(attributes(spans.get(1)))
        .hasSize(where().size() + 4)
        .containsEntry("db.query.text", "UPDATE users SET name = ? WHERE id = ?")
        .containsEntry("db.query.summary", "UPDATE users")
        .containsEntry("db.operation.name", "UPDATE")
        .containsEntry("db.collection.name", "users");
  }

  @Test
  void aPreparedStatementIsASpanForEachExecution() throws Exception {
    try (Connection connection = database.getConnection();
        PreparedStatement insert =
            connection.prepareStatement("INSERT INTO users (id, name) VALUES (?, ?)");
        PreparedStatement select =
            connection.prepareStatement("SELECT name FROM users WHERE id = ?")) {
      for (int id = 10; id < 12; id++) {
        insert.setInt(1, id);
        insert.setString(2, "secret" + id);
        assertThat(insert.executeUpdate()).isEqualTo(1);
      }
      insert.setInt(1, 12);
      insert.setString(2, "secret12");
      assertThat(insert.execute()).isFalse();
      select.setInt(1, 11);
      try (ResultSet rows = select.executeQuery()) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getString("name")).isEqualTo("secret11");
        assertThat(rows.next()).isFalse();
      }
    }
    assertThat(recorded)
        .tree(
            """
            INSERT users  CLIENT db.query.text="INSERT INTO users (id, name) VALUES (?, ?)"
            INSERT users  CLIENT
            INSERT users  CLIENT
            SELECT users  CLIENT db.query.text="SELECT name FROM users WHERE id = ?"
            """);
  }

  @Test
  void aBatchIsOneSpan() throws Exception {
    try (Connection connection = database.getConnection();
        PreparedStatement insert =
            connection.prepareStatement("INSERT INTO users (id, name) VALUES (?, ?)");
        Statement statement = connection.createStatement()) {
      add(insert, 99);
      insert.clearBatch();
      for (int id = 20; id < 23; id++) {
        add(insert, id);
      }
      assertThat(insert.executeBatch()).hasSize(3);
      add(insert, 23);
      assertThat(insert.executeBatch()).hasSize(1);
      statement.addBatch("UPDATE users SET name = 'a' WHERE id = 20");
      statement.addBatch("UPDATE users SET name = 'b' WHERE id = 21");
      assertThat(statement.executeBatch()).containsExactly(1, 1);
      statement.addBatch("INSERT INTO users VALUES (30, 'c')");
      statement.addBatch("DELETE FROM users WHERE id = 30");
      assertThat(statement.executeBatch()).containsExactly(1, 1);
    }
    assertThat(recorded)
        .tree(
            """
            BATCH INSERT users  CLIENT db.operation.batch.size=3 db.operation.name="BATCH INSERT" db.query.text="INSERT INTO users (id, name) VALUES (?, ?)"
            INSERT users        CLIENT db.operation.name=INSERT
            BATCH UPDATE users  CLIENT db.operation.batch.size=2 db.query.text="UPDATE users SET name = ? WHERE id = ?" db.collection.name=users
            BATCH               CLIENT db.operation.batch.size=2 db.operation.name=BATCH db.query.text="INSERT INTO users VALUES (?, ?); DELETE FROM users WHERE id = ?"
            """);
  }

  private static void add(PreparedStatement insert, int id) throws SQLException {
    insert.setInt(1, id);
    insert.setString(2, "batch");
    insert.addBatch();
  }

  @Test
  void aFailureHasTheDriversExceptionAndItsState() throws Exception {
    SQLException seen;
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      seen =
          (SQLException)
              catchThrowable(() -> statement.executeQuery("SELECT 'secret' FROM nowhere"));
      assertThat(seen.getStackTrace()[0].getClassName()).doesNotStartWith("dev.throughline");
    }
    SpanData span = recorded.takeSpan();
    assertThat(span.getName()).isEqualTo("SELECT nowhere");
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(span.getStatus().getDescription()).isEmpty();
    assertThat(span.getEvents()).isEmpty();
    assertThat(attributes(span))
        .containsEntry("db.response.status_code", noSuchTable())
        .containsEntry("error.type", noSuchTable());
    assertThat(attributes(span).values())
        .noneSatisfy(value -> assertThat(value.toString()).contains("secret"));

    MetricData duration = recorded.metric("db.client.operation.duration");
    assertThat(duration.getHistogramData().getPoints())
        .singleElement()
        .satisfies(
            point ->
                assertThat(attributes(point))
                    .containsAllEntriesOf(where())
                    .containsEntry("db.query.summary", "SELECT nowhere")
                    .containsEntry("db.operation.name", "SELECT")
                    .containsEntry("db.response.status_code", noSuchTable())
                    .containsEntry("error.type", noSuchTable())
                    .doesNotContainKey("db.query.text"));
  }

  @Test
  void theDurationIsInSeconds() throws Exception {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT id FROM users");
    }
    SpanData span = recorded.takeSpan();
    MetricData duration = recorded.metric("db.client.operation.duration");
    assertThat(duration.getUnit()).isEqualTo("s");
    assertThat(duration.getHistogramData().getPoints())
        .singleElement()
        .satisfies(
            point -> {
              assertThat(point.getCount()).isEqualTo(1);
              assertThat(point.getSum()).isBetween(0.0, 5.0);
              assertThat(point.getBoundaries())
                  .containsExactly(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1d, 5d, 10d);
              assertThat(point.getExemplars())
                  .allSatisfy(
                      exemplar ->
                          assertThat(exemplar.getSpanContext().getSpanId())
                              .isEqualTo(span.getSpanId()));
              assertThat(attributes(point))
                  .hasSize(where().size() + 3)
                  .containsAllEntriesOf(where());
            });
  }

  @Test
  void whatAWrappedObjectNamesIsWrapped() throws Exception {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT id FROM users")) {
      assertThat(statement.getConnection()).isSameAs(connection);
      assertThat(rows.getStatement()).isSameAs(statement);
      assertThat(connection.getMetaData().getConnection()).isSameAs(connection);
      // A HikariCP connection gives what it stands for.
      assertThat(connection.unwrap(Connection.class) == connection).isEqualTo(!pooled);
      assertThat(connection.isWrapperFor(Connection.class)).isTrue();
      assertThat(connection).isEqualTo(connection).isEqualTo(statement.getConnection());
      assertThat(connection.hashCode()).isEqualTo(connection.hashCode());
      assertThat(connection.equals(statement)).isFalse();
      try (ResultSet tables = connection.getMetaData().getTables(null, null, "%", null)) {
        assertThat(tables.next()).isTrue();
        Statement of = tables.getStatement();
        assertThat(of == null || of.getConnection() == connection).isTrue();
      }
    }
    recorded.takeSpan();
  }

  @Test
  void aStatementThatIsHugeOrDeepDoesWhatItDoesBare() throws Exception {
    DataSource bare = bare();
    for (String sql :
        List.of(
            "SELECT " + "(".repeat(8_000),
            "SELECT " + "(".repeat(300) + "1" + ")".repeat(300),
            "SELECT name FROM users WHERE id IN (1" + ", 1".repeat(100_000) + ")",
            "SELECT name FROM users WHERE name = '" + "secret".repeat(200_000) + "'",
            "SELECT name FROM users" + " ".repeat(1 << 20))) {
      for (boolean prepared : new boolean[] {false, true}) {
        assertThat(outcome(database, sql, prepared))
            .as("%.60s", sql)
            .isEqualTo(outcome(bare, sql, prepared));
      }
    }
    assertThat(recorded.takeSpans(10))
        .allSatisfy(
            span -> {
              Object text = attributes(span).get("db.query.text");
              assertThat(text == null ? "" : text.toString())
                  .hasSizeLessThanOrEqualTo(SqlText.LIMIT + 2)
                  .doesNotContain("secret");
            });
  }

  private static String outcome(DataSource source, String sql, boolean prepared)
      throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      if (!prepared) {
        return String.valueOf(statement.execute(sql));
      }
      try (PreparedStatement preparedStatement = connection.prepareStatement(sql)) {
        return String.valueOf(preparedStatement.execute());
      }
    } catch (SQLException e) {
      return e.getSQLState() + " " + e.getErrorCode() + " " + e.getMessage();
    } catch (Error e) {
      return e.toString();
    }
  }

  @Test
  void twoPoolsDoNotMix() throws Exception {
    DataSource other = telemetry().build().wrap(H2.memory("other"));
    try (Connection ours = database.getConnection();
        Connection theirs = other.getConnection();
        Statement here = ours.createStatement();
        Statement there = theirs.createStatement()) {
      here.execute("SELECT 1");
      there.execute("SELECT 1");
      here.execute("SELECT 1");
    }
    assertThat(recorded.takeSpans(3))
        .extracting(span -> attributes(span).get("db.namespace"))
        .containsExactly(where().get("db.namespace"), "other", where().get("db.namespace"));
  }

  @Test
  void wrappedTwiceIsStillOneSpan() throws Exception {
    DataSource twice = telemetry().build().wrap(database);
    assertThat(twice).isSameAs(database);
    HikariConfig config = new HikariConfig();
    config.setDataSource(database);
    config.setMaximumPoolSize(1);
    try (HikariDataSource outer = new HikariDataSource(config)) {
      DataSource again = telemetry().build().wrap(outer);
      try (Connection connection = again.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute("SELECT id FROM users");
      }
    }
    List<SpanData> spans =
        recorded.takeSpans(
            taken -> taken.stream().anyMatch(span -> span.getName().equals("SELECT users")));
    assertThat(spans).filteredOn(span -> span.getName().equals("SELECT users")).hasSize(1);
  }

  @Test
  void anExhaustedPoolShowsTheWait() throws Exception {
    HikariConfig config = new HikariConfig();
    config.setDataSource(bare());
    config.setMaximumPoolSize(1);
    config.setPoolName("narrow");
    config.setConnectionTimeout(250);
    // A connection has a second from that, which the first may need longer than.
    config.setInitializationFailTimeout(30_000);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      DataSource wrapped = JdbcTelemetry.create(recorded.telemetry()).wrap(pool);
      try (Connection held = wrapped.getConnection();
          Statement statement = held.createStatement()) {
        statement.execute("SELECT id FROM users");
        recorded.takeSpans(
            taken -> taken.stream().anyMatch(span -> span.getName().equals("SELECT users")));
        assertThatThrownBy(wrapped::getConnection)
            .isExactlyInstanceOf(SQLTransientConnectionException.class);
      }
      SpanData wait = recorded.takeSpan();
      assertThat(wait.getName()).isEqualTo("connection.wait");
      assertThat(wait.getKind()).isEqualTo(SpanKind.INTERNAL);
      assertThat(wait.getEndEpochNanos() - wait.getStartEpochNanos())
          .isGreaterThan(Duration.ofMillis(200).toNanos());
      assertThat(wait.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
      Map<String, Object> expected = new HashMap<>(where());
      expected.keySet().removeIf(key -> key.startsWith("db."));
      expected.put("connection.pool", "narrow");
      expected.put("error.type", SQLTransientConnectionException.class.getName());
      assertThat(attributes(wait)).isEqualTo(expected);
    }
  }

  static Map<String, Object> attributes(SpanData span) {
    return named(span.getAttributes().asMap());
  }

  static Map<String, Object> attributes(PointData point) {
    return named(point.getAttributes().asMap());
  }

  private static Map<String, Object> named(Map<AttributeKey<?>, Object> attributes) {
    return attributes.entrySet().stream()
        .collect(Collectors.toMap(entry -> entry.getKey().getKey(), Map.Entry::getValue));
  }
}
