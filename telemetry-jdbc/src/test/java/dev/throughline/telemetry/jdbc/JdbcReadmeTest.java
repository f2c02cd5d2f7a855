// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class JdbcReadmeTest extends ReadmeKit {

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  @Test
  void recordsStatementsOfBoth() throws SQLException {
    Telemetry telemetry = recorded.telemetry();
    DataSource pool = H2.memory("readme");
    String url = "jdbc:h2:mem:readme";
    // region
    JdbcTelemetry jdbc = JdbcTelemetry.create(telemetry);

    DataSource database = jdbc.wrap(pool); // a pool, or any other DataSource
    Connection connection = DriverManager.getConnection(jdbc.wrapUrl(url)); // without one
    // endregion
    try (connection;
        Connection pooled = database.getConnection();
        Statement create = connection.createStatement();
        Statement select = pooled.createStatement()) {
      create.execute("CREATE TABLE users (id INT)");
      select.execute("SELECT id FROM users");
    }
    // A machine that is slow just then may show a wait.
    assertThat(
            recorded.takeSpans(
                spans -> spans.stream().anyMatch(span -> span.getName().equals("SELECT users"))))
        .extracting(SpanData::getName)
        .contains("CREATE TABLE users", "SELECT users");
  }
}
