// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.sql.Statement;

/** What a result set came from. */
interface ResultSetOwner {

  /** The statement as the application is to see it. */
  Statement statementOf(Statement bareStatement);
}
