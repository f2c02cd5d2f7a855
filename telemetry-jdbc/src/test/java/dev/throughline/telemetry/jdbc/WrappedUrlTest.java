// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WrappedUrlTest {

  private static final String URL = "jdbc:h2:mem:wrapped;DB_CLOSE_DELAY=-1";

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private JdbcTelemetry jdbc() {
    return JdbcTelemetry.builder(recorded.telemetry()).setWaitThreshold(Duration.ofDays(1)).build();
  }

  @Test
  void aConnectionToAWrappedUrlIsRecorded() throws Exception {
    JdbcTelemetry jdbc = jdbc();
    String wrapped = jdbc.wrapUrl(URL);
    assertThat(wrapped).matches("jdbc:throughline:[0-9]+:h2:mem:wrapped;DB_CLOSE_DELAY=-1");
    assertThat(jdbc.wrapUrl(URL)).isEqualTo(wrapped);
    assertThat(jdbc.wrapUrl(wrapped)).isEqualTo(wrapped);
    try (Connection connection = DriverManager.getConnection(wrapped, "", "");
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1");
      assertThat(connection.getMetaData().getURL()).isEqualTo("jdbc:h2:mem:wrapped");
    }
    SpanData span = recorded.takeSpan();
    assertThat(DatabaseKit.attributes(span)).containsEntry("db.namespace", "wrapped");
  }

  @Test
  void eachTelemetryHasAUrlOfItsOwn() throws Exception {
    String ours = jdbc().wrapUrl(URL);
    String others =
        JdbcTelemetry.builder(recorded.telemetry())
            .setQueryText(QueryText.NONE)
            .setWaitThreshold(Duration.ofDays(1))
            .build()
            .wrapUrl(URL);
    assertThat(others).isNotEqualTo(ours);
    for (String url : List.of(ours, others)) {
      try (Connection connection = DriverManager.getConnection(url);
          Statement statement = connection.createStatement()) {
        statement.execute("SELECT 1");
      }
    }
    assertThat(recorded.takeSpans(2))
        .extracting(span -> DatabaseKit.attributes(span).get("db.query.text"))
        .containsExactly("SELECT ?", null);
  }

  @Test
  void theDriverIsTheOneOfTheUrlWithin() throws Exception {
    String url = jdbc().wrapUrl(URL);
    Driver driver = DriverManager.getDriver(url);
    assertThat(driver.acceptsURL(url)).isTrue();
    assertThat(driver.acceptsURL(URL)).isFalse();
    assertThat(driver.connect(URL, new Properties())).isNull();
    assertThat(driver.getPropertyInfo(url, new Properties())).isEmpty();
    assertThat(driver.getPropertyInfo(URL, new Properties())).isEmpty();
    assertThat(driver.jdbcCompliant()).isFalse();
    assertThat(driver.getMajorVersion()).isEqualTo(1);
    assertThat(driver.getMinorVersion()).isZero();
    assertThatThrownBy(driver::getParentLogger).isInstanceOf(SQLFeatureNotSupportedException.class);
  }

  @Test
  void aUrlThatNoDriverKnowsFailsAsItWould() {
    String url = jdbc().wrapUrl("jdbc:unheard-of:x");
    assertThatThrownBy(() -> DriverManager.getConnection(url))
        .isExactlyInstanceOf(SQLException.class)
        .hasMessage("No suitable driver found for jdbc:unheard-of:x");
  }
}
