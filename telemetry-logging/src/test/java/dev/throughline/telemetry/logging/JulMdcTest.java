// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;

/** The MDC kit on {@code java.util.logging}. */
class JulMdcTest extends MdcKit {

  @Override
  String backEnd() {
    return "org.slf4j.jul.JDK14LoggerFactory";
  }

  @Test
  @Override
  @Disabled("slf4j-jdk14 hands the MDC down to each thread that is made, and never takes it back")
  void aPooledThreadThatIsMadeWithinASpanKeepsNoTraceId() {}
}
