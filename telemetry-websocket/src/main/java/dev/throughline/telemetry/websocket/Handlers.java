// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import io.opentelemetry.context.Scope;
import jakarta.websocket.DecodeException;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.PongMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/**
 * The handlers that containers call for those of the application, which run within their message
 * and see no envelope.
 */
final class Handlers {

  private Handlers() {}

  /** Handles messages in parts. */
  static <P, T extends P> MessageHandler.Partial<T> partial(
      Incoming<P, ?> incoming, Class<T> type, MessageHandler.Partial<T> handler) {
    return (part, last) -> {
      P payload = incoming.take(part, last);
      if (payload != null) {
        deliver(incoming, handler, type.cast(payload), last);
      }
    };
  }

  /** Handles whole messages. */
  static <P, T extends P> MessageHandler.Whole<T> whole(
      Incoming<P, ?> incoming, Class<T> type, MessageHandler.Whole<T> handler) {
    MessageHandler.Partial<T> parts =
        partial(incoming, type, (message, last) -> handler.onMessage(message));
    return message -> parts.onMessage(message, true);
  }

  /** Handles messages as streams. */
  static <S> MessageHandler.Whole<S> stream(
      Incoming<?, S> incoming, MessageHandler.Whole<S> handler) {
    return message -> {
      S payload;
      try {
        payload = incoming.open(message);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      deliver(incoming, (stream, last) -> handler.onMessage(stream), payload, true);
    };
  }

  /** Handles pongs, which are no messages of the application's and are not counted. */
  static MessageHandler.Whole<PongMessage> pong(
      SocketSession session, MessageHandler.Whole<PongMessage> handler) {
    return message -> {
      try (Scope ignored = session.context().makeCurrent()) {
        handler.onMessage(message);
      }
    };
  }

  /** Handles messages that a decoder of the application's reads first. */
  static MessageHandler.Whole<Object> decoded(
      TracedSession session, Codecs.Decode decode, MessageHandler.Whole<Object> handler) {
    return message -> {
      Object decoded;
      try {
        decoded = decode.decode(message);
      } catch (DecodeException e) {
        session.decodingFailed(e);
        return;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      handler.onMessage(decoded);
    };
  }

  static byte[] array(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  private static <T> void deliver(
      Incoming<?, ?> incoming, MessageHandler.Partial<T> handler, T payload, boolean last) {
    Throwable thrown = null;
    try (Scope ignored = incoming.context().makeCurrent()) {
      handler.onMessage(payload, last);
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      if (last) {
        incoming.end(thrown);
      }
    }
  }
}
