// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

/** {@link Containers#TOMCAT}, with telemetry and without. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class TomcatTransparencyTest extends ServerTransparencyKit {

  @Override
  Containers containers() {
    return Containers.TOMCAT;
  }
}
