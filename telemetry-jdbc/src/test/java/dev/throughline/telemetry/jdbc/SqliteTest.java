// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.nio.file.Path;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteDataSource;

class SqliteTest {

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

    @TempDir Path folder;

    Kit(boolean pooled) {
      super(pooled);
    }

    @Override
    DataSource bare() {
      SQLiteDataSource source = new SQLiteDataSource();
      source.setUrl("jdbc:sqlite:" + folder.resolve("fleet.db"));
      return source;
    }

    @Override
    Map<String, Object> where() {
      return Map.of("db.system.name", "sqlite", "db.namespace", "fleet.db");
    }

    /** The driver gives no SQLState. */
    @Override
    String noSuchTable() {
      return "1";
    }
  }
}
