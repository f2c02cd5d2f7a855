// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

class Log4jMdcTest extends MdcKit {

  @Override
  String backEnd() {
    return "org.apache.logging.slf4j.Log4jLoggerFactory";
  }
}
