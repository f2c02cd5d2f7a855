// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.mysql.cj.jdbc.JdbcConnection;
import com.mysql.cj.jdbc.MysqlDataSource;
import com.mysql.cj.jdbc.MysqlXADataSource;
import com.mysql.cj.telemetry.NoopTelemetryHandler;
import com.mysql.cj.telemetry.TelemetryHandler;
import com.zaxxer.hikari.HikariDataSource;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** MySQL's driver finds the global instance, and is not to record what we record. */
class MySqlTelemetryTest {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private static MariaDb server;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    assumeTrue(MariaDb.isInstalled(), "no MariaDB here: Debian's package is mariadb-server");
    server = MariaDb.start(folder);
  }

  @AfterAll
  static void stop() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  @BeforeEach
  void registerGlobally() {
    GlobalOpenTelemetry.resetForTest();
    GlobalOpenTelemetry.set(recorded.telemetry().openTelemetry());
  }

  @AfterEach
  void reset() {
    GlobalOpenTelemetry.resetForTest();
  }

  private JdbcTelemetry jdbc() {
    return JdbcTelemetry.builder(recorded.telemetry()).setWaitThreshold(Duration.ofDays(1)).build();
  }

  private List<SpanData> select(DataSource source) throws Exception {
    try (Connection connection = source.getConnection();
        PreparedStatement prepared = connection.prepareStatement("SELECT ? + 42");
        Statement statement = connection.createStatement()) {
      prepared.setInt(1, 1);
      prepared.executeQuery().close();
      statement.execute("SELECT name FROM (SELECT 'kit-secret' AS name) AS t");
    }
    return recorded.takeSpans(spans -> true);
  }

  private MysqlDataSource mySql() {
    MysqlDataSource source = new MysqlDataSource();
    source.setUrl(server.url("mysql"));
    return source;
  }

  private static void onlyOurs(List<SpanData> spans) {
    assertThat(spans)
        .allSatisfy(
            span ->
                assertThat(span.getInstrumentationScopeInfo().getName())
                    .isEqualTo(JdbcTelemetry.SCOPE));
    assertThat(spans).hasSize(2);
    assertThat(spans.toString()).doesNotContain(MariaDb.PASSWORD);
  }

  @Test
  void aDataSourceHasOurSpansAlone() throws Exception {
    onlyOurs(select(jdbc().wrap(mySql())));
  }

  @Test
  void soHasOneOfATransactionManager() throws Exception {
    MysqlXADataSource source = new MysqlXADataSource();
    source.setUrl(server.url("mysql"));
    javax.sql.XAConnection xa = jdbc().wrapXa(source).getXAConnection();
    try (Connection connection = xa.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
      statement.execute("SELECT 2");
    }
    xa.close();
    onlyOurs(recorded.takeSpans(spans -> true));
  }

  @Test
  void soHasAPoolThatStartsLater() throws Exception {
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setJdbcUrl(server.url("mysql"));
      pool.setMaximumPoolSize(1);
      onlyOurs(select(jdbc().wrap(pool)));
    }
  }

  @ParameterizedTest
  @EnumSource(Pool.class)
  void soHasEachPoolOverAWrappedUrl(Pool pool) throws Exception {
    DataSource source =
        pool.open(jdbc().wrapUrl(server.url("mysql")), JdbcTelemetryDriver.class.getName());
    try {
      onlyOurs(select(source));
    } finally {
      if (source instanceof AutoCloseable closeable) {
        closeable.close();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Pool.class)
  void soHaveTheStatementsOfAPoolThatRunsAlready(Pool pool) throws Exception {
    DataSource source = pool.open(server.url("mysql"), "com.mysql.cj.jdbc.Driver");
    try {
      source.getConnection().close();
      assertThat(recorded.takeSpans(spans -> true).toString())
          .contains("db.connection_string")
          .doesNotContain(MariaDb.PASSWORD);
      DataSource wrapped = jdbc().wrap(source);
      List<SpanData> spans = select(wrapped);
      assertThat(spans.toString()).doesNotContain(MariaDb.PASSWORD);
      assertThat(spans)
          .extracting(span -> span.getInstrumentationScopeInfo().getName())
          .filteredOn(scope -> scope.equals(JdbcTelemetry.SCOPE))
          .hasSize(2);
    } finally {
      if (source instanceof AutoCloseable closeable) {
        closeable.close();
      }
      assertThat(recorded.takeSpans(spans -> true).toString()).doesNotContain(MariaDb.PASSWORD);
    }
  }

  @Test
  void whatTheApplicationAsksForStays() throws Exception {
    MysqlDataSource source = mySql();
    source.setOpenTelemetry("PREFERRED");
    jdbc().wrap(source);
    assertThat(source.getOpenTelemetry()).isEqualTo("PREFERRED");
    String url = server.url("mysql") + "&openTelemetry=PREFERRED";
    Properties info = new Properties();
    assertThat(MySqlTelemetry.switchOff(url, info)).isSameAs(info);
    try (Connection connection = DriverManager.getConnection(jdbc().wrapUrl(url));
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
    assertThat(recorded.takeSpans(spans -> true)).hasSizeGreaterThan(2);
  }

  @Test
  void whatItSetsAfterwardsHolds() throws Exception {
    MysqlDataSource source = mySql();
    DataSource wrapped = jdbc().wrap(source);
    source.setOpenTelemetry("PREFERRED");
    assertThat(select(wrapped)).hasSizeGreaterThan(2);
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setJdbcUrl(server.url("mysql"));
      DataSource wrappedPool = jdbc().wrap(pool);
      pool.addDataSourceProperty("openTelemetry", "PREFERRED");
      assertThat(select(wrappedPool)).hasSizeGreaterThan(2);
    }
    recorded.takeSpans(spans -> true);
  }

  @Test
  void aHandlerOfItsOwnStays() throws Exception {
    try (Connection connection = DriverManager.getConnection(server.url("mysql"))) {
      TelemetryHandler own =
          (TelemetryHandler)
              Proxy.newProxyInstance(
                  TelemetryHandler.class.getClassLoader(),
                  new Class<?>[] {TelemetryHandler.class},
                  (self, method, arguments) ->
                      FakeDriver.call(NoopTelemetryHandler.getInstance(), method, arguments));
      JdbcConnection mySql = connection.unwrap(JdbcConnection.class);
      mySql.getSession().setTelemetryHandler(own);
      MySqlTelemetry.switchOff(connection);
      assertThat(mySql.getSession().getTelemetryHandler()).isSameAs(own);
    }
    recorded.takeSpans(spans -> true);
  }
}
