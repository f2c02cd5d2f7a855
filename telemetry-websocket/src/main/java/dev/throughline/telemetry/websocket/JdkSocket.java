// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A socket of the JDK's client that counts what is sent, and puts envelopes before messages. */
final class JdkSocket implements WebSocket {

  private final WebSocket socket;
  private final SocketSession session;
  private final Outgoing text;
  private final Outgoing binary;

  // What is sent at once, as nearly all is, allocates no future of ours.
  private final CompletableFuture<WebSocket> done = CompletableFuture.completedFuture(this);

  JdkSocket(WebSocket socket, SocketSession session) {
    this.socket = socket;
    this.session = session;
    text = session.textSent;
    binary = session.binarySent;
  }

  @Override
  public CompletableFuture<WebSocket> sendText(CharSequence data, boolean last) {
    if (data == null) {
      return socket.sendText(data, last);
    }
    CharSequence part = text.put(data, last);
    CompletableFuture<WebSocket> sent;
    try {
      sent = socket.sendText(part, last);
    } catch (Throwable t) {
      text.end(t);
      throw t;
    }
    return sent(sent, last ? text.finish() : null);
  }

  @Override
  public CompletableFuture<WebSocket> sendBinary(ByteBuffer data, boolean last) {
    if (data == null) {
      return socket.sendBinary(data, last);
    }
    ByteBuffer part = binary.put(data, last);
    CompletableFuture<WebSocket> sent;
    try {
      sent = socket.sendBinary(part, last);
    } catch (Throwable t) {
      binary.end(t);
      throw t;
    }
    return sent(sent, last ? binary.finish() : null);
  }

  /** The result, with this socket in the place of the JDK's. */
  private CompletableFuture<WebSocket> sent(
      CompletableFuture<WebSocket> sent, @Nullable SocketMessage message) {
    if (sent.isDone() && !sent.isCompletedExceptionally()) {
      SocketMessage.finish(message, null);
      return done;
    }
    if (message != null) {
      CompletableFuture<?> unused = sent.whenComplete((socket, thrown) -> message.end(thrown));
    }
    return sent.thenApply(socket -> this);
  }

  @Override
  public CompletableFuture<WebSocket> sendPing(ByteBuffer message) {
    return sent(socket.sendPing(message), null);
  }

  @Override
  public CompletableFuture<WebSocket> sendPong(ByteBuffer message) {
    return sent(socket.sendPong(message), null);
  }

  @Override
  public CompletableFuture<WebSocket> sendClose(int statusCode, String reason) {
    return sent(socket.sendClose(statusCode, reason), null);
  }

  @Override
  public void request(long n) {
    socket.request(n);
  }

  /** The application's own protocol. */
  @Override
  public String getSubprotocol() {
    return Protocols.applications(socket.getSubprotocol());
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
  public void abort() {
    try {
      socket.abort();
    } finally {
      // The listener is not told.
      session.end(1006, null);
    }
  }

  @Override
  public String toString() {
    return socket.toString();
  }
}
