// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import org.jspecify.annotations.Nullable;

/**
 * A database that a connection leads to, as its URL tells.
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
}
