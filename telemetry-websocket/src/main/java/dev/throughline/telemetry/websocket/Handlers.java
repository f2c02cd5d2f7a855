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

/** The handlers that containers call, one for each form in which they hand messages over. */
final class Handlers {

  private Handlers() {}

  /** Text messages. */
  static final class Text implements MessageHandler.Whole<String> {

    private final SocketSession session;
    private final MessageHandler.Whole<String> handler;

    Text(SocketSession session, MessageHandler.Whole<String> handler) {
      this.session = session;
      this.handler = handler;
    }

    @Override
    public void onMessage(String message) {
      CharSequence payload = session.text.take(message, true);
      if (payload != null) {
        deliver(session.text, handler, payload.toString());
      }
    }
  }

  /** Text messages in parts. */
  static final class TextPart implements MessageHandler.Partial<String> {

    private final SocketSession session;
    private final MessageHandler.Partial<String> handler;

    TextPart(SocketSession session, MessageHandler.Partial<String> handler) {
      this.session = session;
      this.handler = handler;
    }

    @Override
    public void onMessage(String part, boolean last) {
      CharSequence payload = session.text.take(part, last);
      if (payload != null) {
        deliver(session.text, handler, payload.toString(), last);
      }
    }
  }

  /** Text messages as streams. */
  static final class TextStream implements MessageHandler.Whole<Reader> {

    private final SocketSession session;
    private final MessageHandler.Whole<Reader> handler;

    TextStream(SocketSession session, MessageHandler.Whole<Reader> handler) {
      this.session = session;
      this.handler = handler;
    }

    @Override
    public void onMessage(Reader message) {
      Reader payload;
      try {
        payload = session.text.open(message);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      deliver(session.text, handler, payload);
    }
  }

  /** Binary messages. */
  static final class Binary implements MessageHandler.Whole<ByteBuffer> {

    private final SocketSession session;
    private final MessageHandler.Whole<ByteBuffer> handler;

    Binary(SocketSession session, MessageHandler.Whole<ByteBuffer> handler) {
      this.session = session;
      this.handler = handler;
    }

    @Override
    public void onMessage(ByteBuffer message) {
      ByteBuffer payload = session.binary.take(message, true);
      if (payload != null) {
        deliver(session.binary, handler, payload);
      }
    }
  }

  /** Binary messages in parts. */
  static final class BinaryPart implements MessageHandler.Partial<ByteBuffer> {

    private final SocketSession session;
    private final MessageHandler.Partial<ByteBuffer> handler;

    BinaryPart(SocketSession session, MessageHandler.Partial<ByteBuffer> handler) {
      this.session = session;
      this.handler = handler;
    }

    @Override
    public void onMessage(ByteBuffer part, boolean last) {
      ByteBuffer payload = session.binary.take(part, last);
      if (payload != null) {
        deliver(session.binary, handler, payload, last);
      }
    }
  }

  /** Binary messages as streams. */
  static final class BinaryStream implements MessageHandler.Whole<InputStream> {

    private final SocketSession session;
    private final MessageHandler.Whole<InputStream> handler;

    BinaryStream(SocketSession session, MessageHandler.Whole<InputStream> handler) {
      this.session = session;
      this.handler = handler;
    }

    @Override
    public void onMessage(InputStream message) {
      InputStream payload;
      try {
        payload = session.binary.open(message);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      deliver(session.binary, handler, payload);
    }
  }

  /** Pongs, which are no messages of the application's and are not counted. */
  static final class Pong implements MessageHandler.Whole<PongMessage> {

    private final SocketSession session;
    private final MessageHandler.Whole<PongMessage> handler;

    Pong(SocketSession session, MessageHandler.Whole<PongMessage> handler) {
      this.session = session;
      this.handler = handler;
    }

    @Override
    public void onMessage(PongMessage message) {
      try (Scope ignored = session.context().makeCurrent()) {
        handler.onMessage(message);
      }
    }
  }

  /** Messages that a decoder of the application's reads first. */
  static final class Decoded<M> implements MessageHandler.Whole<M> {

    private final TracedSession session;
    private final Codecs.Decode<M> decode;
    private final MessageHandler.Whole<Object> handler;

    Decoded(TracedSession session, Codecs.Decode<M> decode, MessageHandler.Whole<Object> handler) {
      this.session = session;
      this.decode = decode;
      this.handler = handler;
    }

    @Override
    public void onMessage(M message) {
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
    }
  }

  /** Text that the application has no handler for. */
  static final class Unhandled implements MessageHandler.Whole<String> {
    @Override
    public void onMessage(String message) {}
  }

  static byte[] array(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  private static <T> void deliver(Incoming incoming, MessageHandler.Whole<T> handler, T payload) {
    Throwable thrown = null;
    try (Scope ignored = incoming.context().makeCurrent()) {
      handler.onMessage(payload);
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      incoming.end(thrown);
    }
  }

  private static <T> void deliver(
      Incoming incoming, MessageHandler.Partial<T> handler, T payload, boolean last) {
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
