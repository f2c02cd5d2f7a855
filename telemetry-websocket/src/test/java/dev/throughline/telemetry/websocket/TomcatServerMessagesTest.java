// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

class TomcatServerMessagesTest extends WebSocketMessageKit {

  @Override
  Containers containers() {
    return Containers.TOMCAT;
  }

  @Override
  boolean fromServer() {
    return true;
  }
}
