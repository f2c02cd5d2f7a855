// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

class TomcatTest extends WebSocketKit {

  @Override
  Containers containers() {
    return Containers.TOMCAT;
  }
}
