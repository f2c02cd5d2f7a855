// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A socket of the JDK's client that counts what is sent, and puts envelopes before messages. */
final class JdkSocket extends ForwardingSocket {

  private final SocketSession session;
  private final Send<CharSequence> sendText;
  private final Send<ByteBuffer> sendBinary;

  // What is sent at once, as nearly all is, allocates no future of ours.
  private final CompletableFuture<WebSocket> done = CompletableFuture.completedFuture(this);

  JdkSocket(WebSocket socket, SocketSession session) {
    super(socket);
    this.session = session;
    sendText = socket::sendText;
    sendBinary = socket::sendBinary;
  }

  /** Sends a part of a message of either type. */
  private interface Send<P> {
    CompletableFuture<WebSocket> send(P part, boolean last);
  }

  @Override
  public CompletableFuture<WebSocket> sendText(CharSequence data, boolean last) {
    return send(session.textSent, sendText, data, last);
  }

  @Override
  public CompletableFuture<WebSocket> sendBinary(ByteBuffer data, boolean last) {
    return send(session.binarySent, sendBinary, data, last);
  }

  private <P> CompletableFuture<WebSocket> send(
      Outgoing<P> outgoing, Send<P> send, P data, boolean last) {
    if (data == null) {
      return send.send(data, last);
    }
    P part = outgoing.put(data);
    CompletableFuture<WebSocket> sent;
    try {
      sent = send.send(part, last);
    } catch (Throwable t) {
      outgoing.failed(t);
      throw t;
    }
    if (sent.isCompletedExceptionally()) {
      outgoing.failed(sent.handle((socket, thrown) -> thrown).join());
      return result(sent, null);
    }
    return result(sent, outgoing.sent(last));
  }

  /** The result, with this socket in the place of the JDK's. */
  private CompletableFuture<WebSocket> result(
      CompletableFuture<WebSocket> sent, @Nullable SocketMessage message) {
    if (sent.isDone() && !sent.isCompletedExceptionally()) {
      SocketMessage.finish(message, null);
      return done;
    }
    CompletableFuture<WebSocket> result = new CompletableFuture<>();
    CompletableFuture<?> unused =
        sent.whenComplete(
            (socket, thrown) -> {
              SocketMessage.finish(message, thrown);
              if (thrown == null) {
                result.complete(this);
              } else {
                result.completeExceptionally(thrown);
              }
            });
    return result;
  }

  @Override
  public CompletableFuture<WebSocket> sendPing(ByteBuffer message) {
    return result(socket.sendPing(message), null);
  }

  @Override
  public CompletableFuture<WebSocket> sendPong(ByteBuffer message) {
    return result(socket.sendPong(message), null);
  }

  @Override
  public CompletableFuture<WebSocket> sendClose(int statusCode, String reason) {
    return result(socket.sendClose(statusCode, reason), null);
  }

  /** The application's own protocol. */
  @Override
  public String getSubprotocol() {
    return Protocols.applications(socket.getSubprotocol());
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
}
