// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.EncodeException;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendHandler;
import jakarta.websocket.SendResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** A remote endpoint that counts what is sent, and puts envelopes before messages. */
final class AsyncRemote implements RemoteEndpoint.Async {

  private final RemoteEndpoint.Async remote;
  private final SocketSession session;
  private final Codecs codecs;

  AsyncRemote(RemoteEndpoint.Async remote, SocketSession session, Codecs codecs) {
    this.remote = remote;
    this.session = session;
    this.codecs = codecs;
  }

  @Override
  public Future<Void> sendText(String text) {
    if (text == null) {
      return remote.sendText(text);
    }
    Sending sending = text(text);
    if (sending.message == null) {
      return remote.sendText(sending.text(text));
    }
    Completion completion = new Completion(sending.message);
    sending.ending(() -> remote.sendText(sending.text(text), completion));
    return completion;
  }

  @Override
  public void sendText(String text, SendHandler handler) {
    if (text == null) {
      remote.sendText(text, handler);
      return;
    }
    Sending sending = text(text);
    sending.ending(() -> remote.sendText(sending.text(text), sending.handler(handler)));
  }

  @Override
  public Future<Void> sendBinary(ByteBuffer data) {
    if (data == null) {
      return remote.sendBinary(data);
    }
    Sending sending = binary(data);
    if (sending.message == null) {
      return remote.sendBinary(sending.bytes(data));
    }
    Completion completion = new Completion(sending.message);
    sending.ending(() -> remote.sendBinary(sending.bytes(data), completion));
    return completion;
  }

  @Override
  public void sendBinary(ByteBuffer data, SendHandler handler) {
    if (data == null) {
      remote.sendBinary(data, handler);
      return;
    }
    Sending sending = binary(data);
    sending.ending(() -> remote.sendBinary(sending.bytes(data), sending.handler(handler)));
  }

  @Override
  public Future<Void> sendObject(Object data) {
    Object encoded = encode(data);
    if (encoded instanceof String text) {
      return sendText(text);
    }
    return encoded instanceof ByteBuffer bytes ? sendBinary(bytes) : remote.sendObject(data);
  }

  @Override
  public void sendObject(Object data, SendHandler handler) {
    Object encoded = encode(data);
    if (encoded instanceof String text) {
      sendText(text, handler);
    } else if (encoded instanceof ByteBuffer bytes) {
      sendBinary(bytes, handler);
    } else {
      remote.sendObject(data, handler);
    }
  }

  /** Null where the container is to say why it can't be sent. */
  private @Nullable Object encode(@Nullable Object data) {
    try {
      return data == null ? null : codecs.encode(data);
    } catch (EncodeException | IOException | RuntimeException e) {
      return null;
    }
  }

  private Sending text(String text) {
    long bytes = SocketSession.bytes(text);
    SocketMessage message = session.sending(text, true, bytes);
    session.sent(message, true, bytes);
    return new Sending(message, session.envelope(message, SocketSession.first(text)));
  }

  private Sending binary(ByteBuffer data) {
    SocketMessage message = session.sending(null, false, data.remaining());
    session.sent(message, false, data.remaining());
    return new Sending(message, session.envelope(message, SocketSession.first(data)));
  }

  /** A message on its way, and what stands before it. */
  private record Sending(@Nullable SocketMessage message, @Nullable String envelope) {

    String text(String text) {
      return envelope == null ? text : envelope + text;
    }

    ByteBuffer bytes(ByteBuffer data) {
      return envelope == null ? data : Outgoing.joined(envelope, data);
    }

    SendHandler handler(SendHandler handler) {
      if (message == null || handler == null) {
        return handler;
      }
      return result -> {
        message.end(result.getException());
        handler.onResult(result);
      };
    }

    void ending(Runnable send) {
      try {
        send.run();
      } catch (Throwable t) {
        SocketMessage.finish(message, t);
        throw t;
      }
    }
  }

  /** What a container's future would tell, which tells nobody when it is done. */
  private static final class Completion extends CompletableFuture<Void> implements SendHandler {

    private final SocketMessage message;

    Completion(SocketMessage message) {
      this.message = message;
    }

    @Override
    @SuppressWarnings("NullAway") // the value of a future of Void
    public void onResult(SendResult result) {
      message.end(result.getException());
      if (result.isOK()) {
        complete(null);
      } else {
        completeExceptionally(result.getException());
      }
    }
  }

  @Override
  public long getSendTimeout() {
    return remote.getSendTimeout();
  }

  @Override
  public void setSendTimeout(long milliseconds) {
    remote.setSendTimeout(milliseconds);
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
