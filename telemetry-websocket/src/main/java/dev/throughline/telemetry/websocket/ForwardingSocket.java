// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.net.http.WebSocket;

/** Pure pass-through: what a socket of the JDK's client does, but for what it sends. */
abstract class ForwardingSocket implements WebSocket {

  final WebSocket socket;

  ForwardingSocket(WebSocket socket) {
    this.socket = socket;
  }

  @Override
  public void request(long n) {
    socket.request(n);
  }

  @Override
  public boolean isOutputClosed() {
    return socket.isOutputClosed();
  }

  @Override
  public boolean isInputClosed() {
    return socket.isInputClosed();
  }

  @Override
  public String toString() {
    return socket.toString();
  }
}
