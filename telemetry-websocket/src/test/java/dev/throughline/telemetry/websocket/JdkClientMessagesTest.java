// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

class JdkClientMessagesTest extends WebSocketMessageKit {

  @Override
  Containers containers() {
    return Containers.JETTY;
  }

  @Override
  boolean jdkClient() {
    return true;
  }
}
