// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

/** What a span shows of a statement's text, as {@code db.query.text}. */
public enum QueryText {
  /**
   * The text with each literal replaced by {@code ?}, without comments but for one at the start in
   * which nothing looks like a value.
   */
  SANITIZED,

  /** The SHA-256 of the sanitized text, in 64 hexadecimal digits. */
  HASHED,

  /** No text. */
  NONE,

  /**
   * The text as it is, but only that of prepared and callable statements, whose values are
   * parameters; other statements are sanitized. Literals that a prepared statement has are shown.
   */
  RAW
}
