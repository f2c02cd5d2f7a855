// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.doctor;

/**
 * The outcome of a check.
 *
 * @param target what was looked at, e.g. an endpoint; empty for the process itself
 * @param check e.g. {@code connection}
 * @param text what is so
 * @param remedy what to do; empty where there is nothing to do
 */
record Finding(String target, String check, Result result, String text, String remedy) {

  enum Result {
    OK,
    WARNING,
    FAILED,
    SKIPPED
  }

  static Finding ok(String target, String check, String text) {
    return new Finding(target, check, Result.OK, text, "");
  }

  static Finding warning(String target, String check, String text, String remedy) {
    return new Finding(target, check, Result.WARNING, text, remedy);
  }

  static Finding failed(String target, String check, String text, String remedy) {
    return new Finding(target, check, Result.FAILED, text, remedy);
  }

  static Finding skipped(String target, String check, String text) {
    return new Finding(target, check, Result.SKIPPED, text, "");
  }

  /** In one line, as a log has it. */
  String line() {
    return remedy.isEmpty() ? text : text + "; " + remedy;
  }
}
