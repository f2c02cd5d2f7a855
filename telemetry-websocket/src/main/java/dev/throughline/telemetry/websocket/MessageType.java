// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

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
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The type of a message, text or binary, with all that the two differ in: how a payload is
 * measured, looked at, and put behind an envelope.
 *
 * @param name as spans and metrics have it
 * @param bytes the size of a payload, of text in UTF-8
 * @param first a payload's first character, or byte; negative if it is empty
 * @param text a payload as a {@link MessageFilter} sees it: null if it is binary
 * @param characters reads a payload's characters, or its bytes as characters
 * @param payload the payload of these characters, or of these bytes as characters
 * @param join an envelope and the payload behind it, which is read
 * @param next reads the next character, or byte, of a payload that is a stream
 * @param stream makes one stream of a beginning and the rest of a payload
 * @param <P> a payload, or a part of one
 * @param <S> a payload that is read as a stream
 */
record MessageType<P, S>(
    String name,
    ToLongFunction<P> bytes,
    ToIntFunction<P> first,
    Function<P, @Nullable CharSequence> text,
    Function<P, CharSequence> characters,
    Function<String, P> payload,
    BiFunction<String, P, P> join,
    Next<S> next,
    Stream<S> stream) {

  static final MessageType<CharSequence, Reader> TEXT =
      new MessageType<>(
          "text",
          MessageType::utf8,
          text -> text.length() == 0 ? -1 : text.charAt(0),
          text -> text,
          text -> text,
          characters -> characters,
          (envelope, text) -> envelope + text,
          Reader::read,
          CountedReader::new);

  static final MessageType<ByteBuffer, InputStream> BINARY =
      new MessageType<>(
          "binary",
          ByteBuffer::remaining,
          bytes -> bytes.hasRemaining() ? bytes.get(bytes.position()) & 0xff : -1,
          bytes -> null,
          ISO_8859_1::decode,
          ISO_8859_1::encode,
          (envelope, bytes) ->
              ByteBuffer.allocate(envelope.length() + bytes.remaining())
                  .put(envelope.getBytes(ISO_8859_1))
                  .put(bytes)
                  .flip(),
          InputStream::read,
          CountedStream::new);

  /** Reads the next character, or byte; negative at the end. */
  interface Next<S> {
    int of(S stream) throws IOException;
  }

  /** Makes a stream that tells a counter the bytes of each read. */
  interface Stream<S> {
    S of(String beginning, S rest, LongConsumer counter) throws IOException;
  }

  private static long utf8(CharSequence text) {
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

  private static final class CountedReader extends FilterReader {

    private final LongConsumer counter;

    CountedReader(String beginning, Reader rest, LongConsumer counter) throws IOException {
      super(beginning.isEmpty() ? rest : behind(beginning, rest));
      this.counter = counter;
    }

    private static Reader behind(String beginning, Reader rest) throws IOException {
      PushbackReader whole = new PushbackReader(rest, beginning.length());
      whole.unread(beginning.toCharArray());
      return whole;
    }

    @Override
    public int read() throws IOException {
      int next = in.read();
      if (next >= 0) {
        counter.accept(utf8(String.valueOf((char) next)));
      }
      return next;
    }

    @Override
    public int read(char[] buffer, int offset, int length) throws IOException {
      int read = in.read(buffer, offset, length);
      if (read > 0) {
        counter.accept(utf8(CharBuffer.wrap(buffer, offset, read)));
      }
      return read;
    }
  }

  private static final class CountedStream extends FilterInputStream {

    private final LongConsumer counter;

    CountedStream(String beginning, InputStream rest, LongConsumer counter) {
      super(
          beginning.isEmpty()
              ? rest
              : new SequenceInputStream(
                  new ByteArrayInputStream(beginning.getBytes(ISO_8859_1)), rest));
      this.counter = counter;
    }

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
  }
}
