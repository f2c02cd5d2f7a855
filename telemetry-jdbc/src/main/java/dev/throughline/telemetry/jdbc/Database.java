// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import org.jspecify.annotations.Nullable;

/**
 * A database, as its URL tells.
 *
 * @param system {@code db.system.name}
 * @param namespace {@code db.namespace}
 * @param address null for one that runs in this process
 */
record Database(
    String system, @Nullable String namespace, @Nullable String address, @Nullable Long port) {

  static final String OTHER = "other_sql";
  static final Database UNKNOWN = new Database(OTHER, null, null, null);

  /** What a span is named by that has no summary. */
  String target() {
    if (namespace != null) {
      return namespace;
    }
    if (address != null) {
      return port == null ? address : address + ":" + port;
    }
    return system;
  }

  /** Whether what stands in double quotes is a name, and never a literal. */
  boolean quotesNames() {
    return switch (system) {
      case "postgresql",
          "h2database",
          "oracle.db",
          "ibm.db2",
          "derby",
          "hsqldb",
          "sap.hana",
          "clickhouse",
          "aws.redshift" ->
          true;
      default -> false;
    };
  }

  /** Whether a backslash in a literal is never more than a backslash. */
  boolean backslashIsPlain() {
    return switch (system) {
      case "postgresql",
          "h2database",
          "sqlite",
          "oracle.db",
          "microsoft.sql_server",
          "ibm.db2",
          "derby",
          "hsqldb",
          "sap.hana" ->
          true;
      default -> false;
    };
  }
}
