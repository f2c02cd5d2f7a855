// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

class TyrusServerMessagesTest extends WebSocketMessageKit {

  @Override
  Containers containers() {
    return Containers.TYRUS;
  }

  @Override
  boolean fromServer() {
    return true;
  }
}
