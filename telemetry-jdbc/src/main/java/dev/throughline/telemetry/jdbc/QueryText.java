// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

/** What a span shows of a statement's text, as {@code db.query.text}. */
public enum QueryText {
  /**
   * The text with {@code ?} instead of each literal, and of what can't be told from one; without
   * comments.
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
