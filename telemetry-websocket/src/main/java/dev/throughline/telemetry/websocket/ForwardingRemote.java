// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.RemoteEndpoint;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Pure pass-through: what both kinds of remote endpoints do as the container's does. */
abstract class ForwardingRemote implements RemoteEndpoint {

  private final RemoteEndpoint remote;

  ForwardingRemote(RemoteEndpoint remote) {
    this.remote = remote;
  }

  @Override
  public void setBatchingAllowed(boolean allowed) throws IOException {
    remote.setBatchingAllowed(allowed);
  }

  @Override
  public boolean getBatchingAllowed() {
    return remote.getBatchingAllowed();
  }

  @Override
  public void flushBatch() throws IOException {
    remote.flushBatch();
  }

  @Override
  public void sendPing(ByteBuffer applicationData) throws IOException {
    remote.sendPing(applicationData);
  }

  @Override
  public void sendPong(ByteBuffer applicationData) throws IOException {
    remote.sendPong(applicationData);
  }
}
