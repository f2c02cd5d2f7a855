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
   * for an endpoint; it reads nothing more after a handler of streams has thrown; it hands a method
   * null that a decoder of streams made; and it calls a method that overrides one with an
   * annotation and has none.
   */
  @Override
  Set<String> leavesOut() {
    return Set.of(
        "/paths/one/b/true",
        "/params/xyz/7/1.5/%E2%82%AC",
        "/params/x/7/one/b",
        "/programmaticstreams throw",
        "/failingstreams",
        "/overridden",
        "/streamcoders null",
        "/paramnone");
  }

  /** It destroys no decoder. */
  @Override
  boolean comparesLife(String coded) {
    return coded.startsWith("init");
  }

  /** It finds no value for a number whose parameter is not in the path. */
  @Override
  boolean refuses(Class<?> type) {
    return type == StrangerEndpoints.ParamNone.class;
  }

  /** After a message that is not decoded, the reason of its close is that of any other throw. */
  @Override
  String normal(String event) {
    return super.normal(event).replace("Unable to decode", "Endpoint notification error");
  }
}
