// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import io.opentelemetry.context.Scope;
import jakarta.websocket.DecodeException;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.PongMessage;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes the handlers that containers call for those of the application, which run within their
 * message and see no envelope.
 */
final class Handlers {

  private static final Set<Class<?>> FORMS =
      Set.of(
          String.class,
          Reader.class,
          ByteBuffer.class,
          byte[].class,
          InputStream.class,
          PongMessage.class);

  private Handlers() {}

  /** Whether containers hand whole messages over as this type, without a decoder. */
  static boolean isForm(Class<?> type) {
    return FORMS.contains(type);
  }

  /**
   * The handler that a container calls with whole messages.
   *
   * @param handler the application's, which takes this type
   * @return null if no container hands messages over as this type
   */
  static MessageHandler.@Nullable Whole<?> whole(
      SocketSession session, Class<?> type, MessageHandler.Whole<Object> handler) {
    MessageHandler.Partial<Object> parts = (message, last) -> handler.onMessage(message);
    if (type == Reader.class) {
      return stream(session.text, parts);
    }
    if (type == InputStream.class) {
      return stream(session.binary, parts);
    }
    if (type == PongMessage.class) {
      return pong -> {
        try (Scope ignored = session.context().makeCurrent()) {
          handler.onMessage(pong);
        }
      };
    }
    MessageHandler.Partial<?> partial = partial(session, type, parts);
    return partial == null ? null : message -> onMessage(partial, message);
  }

  @SuppressWarnings("unchecked") // both are of the type that the container was told
  private static <T> void onMessage(MessageHandler.Partial<T> handler, Object message) {
    handler.onMessage((T) message, true);
  }

  /**
   * The handler that a container calls with parts of messages.
   *
   * @param handler the application's, which takes this type
   * @return null if no container hands parts over as this type
   */
  static MessageHandler.@Nullable Partial<?> partial(
      SocketSession session, Class<?> type, MessageHandler.Partial<Object> handler) {
    if (type == String.class) {
      return parts(session.text, handler);
    }
    if (type == ByteBuffer.class) {
      return parts(session.binary, handler);
    }
    return type == byte[].class ? bytes(session.binary, handler) : null;
  }

  @SuppressWarnings("ReferenceEquality") // whether it is the part itself
  private static MessageHandler.Partial<byte[]> bytes(
      Incoming<ByteBuffer, ?> incoming, MessageHandler.Partial<Object> handler) {
    return (part, last) -> {
      ByteBuffer buffer = ByteBuffer.wrap(part);
      ByteBuffer payload = incoming.take(buffer, last);
      if (payload != null) {
        deliver(incoming, handler, payload == buffer ? part : array(payload), last);
      }
    };
  }

  private static <P> MessageHandler.Partial<P> parts(
      Incoming<P, ?> incoming, MessageHandler.Partial<Object> handler) {
    return (part, last) -> {
      P payload = incoming.take(part, last);
      if (payload != null) {
        deliver(incoming, handler, payload, last);
      }
    };
  }

  private static <S> MessageHandler.Whole<S> stream(
      Incoming<?, S> incoming, MessageHandler.Partial<Object> handler) {
    return message -> {
      S payload;
      try {
        payload = incoming.open(message);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      deliver(incoming, handler, payload, true);
    };
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

  /** Has a decoder of the application's read messages, and somebody hear of those it can't. */
  static MessageHandler.Whole<Object> decoded(
      Codecs.Decode decode, Consumer<Exception> undecoded, MessageHandler.Whole<Object> handler) {
    return message -> {
      Object decoded;
      try {
        decoded = decode.decode(message);
      } catch (DecodeException | IOException | RuntimeException e) {
        undecoded.accept(e);
        return;
      }
      if (decoded != null) {
        handler.onMessage(decoded);
      }
    };
  }

  static byte[] array(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }
}
