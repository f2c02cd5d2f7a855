// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The message of one kind that is going out in several parts, the first of which takes the
 * envelope. Used by one thread at a time, as the libraries want it.
 */
final class Outgoing {

  private final SocketSession session;
  private final boolean text;
  private boolean begun;
  private boolean plain;
  private @Nullable SocketMessage message;

  Outgoing(SocketSession session, boolean text) {
    this.session = session;
    this.text = text;
  }

  /** The text that goes out for a part; the part itself where nothing stands before it. */
  CharSequence put(CharSequence part, boolean last) {
    long bytes = SocketSession.bytes(part);
    String envelope = begin(part, SocketSession.first(part), bytes);
    count(bytes, last);
    return envelope == null ? part : envelope + part;
  }

  /** The bytes that go out for a part; the part itself where nothing stands before it. */
  ByteBuffer put(ByteBuffer part, boolean last) {
    String envelope = begin(null, SocketSession.first(part), part.remaining());
    count(part.remaining(), last);
    return envelope == null ? part : joined(envelope, part);
  }

  /** An envelope and the payload behind it, which is read. */
  static ByteBuffer joined(String envelope, ByteBuffer payload) {
    byte[] context = envelope.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer joined = ByteBuffer.allocate(context.length + payload.remaining());
    return joined.put(context).put(payload).flip();
  }

  /** What stands before the part; null where nothing does. */
  private @Nullable String begin(@Nullable CharSequence part, int first, long bytes) {
    if (begun && (plain || first < 0)) {
      return null;
    }
    if (!begun) {
      begun = true;
      message = session.sending(part, text, bytes);
    }
    String envelope = session.envelope(message, first);
    // Behind an empty part the payload is still to begin.
    plain = envelope != null || first >= 0;
    return envelope;
  }

  private void count(long bytes, boolean last) {
    SocketMessage present = message;
    if (present != null) {
      present.addBytes(bytes);
    }
    session.sent(text, last ? 1 : 0, bytes);
  }

  /** The last part has gone out: the next one begins a message. */
  @Nullable SocketMessage finish() {
    SocketMessage finished = message;
    message = null;
    begun = false;
    plain = false;
    return finished;
  }

  void end(@Nullable Throwable thrown) {
    SocketMessage.finish(finish(), thrown);
  }
}
