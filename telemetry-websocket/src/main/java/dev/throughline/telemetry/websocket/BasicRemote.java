// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.EncodeException;
import jakarta.websocket.RemoteEndpoint;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.ByteBuffer;

/** A remote endpoint that counts what is sent, and puts envelopes before messages. */
final class BasicRemote implements RemoteEndpoint.Basic {

  private final RemoteEndpoint.Basic remote;
  private final SocketSession session;
  private final Codecs codecs;

  BasicRemote(RemoteEndpoint.Basic remote, SocketSession session, Codecs codecs) {
    this.remote = remote;
    this.session = session;
    this.codecs = codecs;
  }

  @Override
  public void sendText(String text) throws IOException {
    if (text == null) {
      remote.sendText(text);
      return;
    }
    long bytes = SocketSession.bytes(text);
    SocketMessage message = session.sending(text, true, bytes);
    String envelope = session.envelope(message, SocketSession.first(text));
    session.sent(message, true, bytes);
    Throwable thrown = null;
    try {
      remote.sendText(envelope == null ? text : envelope + text);
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      SocketMessage.finish(message, thrown);
    }
  }

  @Override
  public void sendBinary(ByteBuffer data) throws IOException {
    if (data == null) {
      remote.sendBinary(data);
      return;
    }
    SocketMessage message = session.sending(null, false, data.remaining());
    String envelope = session.envelope(message, SocketSession.first(data));
    session.sent(message, false, data.remaining());
    Throwable thrown = null;
    try {
      remote.sendBinary(envelope == null ? data : Outgoing.joined(envelope, data));
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      SocketMessage.finish(message, thrown);
    }
  }

  @Override
  public void sendText(String part, boolean last) throws IOException {
    if (part == null) {
      remote.sendText(part, last);
      return;
    }
    Outgoing outgoing = session.textSent;
    Throwable thrown = null;
    try {
      remote.sendText(outgoing.put(part, last).toString(), last);
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      if (last || thrown != null) {
        outgoing.end(thrown);
      }
    }
  }

  @Override
  public void sendBinary(ByteBuffer part, boolean last) throws IOException {
    if (part == null) {
      remote.sendBinary(part, last);
      return;
    }
    Outgoing outgoing = session.binarySent;
    Throwable thrown = null;
    try {
      remote.sendBinary(outgoing.put(part, last), last);
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      if (last || thrown != null) {
        outgoing.end(thrown);
      }
    }
  }

  @Override
  public OutputStream getSendStream() throws IOException {
    OutputStream stream = remote.getSendStream();
    Outgoing outgoing = new Outgoing(session, false);
    return new OutputStream() {

      private boolean closed;

      @Override
      public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        put(ByteBuffer.wrap(bytes, offset, length), false);
      }

      private void put(ByteBuffer part, boolean last) throws IOException {
        ByteBuffer bytes = outgoing.put(part, last);
        stream.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
      }

      @Override
      public void flush() throws IOException {
        stream.flush();
      }

      @Override
      public void close() throws IOException {
        Throwable thrown = null;
        try {
          if (!closed) {
            closed = true;
            put(ByteBuffer.allocate(0), true);
          }
          stream.close();
        } catch (Throwable t) {
          thrown = t;
          throw t;
        } finally {
          outgoing.end(thrown);
        }
      }
    };
  }

  @Override
  public Writer getSendWriter() throws IOException {
    Writer writer = remote.getSendWriter();
    Outgoing outgoing = new Outgoing(session, true);
    return new Writer() {

      private boolean closed;

      @Override
      public void write(char[] chars, int offset, int length) throws IOException {
        put(new String(chars, offset, length), false);
      }

      private void put(String part, boolean last) throws IOException {
        writer.append(outgoing.put(part, last));
      }

      @Override
      public void flush() throws IOException {
        writer.flush();
      }

      @Override
      public void close() throws IOException {
        Throwable thrown = null;
        try {
          if (!closed) {
            closed = true;
            put("", true);
          }
          writer.close();
        } catch (Throwable t) {
          thrown = t;
          throw t;
        } finally {
          outgoing.end(thrown);
        }
      }
    };
  }

  @Override
  public void sendObject(Object data) throws IOException, EncodeException {
    Object encoded = data == null ? null : codecs.encode(data);
    if (encoded instanceof String text) {
      sendText(text);
    } else if (encoded instanceof ByteBuffer bytes) {
      sendBinary(bytes);
    } else {
      remote.sendObject(data);
    }
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
