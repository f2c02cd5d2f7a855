// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ThrowingHooksKit;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

class JdbcThrowingHooksTest extends ThrowingHooksKit {

  @Override
  protected Exchange exchange() {
    return JdbcThrowingHooksTest::exchange;
  }

  private static Object exchange(@Nullable Telemetry telemetry) throws SQLException {
    DataSource source = H2.memory("hooks");
    if (telemetry != null) {
      source =
          JdbcTelemetry.builder(telemetry)
              .setTransactionSpans(true)
              .setSqlComments(true)
              .setWaitThreshold(Duration.ZERO)
              .build()
              .wrap(source);
    }
    List<Object> seen = new ArrayList<>();
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      seen.add(statement.execute("CREATE TABLE IF NOT EXISTS t (id INT)"));
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?)")) {
        insert.setInt(1, 7);
        seen.add(insert.executeUpdate());
      }
      try (ResultSet rows = statement.executeQuery("SELECT id FROM t")) {
        seen.add(rows.next());
        seen.add(rows.getInt(1));
      }
      try {
        statement.execute("SELECT id FROM nowhere");
      } catch (SQLException e) {
        seen.add(e.getSQLState());
      }
      connection.rollback();
    }
    return seen;
  }
}
