// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.Guard;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.util.concurrent.ConcurrentHashMap;

/** Finds out which database a connection is to, from what its driver knows already. */
final class Databases {

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
                system(String.valueOf(metaData.getDatabaseProductName())),
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

  private static String system(String product) {
    return switch (product) {
      case "PostgreSQL" -> "postgresql";
      case "MySQL" -> "mysql";
      case "MariaDB" -> "mariadb";
      case "H2" -> "h2database";
      case "SQLite" -> "sqlite";
      case "Oracle" -> "oracle.db";
      case "Microsoft SQL Server" -> "microsoft.sql_server";
      default -> Database.OTHER;
    };
  }
}
