// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

class TyrusTest extends WebSocketKit {

  @Override
  Containers containers() {
    return Containers.TYRUS;
  }
}
