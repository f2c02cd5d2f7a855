// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

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
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The type of a message, text or binary, with all that the two differ in: how a payload is
 * measured, looked at, and put behind an envelope.
 *
 * @param <P> a payload, or a part of one
 * @param <S> a payload that is read as a stream
 */
abstract class MessageType<P, S> {

  static final MessageType<CharSequence, Reader> TEXT = new Text();
  static final MessageType<ByteBuffer, InputStream> BINARY = new Binary();

  private final String name;

  private MessageType(String name) {
    this.name = name;
  }

  /** The size in bytes, of text in UTF-8. */
  abstract long bytes(P payload);

  /** The first character, or byte; negative if the payload is empty. */
  abstract int first(P payload);

  /** The payload as a {@link MessageFilter} sees it: null if it is binary. */
  abstract @Nullable CharSequence text(P payload);

  /** Reads the payload's characters, or its bytes as characters. */
  abstract CharSequence characters(P payload);

  /** The payload of these characters, or of these bytes as characters. */
  abstract P payload(String characters);

  /** An envelope and the payload behind it, which is read. */
  abstract P join(String envelope, P payload);

  abstract int read(S stream) throws IOException;

  /**
   * A stream of what was read of one already and of the rest.
   *
   * @param counter is told the bytes of each read
   */
  abstract S stream(String beginning, S rest, LongConsumer counter) throws IOException;

  /** As spans and metrics name it. */
  @Override
  public String toString() {
    return name;
  }

  private static final class Text extends MessageType<CharSequence, Reader> {

    Text() {
      super("text");
    }

    @Override
    long bytes(CharSequence text) {
      long bytes = text.length();
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c >= 0x80) {
          // Two surrogates have four bytes: each of them two.
          bytes += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
        }
      }
      return bytes;
    }

    @Override
    int first(CharSequence text) {
      return text.length() == 0 ? -1 : text.charAt(0);
    }

    @Override
    CharSequence text(CharSequence text) {
      return text;
    }

    @Override
    CharSequence characters(CharSequence text) {
      return text;
    }

    @Override
    CharSequence payload(String characters) {
      return characters;
    }

    @Override
    CharSequence join(String envelope, CharSequence text) {
      return envelope + text;
    }

    @Override
    int read(Reader reader) throws IOException {
      return reader.read();
    }

    @Override
    Reader stream(String beginning, Reader rest, LongConsumer counter) throws IOException {
      Reader whole = rest;
      if (!beginning.isEmpty()) {
        PushbackReader pushback = new PushbackReader(rest, beginning.length());
        pushback.unread(beginning.toCharArray());
        whole = pushback;
      }
      return new FilterReader(whole) {
        @Override
        public int read() throws IOException {
          int next = in.read();
          if (next >= 0) {
            counter.accept(bytes(String.valueOf((char) next)));
          }
          return next;
        }

        @Override
        public int read(char[] buffer, int offset, int length) throws IOException {
          int read = in.read(buffer, offset, length);
          if (read > 0) {
            counter.accept(bytes(CharBuffer.wrap(buffer, offset, read)));
          }
          return read;
        }
      };
    }
  }

  private static final class Binary extends MessageType<ByteBuffer, InputStream> {

    Binary() {
      super("binary");
    }

    @Override
    long bytes(ByteBuffer bytes) {
      return bytes.remaining();
    }

    @Override
    int first(ByteBuffer bytes) {
      return bytes.hasRemaining() ? bytes.get(bytes.position()) & 0xff : -1;
    }

    @Override
    @Nullable CharSequence text(ByteBuffer bytes) {
      return null;
    }

    @Override
    CharSequence characters(ByteBuffer bytes) {
      return StandardCharsets.ISO_8859_1.decode(bytes);
    }

    @Override
    ByteBuffer payload(String characters) {
      return StandardCharsets.ISO_8859_1.encode(characters);
    }

    @Override
    ByteBuffer join(String envelope, ByteBuffer bytes) {
      ByteBuffer joined = ByteBuffer.allocate(envelope.length() + bytes.remaining());
      return joined.put(envelope.getBytes(StandardCharsets.US_ASCII)).put(bytes).flip();
    }

    @Override
    int read(InputStream stream) throws IOException {
      return stream.read();
    }

    @Override
    InputStream stream(String beginning, InputStream rest, LongConsumer counter) {
      byte[] read = beginning.getBytes(StandardCharsets.ISO_8859_1);
      InputStream whole =
          read.length == 0 ? rest : new SequenceInputStream(new ByteArrayInputStream(read), rest);
      return new FilterInputStream(whole) {
        @Override
        public int read() throws IOException {
          int next = in.read();
          counter.accept(next < 0 ? 0 : 1);
          return next;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
          int read = in.read(buffer, offset, length);
          counter.accept(Math.max(0, read));
          return read;
        }
      };
    }
  }
}
