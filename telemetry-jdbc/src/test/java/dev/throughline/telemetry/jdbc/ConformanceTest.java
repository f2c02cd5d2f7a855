// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.exporter.internal.marshal.Marshaler;
import io.opentelemetry.exporter.internal.otlp.metrics.MetricsRequestMarshaler;
import io.opentelemetry.exporter.internal.otlp.traces.TraceRequestMarshaler;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/**
 * Holds every kind of span and metric that this module records against the semantic conventions,
 * and writes them to {@code target/otlp.jsonl}, one OTLP/JSON request a line, for other checkers.
 */
class ConformanceTest {

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final InMemoryMetricReader metrics = InMemoryMetricReader.create();

  @Test
  void followsTheConventions() throws Exception {
    try (Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("conformance")
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addSpanProcessor(SimpleSpanProcessor.create(spans))
            .addMetricReader(metrics)
            .build()) {
      JdbcTelemetry jdbc =
          JdbcTelemetry.builder(telemetry)
              .setTransactionSpans(true)
              .setWaitThreshold(Duration.ZERO)
              .build();
      Collection<MetricData> recorded;
      HikariConfig config = new HikariConfig();
      config.setMaximumPoolSize(1);
      config.setConnectionTimeout(250);
      try (HikariDataSource pool = new HikariDataSource(config(config))) {
        DataSource wrapped = jdbc.wrap(pool);
        statements(wrapped);
        try (Connection held = wrapped.getConnection()) {
          assertThat(held.isValid(1)).isTrue();
          assertThat(catchThrowable(wrapped::getConnection)).isInstanceOf(SQLException.class);
        }
        for (String url :
            List.of(
                "jdbc:postgresql://db/fleet",
                "jdbc:mysql://db/fleet",
                "jdbc:sqlserver://db;databaseName=fleet",
                "jdbc:oracle:thin:@//db/fleet",
                "jdbc:sqlite:fleet.db",
                "jdbc:unheard-of:fleet")) {
          FakeDriver driver = new FakeDriver().answering("getURL", url);
          driver.failing("executeUpdate", new SQLException("of a driver", "40001"));
          driver.failing("executeLargeUpdate", new IllegalStateException("of a driver"));
          fakes(jdbc.wrap(driver.make(DataSource.class)));
        }
        // HikariCP counts the waits of its pool anew each second.
        recorded = metrics.collectAllMetrics();
      }
      assertThat(metrics.collectAllMetrics())
          .as("A pool that is closed is not observed any more")
          .extracting(MetricData::getName)
          .doesNotContain("db.client.connection.max");
      write(spans.getFinishedSpanItems(), recorded);
      assertThat(spans.getFinishedSpanItems())
          .hasSizeGreaterThan(40)
          .allSatisfy(ConformanceTest::conforms);
      assertThat(recorded)
          .extracting(MetricData::getName)
          .contains(
              "db.client.operation.duration",
              "db.client.connection.count",
              "db.client.connection.idle.min",
              "db.client.connection.max",
              "db.client.connection.pending_requests",
              "db.client.connection.timeouts",
              "db.client.connection.use_time",
              "db.client.connection.wait_time");
    }
  }

  private static HikariConfig config(HikariConfig config) {
    config.setDataSource(H2.memory("conformance"));
    return config;
  }

  private static void statements(DataSource source) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE IF EXISTS users");
      statement.execute("CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40))");
      connection.setAutoCommit(false);
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO users VALUES (?, ?)")) {
        for (int id = 0; id < 3; id++) {
          insert.setInt(1, id);
          insert.setString(2, "secret");
          insert.addBatch();
        }
        insert.executeBatch();
      }
      connection.commit();
      statement.addBatch("UPDATE users SET name = 'secret'");
      statement.addBatch("DELETE FROM users WHERE name = 'secret'");
      statement.executeBatch();
      connection.rollback();
      statement.executeQuery("SELECT u.id FROM users u JOIN users v ON u.id = v.id").close();
      try (CallableStatement call = connection.prepareCall("CALL ABS(-7)")) {
        call.execute();
      }
      assertThat(catchThrowable(() -> statement.execute("SELECT 'secret' FROM nowhere")))
          .isInstanceOf(SQLException.class);
      assertThat(catchThrowable(() -> statement.execute(null))).isNotNull();
    }
  }

  private static void fakes(DataSource source) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.executeQuery("SELECT \"name\" FROM users WHERE name = 'secret'");
      statement.executeQuery("nothing that is SQL");
      assertThat(catchThrowable(() -> statement.executeUpdate("DELETE FROM users"))).isNotNull();
      assertThat(catchThrowable(() -> statement.executeLargeUpdate("DELETE FROM t"))).isNotNull();
    }
  }

  private static void conforms(SpanData span) {
    Map<String, Object> attributes = DatabaseKit.attributes(span);
    boolean failed = span.getStatus().getStatusCode() == StatusCode.ERROR;
    assertThat(attributes.containsKey("error.type")).as("%s", span).isEqualTo(failed);
    if (!span.getName().equals("connection.wait")) {
      assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
      assertThat(attributes).containsKey("db.system.name");
      assertThat(span.getName())
          .isEqualTo(
              Stream.of("db.query.summary", "db.namespace", "db.system.name")
                  .map(attributes::get)
                  .filter(Objects::nonNull)
                  .findFirst()
                  .orElse(null));
    }
    assertThat(attributes.values())
        .allSatisfy(value -> assertThat(value.toString()).doesNotContain("secret"));
  }

  private static void write(List<SpanData> spans, Collection<MetricData> metrics)
      throws IOException {
    try (OutputStream out = Files.newOutputStream(Path.of("target", "otlp.jsonl"))) {
      for (Marshaler request :
          List.of(TraceRequestMarshaler.create(spans), MetricsRequestMarshaler.create(metrics))) {
        request.writeJsonTo(out);
        out.write('\n');
      }
    }
  }
}
