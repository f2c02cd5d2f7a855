// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

/** The MDC kit on Logback. */
class LogbackMdcTest extends MdcKit {

  @Override
  String backEnd() {
    return "ch.qos.logback.classic.LoggerContext";
  }
}
