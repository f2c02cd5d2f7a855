// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.util.Set;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

/** {@link Containers#JETTY}, with telemetry and without. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class JettyTransparencyTest extends ServerTransparencyKit {

  @Override
  Containers containers() {
    return Containers.JETTY;
  }

  /**
   * Jetty refuses an upgrade whose path has no number for a parameter that is one, before it asks
   * for an endpoint; and it reads nothing more after a handler of streams has thrown.
   */
  @Override
  Set<String> leavesOut() {
    return Set.of("/paths/one/b/true", "/programmaticstreams throw");
  }

  /** After a message that is not decoded, the reason of its close is that of any other throw. */
  @Override
  String normal(String event) {
    return super.normal(event).replace("Unable to decode", "Endpoint notification error");
  }
}
