// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

class PostgresTest {

  private static EmbeddedPostgres server;

  @BeforeAll
  static void start() throws Exception {
    server = startServer();
  }

  static EmbeddedPostgres startServer() throws Exception {
    // A port that is bound is given to nobody who asks for any, and Postgres takes it all the same:
    // both reuse addresses, and only one listens.
    try (Socket bound = new Socket()) {
      bound.setReuseAddress(true);
      bound.bind(new InetSocketAddress(0));
      return EmbeddedPostgres.builder()
          .setPort(bound.getLocalPort())
          .setPGStartupWait(Duration.ofSeconds(60))
          .start();
    }
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @Nested
  class Bare extends Kit {
    Bare() {
      super(false);
    }
  }

  @Nested
  class Pooled extends Kit {
    Pooled() {
      super(true);
    }
  }

  abstract static class Kit extends DatabaseKit {

    Kit(boolean pooled) {
      super(pooled);
    }

    @Override
    DataSource bare() {
      return server.getPostgresDatabase();
    }

    @Override
    Map<String, Object> where() {
      return Map.of(
          "db.system.name", "postgresql",
          "db.namespace", "postgres",
          "server.address", "localhost",
          "server.port", (long) server.getPort());
    }

    @Override
    String noSuchTable() {
      return "42P01";
    }
  }
}
