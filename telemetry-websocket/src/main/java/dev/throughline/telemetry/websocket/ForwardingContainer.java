// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.Extension;
import jakarta.websocket.WebSocketContainer;
import java.util.Set;

/** Pure pass-through: what a container does, but for its connections, as the given one does. */
abstract class ForwardingContainer implements WebSocketContainer {

  final WebSocketContainer container;

  ForwardingContainer(WebSocketContainer container) {
    this.container = container;
  }

  @Override
  public long getDefaultAsyncSendTimeout() {
    return container.getDefaultAsyncSendTimeout();
  }

  @Override
  public void setAsyncSendTimeout(long milliseconds) {
    container.setAsyncSendTimeout(milliseconds);
  }

  @Override
  public long getDefaultMaxSessionIdleTimeout() {
    return container.getDefaultMaxSessionIdleTimeout();
  }

  @Override
  public void setDefaultMaxSessionIdleTimeout(long milliseconds) {
    container.setDefaultMaxSessionIdleTimeout(milliseconds);
  }

  @Override
  public int getDefaultMaxBinaryMessageBufferSize() {
    return container.getDefaultMaxBinaryMessageBufferSize();
  }

  @Override
  public void setDefaultMaxBinaryMessageBufferSize(int max) {
    container.setDefaultMaxBinaryMessageBufferSize(max);
  }

  @Override
  public int getDefaultMaxTextMessageBufferSize() {
    return container.getDefaultMaxTextMessageBufferSize();
  }

  @Override
  public void setDefaultMaxTextMessageBufferSize(int max) {
    container.setDefaultMaxTextMessageBufferSize(max);
  }

  @Override
  public Set<Extension> getInstalledExtensions() {
    return container.getInstalledExtensions();
  }
}
