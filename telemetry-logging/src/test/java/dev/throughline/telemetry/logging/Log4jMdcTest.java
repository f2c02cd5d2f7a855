// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

/** The MDC kit on Log4j 2. */
class Log4jMdcTest extends MdcKit {

  @Override
  String backEnd() {
    return "org.apache.logging.slf4j.Log4jLoggerFactory";
  }
}
