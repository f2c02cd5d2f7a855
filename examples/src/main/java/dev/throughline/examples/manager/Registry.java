// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.manager;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.jdbc.JdbcTelemetry;
import java.net.URI;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Users and servers, in a SQLite database in memory. What is asked of it is recorded, and not how
 * it is filled.
 */
final class Registry implements AutoCloseable {

  private final HikariDataSource pool;
  private final DataSource database;

  Registry(Telemetry telemetry) {
    HikariConfig config = new HikariConfig();
    config.setPoolName("registry");
    config.setJdbcUrl("jdbc:sqlite:file:fleet?mode=memory");
    // Each connection has a memory of its own, which goes with it.
    config.setMaximumPoolSize(1);
    config.setMaxLifetime(0);
    pool = new HikariDataSource(config);
    database = JdbcTelemetry.create(telemetry).wrap(pool);
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      // It is gone with the process; passwords that are kept for longer must be hashed.
      statement.execute("CREATE TABLE users (name PRIMARY KEY, password, customer_id)");
      statement.execute("CREATE TABLE servers (id PRIMARY KEY, datacenter, gateway)");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  void add(Operator operator) {
    insert(
        "INSERT INTO users VALUES (?, ?, ?)",
        operator.name(),
        operator.password(),
        operator.customerId());
  }

  void add(KnownServer server) {
    insert(
        "INSERT INTO servers VALUES (?, ?, ?)",
        server.id(),
        server.datacenter(),
        server.gateway().toString());
  }

  private void insert(String sql, String... values) {
    try (Connection connection = pool.getConnection();
        PreparedStatement insert = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        insert.setString(i + 1, values[i]);
      }
      insert.executeUpdate();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The user of this name; null where there is none. */
  @Nullable Operator operator(String name) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement("SELECT password, customer_id FROM users WHERE name = ?")) {
      select.setString(1, name);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? new Operator(name, row.getString(1), row.getString(2)) : null;
      }
    }
  }

  /**
   * The server of this id.
   *
   * @throws Refusal if there is none
   */
  KnownServer server(String id) throws SQLException, Refusal {
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement("SELECT datacenter, gateway FROM servers WHERE id = ?")) {
      select.setString(1, id);
      try (ResultSet row = select.executeQuery()) {
        if (!row.next()) {
          throw new Refusal(404, "There is no server " + id);
        }
        return new KnownServer(id, row.getString(1), URI.create(row.getString(2)));
      }
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}
