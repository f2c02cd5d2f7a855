// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import io.opentelemetry.context.Context;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.FilterReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackReader;
import java.io.Reader;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The message of one kind that is coming in, in one part or in several: what stood in its envelope
 * is taken off before the application sees it. Used by one thread at a time.
 */
final class Incoming {

  private final SocketSession session;
  private final boolean text;

  /** What may be the beginning of an envelope, bytes as characters, while more of it is to come. */
  private @Nullable StringBuilder held;

  private boolean begun;
  private @Nullable SocketMessage message;

  Incoming(SocketSession session, boolean text) {
    this.session = session;
    this.text = text;
  }

  /** What the application handles the present part in. */
  Context context() {
    SocketMessage present = message;
    return present == null ? session.context() : present.context(session.context());
  }

  /**
   * A part of a text message.
   *
   * @return what of it is the application's; null where that is not known yet
   */
  @Nullable CharSequence take(CharSequence part, boolean last) {
    CharSequence payload = part;
    Envelope.Fields fields = null;
    if (!begun && session.envelopes()) {
      if (held == null && SocketSession.first(part) == Envelope.FIRST) {
        held = new StringBuilder();
      }
      if (held != null) {
        StringBuilder beginning = held.append(part);
        Envelope.Opened opened = open(beginning, last);
        if (opened.found() == Envelope.Found.MORE) {
          return null;
        }
        fields = opened.fields();
        payload = beginning.substring(opened.payload());
      }
    }
    if (last && !begun && session.takesContext(payload)) {
      session.received(true, 1, SocketSession.bytes(payload));
      return null;
    }
    begin(payload, SocketSession.bytes(payload), last, fields);
    return payload;
  }

  /**
   * A part of a binary message; where it is held back, or looked through for an envelope, it is
   * read.
   *
   * @return what of it is the application's; null where that is not known yet
   */
  @Nullable ByteBuffer take(ByteBuffer part, boolean last) {
    ByteBuffer payload = part;
    Envelope.Fields fields = null;
    if (!begun && session.envelopes()) {
      if (held == null && SocketSession.first(part) == Envelope.FIRST) {
        held = new StringBuilder(part.remaining());
      }
      if (held != null) {
        StringBuilder beginning = held;
        beginning.append(StandardCharsets.ISO_8859_1.decode(part));
        Envelope.Opened opened = open(beginning, last);
        if (opened.found() == Envelope.Found.MORE) {
          return null;
        }
        fields = opened.fields();
        payload = StandardCharsets.ISO_8859_1.encode(beginning.substring(opened.payload()));
      }
    }
    begin(null, payload.remaining(), last, fields);
    return payload;
  }

  private Envelope.Opened open(StringBuilder beginning, boolean last) {
    Envelope.Opened opened = Envelope.open(beginning, last);
    if (opened.found() == Envelope.Found.FAULT) {
      session.fault();
    }
    if (opened.found() != Envelope.Found.MORE) {
      held = null;
    }
    return opened;
  }

  private void begin(
      @Nullable CharSequence payload, long bytes, boolean last, Envelope.@Nullable Fields fields) {
    // An empty part tells nothing yet: an envelope may follow.
    if (!begun && (bytes > 0 || last || fields != null)) {
      begun = true;
      message = session.receiving(payload, text, bytes, fields);
    }
    count(bytes, last);
  }

  private void count(long bytes, boolean last) {
    SocketMessage present = message;
    if (present != null) {
      present.addBytes(bytes);
    }
    session.received(text, last ? 1 : 0, bytes);
  }

  /** The last part has been handed over: the next one begins a message. */
  @Nullable SocketMessage finish() {
    SocketMessage finished = message;
    message = null;
    begun = false;
    return finished;
  }

  void end(@Nullable Throwable thrown) {
    SocketMessage.finish(finish(), thrown);
  }

  /** A text message that is handed over as a stream, which counts what is read from it. */
  Reader open(Reader stream) throws IOException {
    StringBuilder beginning = new StringBuilder();
    Envelope.Opened opened = look(stream::read, beginning);
    String read = beginning.substring(opened.payload());
    Reader payload = stream;
    if (!read.isEmpty()) {
      PushbackReader whole = new PushbackReader(stream, read.length());
      whole.unread(read.toCharArray());
      payload = whole;
    }
    begin("", 0, true, opened.fields());
    return new CountedReader(payload);
  }

  /** A binary message that is handed over as a stream, which counts what is read from it. */
  InputStream open(InputStream stream) throws IOException {
    StringBuilder beginning = new StringBuilder();
    Envelope.Opened opened = look(stream::read, beginning);
    byte[] read = beginning.substring(opened.payload()).getBytes(StandardCharsets.ISO_8859_1);
    InputStream payload =
        read.length == 0 ? stream : new SequenceInputStream(new ByteArrayInputStream(read), stream);
    begin(null, 0, true, opened.fields());
    return new CountedStream(payload);
  }

  /** {@link Reader#read()}, or that of a stream. */
  private interface Source {
    int read() throws IOException;
  }

  /** Reads as far as an envelope goes. */
  private Envelope.Opened look(Source source, StringBuilder beginning) throws IOException {
    Envelope.Opened opened = session.envelopes() ? Envelope.Opened.MORE : Envelope.Opened.NONE;
    while (opened.found() == Envelope.Found.MORE) {
      int next = source.read();
      if (next >= 0) {
        beginning.append((char) next);
      }
      opened = open(beginning, next < 0);
    }
    return opened;
  }

  private void counted(long bytes) {
    if (bytes > 0) {
      count(bytes, false);
    }
  }

  private final class CountedReader extends FilterReader {

    CountedReader(Reader in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int next = in.read();
      if (next >= 0) {
        counted(SocketSession.bytes(String.valueOf((char) next)));
      }
      return next;
    }

    @Override
    public int read(char[] buffer, int offset, int length) throws IOException {
      int read = in.read(buffer, offset, length);
      if (read > 0) {
        counted(SocketSession.bytes(CharBuffer.wrap(buffer, offset, read)));
      }
      return read;
    }
  }

  private final class CountedStream extends FilterInputStream {

    CountedStream(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int next = in.read();
      counted(next < 0 ? 0 : 1);
      return next;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int read = in.read(buffer, offset, length);
      counted(read);
      return read;
    }
  }
}
