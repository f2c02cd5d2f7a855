// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.resource.ClassLoaderResourceAccessor;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Libraries that take a URL and the class of a driver, or find a driver by the URL. */
class LibrariesTest {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private static final String DRIVER = JdbcTelemetryDriver.class.getName();

  private JdbcTelemetry jdbc() {
    return JdbcTelemetry.builder(recorded.telemetry()).setWaitThreshold(Duration.ofDays(1)).build();
  }

  @Test
  void flywayMigratesWithSpans(@TempDir Path folder) throws Exception {
    String url = "jdbc:h2:mem:flyway;DB_CLOSE_DELAY=-1";
    Files.writeString(folder.resolve("V1__users.sql"), "CREATE TABLE users (id INT);");
    jdbc().wrapUrl(url);
    assertThat(
            Flyway.configure()
                .driver(DRIVER)
                .dataSource(url, "", "")
                .locations("filesystem:" + folder)
                .load()
                .migrate()
                .migrationsExecuted)
        .isEqualTo(1);
    assertThat(recorded.takeSpans(spans -> true))
        .extracting(SpanData::getName)
        .contains("CREATE TABLE users");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void liquibaseOpensItWithSpans(boolean isWrapped) throws Exception {
    String url = "jdbc:h2:mem:liquibase;DB_CLOSE_DELAY=-1";
    String wrapped = jdbc().wrapUrl(url);
    Database database =
        DatabaseFactory.getInstance()
            .openDatabase(
                isWrapped ? wrapped : url,
                null,
                null,
                DRIVER,
                null,
                null,
                null,
                new ClassLoaderResourceAccessor());
    try (database) {
      assertThat(database.getShortName()).isEqualTo("h2");
      Connection connection =
          ((liquibase.database.jvm.JdbcConnection) database.getConnection())
              .getUnderlyingConnection();
      try (Statement statement = connection.createStatement()) {
        statement.execute("SELECT 1");
      }
    }
    assertThat(recorded.takeSpans(spans -> true)).extracting(SpanData::getName).contains("SELECT");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void hikariTakesAWrappedUrlWithAClassAndWithout(boolean hasClass) throws Exception {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(jdbc().wrapUrl("jdbc:h2:mem:hikari"));
    if (hasClass) {
      config.setDriverClassName(DRIVER);
    }
    try (HikariDataSource pool = new HikariDataSource(config);
        Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
    assertThat(recorded.takeSpan().getName()).isEqualTo("SELECT");
  }

  @Test
  void withTelemetryOffTheSameSettingsOpenTheSameDatabase() throws Exception {
    String url = "jdbc:h2:mem:off";
    try (Telemetry off =
        Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", "true").build()) {
      String given = JdbcTelemetry.create(off).wrapUrl(url);
      assertThat(new JdbcTelemetryDriver().acceptsURL(given)).isTrue();
      try (Connection connection =
          new JdbcTelemetryDriver().connect(given, new java.util.Properties())) {
        assertThat(Traced.of(connection)).isNull();
        assertThat(connection.getMetaData().getURL()).isEqualTo(url);
      }
    }
    assertThat(recorded.takeSpans(spans -> true)).isEqualTo(List.of());
  }
}
