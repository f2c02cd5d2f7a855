// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.EncodeException;
import jakarta.websocket.RemoteEndpoint;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.ByteBuffer;

/** A remote endpoint that counts what is sent, and puts envelopes before messages. */
final class BasicRemote extends ForwardingRemote implements RemoteEndpoint.Basic {

  private final RemoteEndpoint.Basic remote;
  private final SocketSession session;
  private final Codecs codecs;
  private final Send<CharSequence> text;
  private final Send<ByteBuffer> binary;
  private final Send<CharSequence> textPart;
  private final Send<ByteBuffer> binaryPart;

  BasicRemote(RemoteEndpoint.Basic remote, SocketSession session, Codecs codecs) {
    super(remote);
    this.remote = remote;
    this.session = session;
    this.codecs = codecs;
    text = (payload, last) -> remote.sendText((String) payload);
    binary = (payload, last) -> remote.sendBinary(payload);
    textPart = (part, last) -> remote.sendText((String) part, last);
    binaryPart = remote::sendBinary;
  }

  /** Sends a message of either type, or a part of one. */
  private interface Send<P> {
    void send(P part, boolean last) throws IOException;
  }

  @Override
  public void sendText(String text) throws IOException {
    sendWhole(session.textSent, this.text, text);
  }

  @Override
  public void sendBinary(ByteBuffer data) throws IOException {
    sendWhole(session.binarySent, binary, data);
  }

  private static <P> void sendWhole(Outgoing<P> outgoing, Send<P> send, P payload)
      throws IOException {
    if (payload == null) {
      send.send(payload, true);
      return;
    }
    long bytes = outgoing.type.bytes().applyAsLong(payload);
    SocketMessage message = outgoing.begin(payload, bytes);
    try {
      send.send(outgoing.enveloped(message, payload), true);
    } catch (Throwable t) {
      SocketMessage.finish(message, t);
      throw t;
    }
    outgoing.sent(bytes);
    SocketMessage.finish(message, null);
  }

  @Override
  public void sendText(String part, boolean last) throws IOException {
    sendPart(session.textSent, textPart, part, last);
  }

  @Override
  public void sendBinary(ByteBuffer part, boolean last) throws IOException {
    sendPart(session.binarySent, binaryPart, part, last);
  }

  private static <P> void sendPart(Outgoing<P> outgoing, Send<P> send, P part, boolean last)
      throws IOException {
    if (part == null) {
      send.send(part, last);
      return;
    }
    P put = outgoing.put(part);
    try {
      send.send(put, last);
    } catch (Throwable t) {
      outgoing.failed(t);
      throw t;
    }
    SocketMessage.finish(outgoing.sent(last), null);
  }

  @Override
  public OutputStream getSendStream() throws IOException {
    OutputStream stream = remote.getSendStream();
    Stream<ByteBuffer> sent =
        new Stream<>(
            new Outgoing<>(session, MessageType.BINARY),
            (part, last) ->
                stream.write(part.array(), part.arrayOffset() + part.position(), part.remaining()),
            stream);
    return new OutputStream() {

      @Override
      public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        sent.write(ByteBuffer.wrap(bytes, offset, length));
      }

      @Override
      public void flush() throws IOException {
        stream.flush();
      }

      @Override
      public void close() throws IOException {
        sent.close();
      }
    };
  }

  @Override
  public Writer getSendWriter() throws IOException {
    Writer writer = remote.getSendWriter();
    Stream<CharSequence> sent =
        new Stream<>(
            new Outgoing<>(session, MessageType.TEXT), (part, last) -> writer.append(part), writer);
    return new Writer() {

      @Override
      public void write(char[] chars, int offset, int length) throws IOException {
        sent.write(new String(chars, offset, length));
      }

      @Override
      public void flush() throws IOException {
        writer.flush();
      }

      @Override
      public void close() throws IOException {
        sent.close();
      }
    };
  }

  /** A message of either type that is written into a stream. */
  private static final class Stream<P> {

    private final Outgoing<P> outgoing;
    private final Send<P> send;
    private final Closeable stream;
    private boolean closed;

    Stream(Outgoing<P> outgoing, Send<P> send, Closeable stream) {
      this.outgoing = outgoing;
      this.send = send;
      this.stream = stream;
    }

    void write(P part) throws IOException {
      send.send(outgoing.put(part), false);
      outgoing.sent(false);
    }

    void close() throws IOException {
      if (closed) {
        stream.close();
        return;
      }
      closed = true;
      try {
        send.send(outgoing.put(outgoing.type.payload().apply("")), true);
        stream.close();
      } catch (Throwable t) {
        outgoing.end(t);
        throw t;
      }
      SocketMessage.finish(outgoing.sent(true), null);
    }
  }

  @Override
  public void sendObject(Object data) throws IOException, EncodeException {
    Object encoded = codecs.encode(data);
    if (encoded instanceof String text) {
      sendText(text);
    } else if (encoded instanceof ByteBuffer bytes) {
      sendBinary(bytes);
    } else {
      remote.sendObject(data);
    }
  }
}
