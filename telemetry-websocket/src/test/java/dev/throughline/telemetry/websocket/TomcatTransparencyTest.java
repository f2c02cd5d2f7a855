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

  /** It makes all encoders of a session that is opened, beside those that are used here. */
  @Override
  boolean comparesLife(String coded) {
    return !coded.matches("\\w+ (Writing\\w*|Stars|Numbers)");
  }
}
