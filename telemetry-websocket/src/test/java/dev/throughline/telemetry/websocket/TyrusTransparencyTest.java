// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

/** {@link Containers#TYRUS}, with telemetry and without. */
class TyrusTransparencyTest extends TransparencyKit {

  @Override
  Containers containers() {
    return Containers.TYRUS;
  }
}
