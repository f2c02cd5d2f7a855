// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;

/** H2 in memory, which stays until the JVM ends. */
final class H2 {

  private H2() {}

  static DataSource memory(String name) {
    JdbcDataSource source = new JdbcDataSource();
    source.setURL("jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1");
    return source;
  }
}
