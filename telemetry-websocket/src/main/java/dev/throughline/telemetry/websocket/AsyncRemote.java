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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** A remote endpoint that counts what is sent, and puts envelopes before messages. */
final class AsyncRemote extends ForwardingRemote implements RemoteEndpoint.Async {

  private final RemoteEndpoint.Async remote;
  private final Codecs codecs;
  private final Sender<CharSequence> text;
  private final Sender<ByteBuffer> binary;

  AsyncRemote(RemoteEndpoint.Async remote, SocketSession session, Codecs codecs) {
    super(remote);
    this.remote = remote;
    this.codecs = codecs;
    text =
        new Sender<>(
            session.textSent,
            payload -> remote.sendText((String) payload),
            (payload, handler) -> remote.sendText((String) payload, handler));
    binary = new Sender<>(session.binarySent, remote::sendBinary, remote::sendBinary);
  }

  @Override
  public Future<Void> sendText(String text) {
    return this.text.send(text);
  }

  @Override
  public void sendText(String text, SendHandler handler) {
    this.text.send(text, handler);
  }

  @Override
  public Future<Void> sendBinary(ByteBuffer data) {
    return binary.send(data);
  }

  @Override
  public void sendBinary(ByteBuffer data, SendHandler handler) {
    binary.send(data, handler);
  }

  /** Sends a message of either type; the container tells its end to a future. */
  private interface Send<P> {
    Future<Void> send(P payload);
  }

  /** Sends a message of either type; the container tells its end to a handler. */
  private interface SendHandled<P> {
    void send(P payload, SendHandler handler);
  }

  /** Sends messages of one type, and counts those that the container takes. */
  private record Sender<P>(Outgoing<P> outgoing, Send<P> send, SendHandled<P> handled) {

    Future<Void> send(P payload) {
      if (payload == null) {
        return send.send(payload);
      }
      long bytes = outgoing.type().bytes().applyAsLong(payload);
      SocketMessage message = outgoing.begin(payload, bytes);
      if (message != null) {
        // A container's future tells nobody when it is done.
        Completion completion = new Completion();
        send(payload, bytes, message, completion);
        return completion;
      }
      Future<Void> sent = send.send(outgoing.enveloped(null, payload));
      if (!isRefused(sent)) {
        outgoing.sent(bytes);
      }
      return sent;
    }

    void send(P payload, SendHandler handler) {
      if (payload == null) {
        handled.send(payload, handler);
        return;
      }
      long bytes = outgoing.type().bytes().applyAsLong(payload);
      send(payload, bytes, outgoing.begin(payload, bytes), handler);
    }

    private void send(
        P payload, long bytes, @Nullable SocketMessage message, SendHandler applications) {
      Handler handler = new Handler(message, applications);
      try {
        handled.send(
            outgoing.enveloped(message, payload), applications == null ? applications : handler);
      } catch (Throwable t) {
        SocketMessage.finish(message, t);
        throw t;
      }
      if (!handler.failed) {
        outgoing.sent(bytes);
      }
    }

    private static boolean isRefused(Future<Void> sent) {
      if (!sent.isDone()) {
        return false;
      }
      try {
        sent.get();
        return false;
      } catch (ExecutionException | RuntimeException e) {
        return true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  /** Ends the message before the application hears of its end. */
  private static final class Handler implements SendHandler {

    private final @Nullable SocketMessage message;
    private final SendHandler handler;

    /** Whether the container refused the message before it returned. */
    private volatile boolean failed;

    Handler(@Nullable SocketMessage message, SendHandler handler) {
      this.message = message;
      this.handler = handler;
    }

    @Override
    public void onResult(SendResult result) {
      failed = !result.isOK();
      SocketMessage.finish(message, result.getException());
      handler.onResult(result);
    }
  }

  /** The future of a message whose span ends with it. */
  private static final class Completion extends CompletableFuture<Void> implements SendHandler {

    @Override
    @SuppressWarnings("NullAway") // the value of a future of Void
    public void onResult(SendResult result) {
      if (result.isOK()) {
        complete(null);
      } else {
        completeExceptionally(result.getException());
      }
    }
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

  @Override
  public long getSendTimeout() {
    return remote.getSendTimeout();
  }

  @Override
  public void setSendTimeout(long milliseconds) {
    remote.setSendTimeout(milliseconds);
  }
}
