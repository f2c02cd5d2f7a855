// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.Guard;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Finds out which database a connection is to, from what its driver knows already. */
final class Databases {

  /** The systems by the names that products have. */
  private static final Map<String, String> SYSTEMS =
      Map.of(
          "PostgreSQL",
          "postgresql",
          "MySQL",
          "mysql",
          "MariaDB",
          "mariadb",
          "H2",
          "h2database",
          "SQLite",
          "sqlite",
          "Oracle",
          "oracle.db",
          "Microsoft SQL Server",
          "microsoft.sql_server");

  /** More URLs than this, such as one for each tenant's user, are read again each time. */
  private static final int LIMIT = 1_000;

  private final ConcurrentHashMap<String, Database> byUrl = new ConcurrentHashMap<>();
  private final Guard guard;

  Databases(Guard guard) {
    this.guard = guard;
  }

  Database of(Connection connection) {
    try {
      DatabaseMetaData metaData = connection.getMetaData();
      String url = metaData.getURL();
      Database known = url == null ? null : byUrl.get(url);
      if (known != null) {
        return known;
      }
      Database database = url == null ? Database.UNKNOWN : DatabaseUrl.parse(url);
      if (database.system().equals(Database.OTHER)) {
        database =
            new Database(
                SYSTEMS.getOrDefault(
                    String.valueOf(metaData.getDatabaseProductName()), Database.OTHER),
                database.namespace(),
                database.address(),
                database.port());
      }
      if (url != null && byUrl.size() < LIMIT) {
        byUrl.put(url, database);
      }
      return database;
    } catch (Throwable t) {
      guard.caught("DatabaseMetaData.getURL", t);
      return Database.UNKNOWN;
    }
  }
}
