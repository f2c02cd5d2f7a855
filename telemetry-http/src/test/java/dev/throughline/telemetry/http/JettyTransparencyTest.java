// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

/** {@link ServletTransparencyTest} on Jetty. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class JettyTransparencyTest extends ServletTransparencyTest {

  JettyTransparencyTest() {
    super(WebApp.Container.JETTY);
  }
}
