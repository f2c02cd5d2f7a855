// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Drivers that throw where we look something up: the application never sees it. */
class ThrowingDriverTest {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private final FakeDriver driver = new FakeDriver();

  private DataSource wrap() {
    // A busy machine must not show a wait as well.
    return JdbcTelemetry.builder(recorded.telemetry())
        .setWaitThreshold(Duration.ofDays(1))
        .build()
        .wrap(driver.make(DataSource.class));
  }

  static Stream<Throwable> thrown() {
    return Stream.of(
        new SQLException("of a driver"),
        new IllegalStateException("of a driver"),
        new AbstractMethodError("of a driver of before"));
  }

  private SpanData statement(DataSource source) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      assertThat(statement.executeUpdate("DELETE FROM users WHERE id = 1")).isEqualTo(7);
    }
    SpanData span = recorded.takeSpan();
    assertThat(span.getName()).isEqualTo("DELETE users");
    return span;
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void metaDataThatThrow(Throwable thrown) throws Exception {
    driver.failing("getMetaData", thrown);
    assertThat(DatabaseKit.attributes(statement(wrap())))
        .containsEntry("db.system.name", "other_sql");
    recorded.expectWarn("DatabaseMetaData.getURL threw in dev.throughline.telemetry.jdbc");
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void aUrlThatThrows(Throwable thrown) throws Exception {
    driver.failing("getURL", thrown);
    assertThat(DatabaseKit.attributes(statement(wrap())))
        .containsEntry("db.system.name", "other_sql");
    recorded.expectWarn("DatabaseMetaData.getURL threw");
  }

  @Test
  void withoutAUrlTheProductTells() throws Exception {
    driver.answering("getURL", null).answering("getDatabaseProductName", "MariaDB");
    assertThat(DatabaseKit.attributes(statement(wrap())))
        .containsEntry("db.system.name", "mariadb")
        .doesNotContainKey("server.address");
  }

  @Test
  void ofAUrlThatNobodyKnowsTheProductTells() throws Exception {
    driver.answering("getURL", "jdbc:pooled:x").answering("getDatabaseProductName", "Oracle");
    assertThat(DatabaseKit.attributes(statement(wrap())))
        .containsEntry("db.system.name", "oracle.db");
  }

  @Test
  void withoutAUrlAndAProductNothingIsTold() throws Exception {
    driver.answering("getURL", null).answering("getDatabaseProductName", null);
    assertThat(DatabaseKit.attributes(statement(wrap())))
        .containsEntry("db.system.name", "other_sql");
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void aWrapperThatThrows(Throwable thrown) throws Exception {
    driver.failing("isWrapperFor", thrown);
    statement(wrap());
    recorded.expectWarn("HikariMetrics.of threw");
    recorded.expectWarn("Wrapper.isWrapperFor threw");
  }

  @Test
  void aSourceThatThrows() {
    SQLException thrown = new SQLException("of a driver");
    driver.failing("getConnection", thrown);
    assertThat(catchThrowable(() -> wrap().getConnection())).isSameAs(thrown);
  }

  @Test
  void aSourceThatGivesNothing() throws Exception {
    driver.answering("getConnection", null);
    assertThat(wrap().getConnection()).isNull();
  }

  @ParameterizedTest
  @ValueSource(classes = {NoClassDefFoundError.class, StackOverflowError.class})
  void anAnalyzerThatThrows(Class<? extends Error> thrown) {
    Guard guard = new Guard(JdbcTelemetry.SCOPE);
    Queries queries =
        new Queries(
            QueryText.SANITIZED,
            (sql, database) -> {
              throw thrown == StackOverflowError.class
                  ? new StackOverflowError()
                  : new NoClassDefFoundError("of another version");
            },
            guard);
    Query query = queries.get(Database.UNKNOWN, "SELECT 'secret'", false);
    assertThat(query.name).isEqualTo("other_sql");
    assertThat(query.shown.text()).isNull();
    recorded.expectWarn("SqlQueryAnalyzer.analyze threw");
  }

  @Test
  void aContextThatThrowsWhenItIsToGoToTheDatabase() {
    Context throwing =
        (Context)
            Proxy.newProxyInstance(
                Context.class.getClassLoader(),
                new Class<?>[] {Context.class},
                (self, method, arguments) -> {
                  throw new IllegalStateException("of a context");
                });
    Object[] arguments = {"SELECT 1"};
    SqlComment comment = new SqlComment(true, true, new Guard(JdbcTelemetry.SCOPE));
    assertThat(comment.inStatement(throwing, arguments)).isSameAs(arguments);
    recorded.expectWarn("SqlComment.add threw");
  }
}
