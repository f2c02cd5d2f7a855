// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.util.Set;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

/** {@link Containers#TYRUS}, with telemetry and without. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class TyrusTransparencyTest extends ServerTransparencyKit {

  @Override
  Containers containers() {
    return Containers.TYRUS;
  }

  /** It initialises some decoders, and others not. */
  @Override
  boolean comparesLife(String coded) {
    return false;
  }

  /** It takes no method that returns what it knows no encoder of. */
  @Override
  boolean refuses(Class<?> type) {
    return type == StrangerEndpoints.Unencodable.class || type == StrangerEndpoints.Uncoded.class;
  }

  /** It goes on without an endpoint that can't be made. */
  @Override
  Set<String> leavesOut() {
    return Set.of("/unmade", "/unencodable", "/unencodable binary", "/uncoded", "/uncoded untaken");
  }
}
