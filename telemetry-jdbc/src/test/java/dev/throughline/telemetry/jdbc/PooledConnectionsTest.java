// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.zaxxer.hikari.HikariDataSource;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.ConnectionEvent;
import javax.sql.ConnectionEventListener;
import javax.sql.ConnectionPoolDataSource;
import javax.sql.DataSource;
import javax.sql.PooledConnection;
import javax.sql.StatementEvent;
import javax.sql.StatementEventListener;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import org.apache.commons.dbcp2.datasources.SharedPoolDataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sources other than a plain pool: those of transaction managers and pools, and odd ones. */
class PooledConnectionsTest {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private final JdbcDataSource h2 = (JdbcDataSource) H2.memory("pools");

  private JdbcTelemetry jdbc() {
    return JdbcTelemetry.builder(recorded.telemetry()).setWaitThreshold(Duration.ofDays(1)).build();
  }

  private static void select(Connection connection) throws SQLException {
    try (connection;
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
  }

  @Test
  void aConnectionOfATransactionManagerIsRecorded() throws Exception {
    for (XADataSource source :
        List.of((XADataSource) jdbc().wrap(h2), jdbc().wrapXa((XADataSource) H2.memory("pools")))) {
      XAConnection connection = source.getXAConnection();
      assertThat(connection.getXAResource()).isNotNull();
      select(connection.getConnection());
      connection.close();
      assertThat(recorded.takeSpan().getName()).isEqualTo("SELECT");
    }
  }

  @Test
  void aPoolOfPooledConnectionsIsRecordedAndFindsItsOwn() throws Exception {
    ConnectionPoolDataSource source = jdbc().wrapPooled(h2);
    assertThat(jdbc().wrapPooled(source)).isSameAs(source);
    try (SharedPoolDataSource pool = new SharedPoolDataSource()) {
      pool.setConnectionPoolDataSource(source);
      pool.setMaxTotal(1);
      // With one connection, the second gets it only if the pool took the first one back.
      select(pool.getConnection());
      select(pool.getConnection());
    }
    assertThat(recorded.takeSpans(2)).extracting(SpanData::getName).containsOnly("SELECT");
  }

  @Test
  void aListenerIsToldOfTheConnectionThatItWasAddedToUntilItIsRemoved() throws Exception {
    PooledConnection pooled = jdbc().wrapPooled(h2).getPooledConnection();
    List<Object> closed = new ArrayList<>();
    ConnectionEventListener listener =
        new ConnectionEventListener() {
          @Override
          public void connectionClosed(ConnectionEvent event) {
            closed.add(event.getSource());
          }

          @Override
          public void connectionErrorOccurred(ConnectionEvent event) {}
        };
    pooled.addConnectionEventListener(listener);
    select(pooled.getConnection());
    pooled.removeConnectionEventListener(listener);
    select(pooled.getConnection());
    assertThat(closed).singleElement().isSameAs(pooled);
    recorded.takeSpans(2);
  }

  @Test
  void aStatementListenerIsToldOfIt() throws Exception {
    List<StatementEventListener> added = new ArrayList<>();
    FakeDriver driver = new FakeDriver();
    PooledConnection bare =
        (PooledConnection)
            java.lang.reflect.Proxy.newProxyInstance(
                PooledConnection.class.getClassLoader(),
                new Class<?>[] {PooledConnection.class},
                (self, method, arguments) -> {
                  added.add((StatementEventListener) arguments[0]);
                  return null;
                });
    driver.answering("getPooledConnection", bare);
    PooledConnection pooled =
        jdbc().wrapPooled(driver.make(ConnectionPoolDataSource.class)).getPooledConnection();
    List<StatementEvent> events = new ArrayList<>();
    pooled.addStatementEventListener(
        new StatementEventListener() {
          @Override
          public void statementClosed(StatementEvent event) {
            events.add(event);
          }

          @Override
          public void statementErrorOccurred(StatementEvent event) {
            events.add(event);
          }
        });
    SQLException error = new SQLException("of a driver");
    added.get(0).statementClosed(new StatementEvent(bare, null));
    added.get(0).statementErrorOccurred(new StatementEvent(bare, null, error));
    assertThat(events)
        .hasSize(2)
        .allSatisfy(event -> assertThat(event.getSource()).isSameAs(pooled));
    assertThat(events.get(1).getSQLException() == error).isTrue();
  }

  @Test
  void aCheckedExceptionThatNobodyDeclaresArrivesAsItIs() throws Exception {
    IOException sealed = new IOException("the vault is sealed");
    Pool.Plain bare = new Pool.Plain("jdbc:h2:mem:pools");
    DataSource routing =
        new Odd(bare) {
          @Override
          public Connection getConnection() {
            throw sneaky(sealed);
          }
        };
    DataSource wrapped = jdbc().wrap(routing);
    assertThat(catchThrowable(wrapped::getConnection)).isSameAs(sealed);
    select(wrapped.getConnection("", ""));
    assertThat(recorded.takeSpan().getName()).isEqualTo("SELECT");
    assertThat(wrapped).isEqualTo(wrapped).hasSameHashCodeAs(routing).hasToString("odd");
    assertThat(jdbc().wrap(wrapped)).isSameAs(wrapped);
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> RuntimeException sneaky(Throwable thrown) throws T {
    throw (T) thrown;
  }

  private static class Odd implements DataSource {
    private final DataSource to;

    Odd(DataSource to) {
      this.to = to;
    }

    @Override
    public Connection getConnection() throws SQLException {
      return to.getConnection();
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
      return to.getConnection(user, password);
    }

    @Override
    public java.io.PrintWriter getLogWriter() throws SQLException {
      return to.getLogWriter();
    }

    @Override
    public void setLogWriter(java.io.PrintWriter out) throws SQLException {
      to.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
      to.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
      return to.getLoginTimeout();
    }

    @Override
    public java.util.logging.Logger getParentLogger() {
      return null;
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
      return to.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
      return to.isWrapperFor(type);
    }

    @Override
    public String toString() {
      return "odd";
    }
  }

  @Test
  void aStatementThatCannotBePreparedIsASpan() throws Exception {
    try (Connection connection = jdbc().wrap(h2).getConnection()) {
      for (Call prepare :
          List.<Call>of(
              sql -> connection.prepareStatement(sql),
              sql -> connection.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS),
              sql -> connection.prepareCall(sql))) {
        assertThat(catchThrowable(() -> prepare.on("SELECT * FROM nowhere WHERE name = 'secret'")))
            .isInstanceOf(SQLException.class);
      }
      connection.prepareStatement("SELECT 1").close();
      assertThat(catchThrowable(() -> connection.prepareStatement(null))).isNotNull();
      connection.close();
      assertThat(catchThrowable(() -> connection.prepareStatement("SELECT 1"))).isNotNull();
    }
    assertThat(recorded.takeSpans(3))
        .allSatisfy(
            span -> {
              assertThat(span.getName()).isEqualTo("SELECT nowhere");
              assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
              assertThat(DatabaseKit.attributes(span))
                  .containsEntry("error.type", "42S04")
                  .containsEntry("db.system.name", "h2database")
                  .containsEntry("db.query.text", "SELECT * FROM nowhere WHERE name = ?");
            });
  }

  private interface Call {
    Object on(String sql) throws SQLException;
  }

  @Test
  void aPoolThatStartsLaterHasAName() throws Exception {
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setJdbcUrl("jdbc:h2:mem:pools");
      pool.setMaximumPoolSize(1);
      pool.setConnectionTimeout(250);
      DataSource wrapped = JdbcTelemetry.create(recorded.telemetry()).wrap(pool);
      try (Connection held = wrapped.getConnection()) {
        assertThat(held.isClosed()).isFalse();
        assertThat(catchThrowable(wrapped::getConnection)).isInstanceOf(SQLException.class);
      }
      assertThat(recorded.takeSpans(spans -> !spans.isEmpty()))
          .allSatisfy(
              wait ->
                  assertThat(DatabaseKit.attributes(wait))
                      .containsEntry("connection.pool", pool.getPoolName()));
    }
  }
}
