// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.file.Path;
import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The same scenario bare and wrapped, on real databases and behind real pools: what comes back,
 * what is thrown, its chain, warnings and order are compared to the letter.
 */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class TransparencyTest {

  /** How a database is wrapped. */
  private enum Mode {
    ON,
    ALL_OPTIONS,
    UNSAMPLED,
    OFF,
    BY_URL
  }

  @Nested
  class H2Database extends Kit {
    H2Database() {
      super("org.h2.Driver", "org.h2.jdbc.JdbcConnection");
    }

    @Override
    String url(Path folder) {
      return "jdbc:h2:mem:transparent;DB_CLOSE_DELAY=-1";
    }
  }

  @Nested
  class Sqlite extends Kit {
    Sqlite() {
      super("org.sqlite.JDBC", "org.sqlite.SQLiteConnection");
    }

    @Override
    String url(Path folder) {
      return "jdbc:sqlite:" + folder.resolve("transparent.db");
    }
  }

  @Nested
  class Postgres extends Kit {
    private EmbeddedPostgres server;

    Postgres() {
      super("org.postgresql.Driver", "org.postgresql.PGConnection");
    }

    @Override
    String url(Path folder) throws Exception {
      server = PostgresTest.startServer();
      return server.getJdbcUrl("postgres", "postgres");
    }

    @Override
    void stop() throws Exception {
      server.close();
    }
  }

  @Nested
  class MariaDatabase extends Kit {
    private MariaDb server;

    MariaDatabase() {
      super("org.mariadb.jdbc.Driver", "org.mariadb.jdbc.Connection");
    }

    @Override
    String url(Path folder) throws Exception {
      assumeTrue(MariaDb.isInstalled(), "no MariaDB here: Debian's package is mariadb-server");
      server = MariaDb.start(folder);
      return server.url("mariadb");
    }

    @Override
    void stop() throws Exception {
      if (server != null) {
        server.close();
      }
    }
  }

  /** What holds for each database. */
  @TestInstance(TestInstance.Lifecycle.PER_CLASS)
  abstract static class Kit {

    private final String driver;
    private final String vendorsConnection;
    private String url;
    private final Map<Pool, List<String>> seenBare = new EnumMap<>(Pool.class);
    private final List<String> same = new ArrayList<>();
    private List<String> spansOfAll;

    Kit(String driver, String vendorsConnection) {
      this.driver = driver;
      this.vendorsConnection = vendorsConnection;
    }

    abstract String url(Path folder) throws Exception;

    void stop() throws Exception {}

    @BeforeAll
    final void start(@TempDir Path folder) throws Exception {
      url = url(folder);
    }

    @AfterAll
    final void end() throws Exception {
      stop();
      System.out.println(getClass().getSimpleName() + " is the same wrapped: " + same);
    }

    static Stream<Arguments> cells() {
      return Arrays.stream(Pool.values())
          .flatMap(pool -> Arrays.stream(Mode.values()).map(mode -> Arguments.of(pool, mode)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cells")
    void aWrappedDatabaseDoesWhatTheBareOneDoes(Pool pool, Mode mode) throws Exception {
      List<String> bare = seenBare.get(pool);
      if (bare == null) {
        bare = run(pool, url, driver, source -> source);
        assertThat(bare).hasSizeGreaterThan(60);
        seenBare.put(pool, bare);
      }
      List<SpanData> spans = new ArrayList<>();
      InMemorySpanExporter exporter = InMemorySpanExporter.create();
      try (Telemetry telemetry = telemetry(mode, exporter)) {
        JdbcTelemetry jdbc = jdbc(telemetry, mode);
        boolean byUrl = mode == Mode.BY_URL;
        List<String> wrapped =
            run(
                pool,
                byUrl ? jdbc.wrapUrl(url) : url,
                byUrl ? JdbcTelemetryDriver.class.getName() : driver,
                byUrl ? source -> source : jdbc::wrap);
        assertThat(differences(bare, wrapped, mode)).isEmpty();
        spans.addAll(exporter.getFinishedSpanItems());
      }
      List<String> names =
          spans.stream()
              .filter(span -> span.getKind() == SpanKind.CLIENT)
              .map(SpanData::getName)
              .toList();
      switch (mode) {
        case UNSAMPLED, OFF -> assertThat(names).isEmpty();
        case ALL_OPTIONS -> assertThat(names).contains("COMMIT", "ROLLBACK", "SELECT kit");
        default -> {
          // Of a statement there is one span, whatever the pool, and however it is wrapped.
          spansOfAll = spansOfAll == null ? names : spansOfAll;
          assertThat(names).hasSizeGreaterThan(20).isEqualTo(spansOfAll);
        }
      }
      assertThat(spans.toString()).doesNotContain("secret");
      same.add(pool + " " + mode);
    }

    private static List<String> differences(List<String> bare, List<String> wrapped, Mode mode) {
      assertThat(wrapped).hasSameSizeAs(bare);
      List<String> differences = new ArrayList<>();
      for (int i = 0; i < bare.size(); i++) {
        // Behind a literal that is not closed, a comment is part of it, and errors have positions.
        boolean hasComment = mode == Mode.ALL_OPTIONS && bare.get(i).contains("Exception");
        if (hasComment
            && (bare.get(i).contains("SELEC '")
                || withoutPosition(wrapped.get(i)).equals(withoutPosition(bare.get(i))))) {
          continue;
        }
        if (!wrapped.get(i).equals(bare.get(i))) {
          differences.add("bare:    " + bare.get(i) + "\nwrapped: " + wrapped.get(i));
        }
      }
      return differences;
    }

    private static String withoutPosition(String error) {
      return error.replaceAll("(?i)position:? [0-9]+", "");
    }

    private static Telemetry telemetry(Mode mode, InMemorySpanExporter spans) {
      return Telemetry.builder()
          .ignoreEnvironment()
          .addProperty("otel.traces.exporter", "none")
          .addProperty("otel.metrics.exporter", "none")
          .addProperty("otel.logs.exporter", "none")
          .addProperty("otel.sdk.disabled", Boolean.toString(mode == Mode.OFF))
          .addProperty("otel.traces.sampler", mode == Mode.UNSAMPLED ? "always_off" : "always_on")
          .addSpanProcessor(SimpleSpanProcessor.create(spans))
          .build();
    }

    private static JdbcTelemetry jdbc(Telemetry telemetry, Mode mode) {
      JdbcTelemetryBuilder builder = JdbcTelemetry.builder(telemetry);
      if (mode == Mode.ALL_OPTIONS) {
        builder
            .setSqlComments(true)
            .setSqlCommentsInPrepared(true)
            .setTransactionSpans(true)
            .setWaitThreshold(Duration.ZERO);
      }
      return builder.build();
    }

    private List<String> run(
        Pool pool, String url, String driver, UnaryOperator<DataSource> wrapping) throws Exception {
      DataSource source = pool.open(url, driver);
      try {
        return new Scenario(vendorsConnection).run(wrapping.apply(source));
      } finally {
        if (source instanceof AutoCloseable closeable) {
          closeable.close();
        }
      }
    }
  }

  /** What an application may do, and what it sees. */
  private static final class Scenario {

    private final List<String> seen = new ArrayList<>();
    private final String vendorsConnection;

    Scenario(String vendorsConnection) {
      this.vendorsConnection = vendorsConnection;
    }

    private interface Step {
      Object run() throws Exception;
    }

    private void see(String what, Step step) {
      String result;
      try {
        result = described(step.run());
      } catch (Throwable t) {
        result = thrown(t);
      }
      seen.add(
          what
              + ": "
              + result
                  .replaceAll("@[0-9a-f]+|[0-9a-z]{16,}\\|[0-9a-f]+", "@")
                  .replaceAll("\\b(conn=?|stat|prep|rs|dbMeta)[0-9]+", "$1")
                  .replaceAll(" /\\*traceparent='[^']*'\\*/", ""));
    }

    private static String described(Object result) {
      if (result instanceof int[] counts) {
        return Arrays.toString(counts);
      }
      return result instanceof long[] counts ? Arrays.toString(counts) : String.valueOf(result);
    }

    private static String thrown(Throwable thrown) {
      StringBuilder text = new StringBuilder();
      for (Throwable t = thrown; t != null; t = t.getCause()) {
        // Of its own, once it has thrown many, the JVM leaves out the message.
        String message = t instanceof NullPointerException ? "" : t.getMessage();
        text.append(t.getClass().getName()).append(" '").append(message).append("' ");
        if (t instanceof SQLException sql) {
          text.append(sql.getSQLState()).append(' ').append(sql.getErrorCode()).append(' ');
          if (sql.getNextException() != null) {
            text.append("next ").append(sql.getNextException().getMessage()).append(' ');
          }
        }
        if (t instanceof BatchUpdateException batch) {
          text.append(Arrays.toString(batch.getUpdateCounts()));
        }
      }
      return text.toString();
    }

    List<String> run(DataSource source) throws Exception {
      try (Connection connection = source.getConnection()) {
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
          statement.execute("DROP TABLE IF EXISTS kit");
          statement.execute(
              "CREATE TABLE kit (id INTEGER PRIMARY KEY, name VARCHAR(40) UNIQUE, size DOUBLE PRECISION)");
          statement(statement);
          warnings(connection, statement);
        }
        prepared(connection);
        batches(connection);
        transactions(connection);
        callable(connection);
        metaData(connection);
        wrappers(connection);
        identities(connection);
        see("warnings", connection::getWarnings);
        connection.close();
        see("closed", connection::isClosed);
        see("close again", does(connection::close));
        see("statement of a closed one", connection::createStatement);
        see("prepared of a closed one", () -> connection.prepareStatement("SELECT 1"));
        see("metadata of a closed one", connection::getMetaData);
      }
      see("source", () -> source.isWrapperFor(DataSource.class));
      see("source of a stranger", () -> source.unwrap(Scenario.class));
      return seen;
    }

    private interface Action {
      void run() throws Exception;
    }

    private static Step does(Action action) {
      return () -> {
        action.run();
        return "done";
      };
    }

    private void statement(Statement statement) {
      for (String sql :
          new String[] {
            "INSERT INTO kit VALUES (1, 'ada-secret', 1.5)",
            "INSERT INTO kit VALUES (2, 'grace', NULL);",
            "INSERT INTO kit VALUES (1, 'again-secret', 0)",
            "INSERT INTO kit VALUES (3, 'ada-secret', 0)",
            "UPDATE kit SET size = 2 WHERE id > 0 ; ",
            "SELECT name FROM nowhere WHERE name = 'secret'",
            "SELEC 'secret",
            "",
            null
          }) {
        see("update " + sql, () -> statement.executeUpdate(sql));
        see("execute " + sql, () -> statement.execute(sql));
        see("count", statement::getUpdateCount);
      }
      for (String sql :
          new String[] {
            "SELECT id, name, size FROM kit ORDER BY id",
            "SELECT name FROM kit WHERE id = 2;",
            "SELECT COUNT(*) FROM kit WHERE name LIKE 'a%'",
          }) {
        see("query " + sql, () -> rows(statement.executeQuery(sql)));
        see("more", statement::getMoreResults);
      }
      see("large", () -> statement.executeLargeUpdate("UPDATE kit SET size = 3"));
      see(
          "keys",
          () ->
              statement.executeUpdate(
                      "INSERT INTO kit VALUES (7, 'keys', 0);", Statement.RETURN_GENERATED_KEYS)
                  + rows(statement.getGeneratedKeys()));
      see(
          "no such key",
          () -> statement.execute("UPDATE kit SET size = 4", new String[] {"nothing"}));
      see("timeout", does(() -> statement.setQueryTimeout(-1)));
      see("cancel", does(statement::cancel));
    }

    private void warnings(Connection connection, Statement statement) {
      see("a warning", () -> statement.execute("DROP TABLE IF EXISTS nowhere"));
      see("warning", () -> chain(statement.getWarnings()));
      see("a truncation", () -> rows(statement.executeQuery("SELECT CAST('12x' AS CHAR(2))")));
      see("warning of it", () -> chain(statement.getWarnings()));
      see("cleared", does(statement::clearWarnings));
      see("none", statement::getWarnings);
      see("of the connection", () -> chain(connection.getWarnings()));
    }

    private static String chain(SQLWarning first) {
      StringBuilder text = new StringBuilder();
      for (SQLWarning each = first; each != null; each = each.getNextWarning()) {
        text.append(each.getClass()).append(each.getMessage()).append(each.getSQLState());
      }
      return text.toString();
    }

    private static String rows(ResultSet rows) throws SQLException {
      try (rows) {
        ResultSetMetaData columns = rows.getMetaData();
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
          text.append(columns.getColumnLabel(i)).append(columns.getColumnTypeName(i)).append(' ');
        }
        while (rows.next()) {
          for (int i = 1; i <= columns.getColumnCount(); i++) {
            Object value = rows.getObject(i);
            text.append(value).append(value == null ? "" : value.getClass()).append(rows.wasNull());
          }
        }
        return text.toString();
      }
    }

    private void prepared(Connection connection) {
      see(
          "insert",
          () -> {
            try (PreparedStatement insert =
                connection.prepareStatement(
                    "INSERT INTO kit (id, name, size) VALUES (?, ?, ?);",
                    Statement.RETURN_GENERATED_KEYS)) {
              insert.setInt(1, 20);
              insert.setString(2, "secret-of-a-parameter");
              insert.setNull(3, Types.DOUBLE);
              return insert.executeUpdate() + rows(insert.getGeneratedKeys());
            }
          });
      see(
          "select",
          () -> {
            try (PreparedStatement select =
                connection.prepareStatement("SELECT name FROM kit WHERE id = ?")) {
              see("unset", select::executeQuery);
              see("no such parameter", does(() -> select.setInt(9, 1)));
              select.setInt(1, 20);
              select.setMaxRows(1);
              return rows(select.executeQuery()) + select.getMaxRows();
            }
          });
      see("refused", () -> close(connection.prepareStatement("SELECT x FROM nowhere WHERE y = ?")));
      see("broken", () -> close(connection.prepareStatement("SELEC 'secret")));
      see("null", () -> connection.prepareStatement(null));
    }

    private static String close(PreparedStatement statement) throws SQLException {
      try (statement) {
        statement.setInt(1, 1);
        return rows(statement.executeQuery());
      }
    }

    private void batches(Connection connection) {
      see(
          "batch",
          () -> {
            try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO kit (id, name) VALUES (?, ?)")) {
              see("empty", insert::executeBatch);
              for (int id = 30; id < 33; id++) {
                insert.setInt(1, id);
                insert.setString(2, "batch" + id);
                insert.addBatch();
              }
              see("of three", insert::executeBatch);
              insert.setInt(1, 33);
              insert.setString(2, "one");
              insert.addBatch();
              see("large", insert::executeLargeBatch);
              insert.setInt(1, 30);
              insert.setString(2, "twice-secret");
              insert.addBatch();
              return insert.executeBatch();
            }
          });
      see(
          "mixed",
          () -> {
            try (Statement statement = connection.createStatement()) {
              statement.addBatch("UPDATE kit SET size = 1 WHERE id = 30");
              statement.addBatch("DELETE FROM nowhere");
              statement.addBatch("UPDATE kit SET size = 1 WHERE id = 31");
              see("fails", statement::executeBatch);
              statement.clearBatch();
              statement.addBatch("DELETE FROM kit WHERE id = 33");
              return statement.executeBatch();
            }
          });
    }

    private void transactions(Connection connection) {
      see(
          "transaction",
          () -> {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
              statement.execute("UPDATE kit SET size = 100");
              Savepoint savepoint = connection.setSavepoint("here");
              statement.execute("DELETE FROM kit");
              connection.rollback(savepoint);
              see(
                  "after a savepoint",
                  () -> rows(statement.executeQuery("SELECT COUNT(*) FROM kit")));
              connection.rollback();
              connection.commit();
              return rows(statement.executeQuery("SELECT SUM(size) FROM kit WHERE id < 3"));
            } finally {
              connection.rollback();
              connection.setAutoCommit(true);
            }
          });
      see("commit", does(connection::commit));
      see("isolation", connection::getTransactionIsolation);
      see("read only", connection::isReadOnly);
    }

    private void callable(Connection connection) {
      for (String sql :
          new String[] {"{? = call abs(?)}", "{call abs(?)}", "CALL ABS(?)", "{call no(?)}"}) {
        see(
            sql,
            () -> {
              try (CallableStatement call = connection.prepareCall(sql)) {
                if (sql.startsWith("{?")) {
                  call.registerOutParameter(1, Types.INTEGER);
                  call.setInt(2, -7);
                  call.execute();
                  return call.getInt(1);
                }
                call.setInt(1, -7);
                return rows(call.executeQuery());
              }
            });
      }
    }

    private void metaData(Connection connection) throws SQLException {
      DatabaseMetaData metaData = connection.getMetaData();
      see("product", metaData::getDatabaseProductName);
      see("url", metaData::getURL);
      see("user", metaData::getUserName);
      see("columns", () -> names(metaData.getColumns(null, null, "kit", "%")));
      see("native", () -> connection.nativeSQL("SELECT {fn abs(-1)}"));
      see("client", connection::getClientInfo);
      see("schema", connection::getSchema);
    }

    private static String names(ResultSet columns) throws SQLException {
      StringBuilder text = new StringBuilder();
      try (columns) {
        while (columns.next()) {
          text.append(columns.getString("COLUMN_NAME")).append(columns.getString("TYPE_NAME"));
        }
      }
      return text.toString();
    }

    private void wrappers(Connection connection) throws Exception {
      Class<?> vendors = Class.forName(vendorsConnection);
      see("is the vendor's", () -> connection.isWrapperFor(vendors));
      see("the vendor's", () -> vendors.isInstance(connection.unwrap(vendors)));
      see("is a stranger", () -> connection.isWrapperFor(Scenario.class));
      see("a stranger", () -> connection.unwrap(Scenario.class));
      see("of null", () -> connection.unwrap(null));
      see("interfaces", () -> vendors.isInterface() && vendors.isInstance(connection));
      try (Statement statement = connection.createStatement()) {
        see("statement", () -> statement.isWrapperFor(Statement.class));
        see("statement's stranger", () -> statement.unwrap(Scenario.class));
        see("its connection", () -> statement.getConnection().equals(connection));
        try (ResultSet rows = statement.executeQuery("SELECT 1")) {
          see("its statement", () -> rows.getStatement().equals(statement));
          see("result set", () -> rows.isWrapperFor(ResultSet.class));
        }
      }
    }

    private void identities(Connection connection) {
      see("equal", () -> connection.equals(connection));
      see("hash", () -> connection.hashCode() == connection.hashCode());
      see("not null", () -> connection.equals(null));
      see("catalog", connection::getCatalog);
      see("abort", does(() -> connection.abort(null)));
      see("executor", () -> Objects.toString(connection.getNetworkTimeout()));
    }
  }
}
