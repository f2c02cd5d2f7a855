// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

class TyrusMessagesTest extends WebSocketMessageKit {

  @Override
  Containers containers() {
    return Containers.TYRUS;
  }
}
