// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Nested;

class H2Test {

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
      return H2.memory("fleet");
    }

    @Override
    Map<String, Object> where() {
      return Map.of("db.system.name", "h2database", "db.namespace", "fleet");
    }

    @Override
    String noSuchTable() {
      return "42S02";
    }
  }
}
