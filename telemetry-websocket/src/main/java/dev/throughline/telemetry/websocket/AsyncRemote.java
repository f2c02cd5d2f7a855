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
import java.util.function.BiConsumer;
import java.util.function.Function;
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

  /** Null if the container is to say why it can't be sent. */
  private @Nullable Object encode(Object data) {
    try {
      return codecs.encode(data);
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

  /** Sends messages of one type, and counts those that the container takes. */
  private record Sender<P>(
      Outgoing<P> outgoing, Function<P, Future<Void>> future, BiConsumer<P, SendHandler> handled) {

    Future<Void> send(P payload) {
      if (payload == null) {
        return future.apply(payload);
      }
      long bytes = outgoing.type.bytes().applyAsLong(payload);
      SocketMessage message = outgoing.begin(payload, bytes);
      if (message != null) {
        // A container's future tells nobody when it is done.
        Result result = new Result(message, null);
        send(payload, bytes, result);
        return result;
      }
      Future<Void> sent = future.apply(outgoing.enveloped(null, payload));
      if (!isRefused(sent)) {
        outgoing.sent(bytes);
      }
      return sent;
    }

    void send(P payload, SendHandler handler) {
      if (payload == null || handler == null) {
        handled.accept(payload, handler);
        return;
      }
      long bytes = outgoing.type.bytes().applyAsLong(payload);
      send(payload, bytes, new Result(outgoing.begin(payload, bytes), handler));
    }

    private void send(P payload, long bytes, Result result) {
      try {
        handled.accept(outgoing.enveloped(result.message, payload), result);
      } catch (Throwable t) {
        SocketMessage.finish(result.message, t);
        throw t;
      }
      if (!result.isCompletedExceptionally()) {
        outgoing.sent(bytes);
      }
    }

    private static boolean isRefused(Future<Void> sent) {
      try {
        if (sent.isDone()) {
          sent.get();
        }
        return false;
      } catch (ExecutionException | RuntimeException e) {
        return true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  /** The result of a send, of which its message hears before the application. */
  private static final class Result extends CompletableFuture<Void> implements SendHandler {

    private final @Nullable SocketMessage message;
    private final @Nullable SendHandler handler;

    Result(@Nullable SocketMessage message, @Nullable SendHandler handler) {
      this.message = message;
      this.handler = handler;
    }

    @Override
    @SuppressWarnings("NullAway") // the value of a future of Void
    public void onResult(SendResult result) {
      SocketMessage.finish(message, result.getException());
      if (result.isOK()) {
        complete(null);
      } else {
        completeExceptionally(result.getException());
      }
      if (handler != null) {
        handler.onResult(result);
      }
    }
  }
}
