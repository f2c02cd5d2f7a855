// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import io.opentelemetry.api.common.Attributes;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one type that go out: whole ones, and the one that goes out in parts, the first
 * of which takes the envelope. The latter is used by one thread at a time, as the libraries want
 * it.
 */
final class Outgoing<P> {

  final MessageType<P, ?> type;
  private final SocketSession session;
  private final Attributes point;

  private boolean begun;
  private boolean plain;
  private @Nullable SocketMessage message;

  /** Of the part that is on its way: {@link #sent} and {@link #failed} make something of them. */
  private long bytes;

  private boolean plainBehind;

  Outgoing(SocketSession session, MessageType<P, ?> type) {
    this.session = session;
    this.type = type;
    point = session.point("transmit", type);
  }

  /** Begins a message that goes out whole; null if it has no span. */
  @Nullable SocketMessage begin(P payload, long bytes) {
    SocketMessage whole = session.sending(type, payload, bytes);
    if (whole != null) {
      whole.bytes = bytes;
    }
    return whole;
  }

  /** The payload, behind its envelope if it has one. */
  P enveloped(@Nullable SocketMessage message, P payload) {
    if (!session.upgrade.envelopes) {
      return payload;
    }
    CharSequence context = message == null ? null : message.added;
    String envelope = context == null ? null : Envelope.of(context);
    if (context != null && envelope == null) {
      session.fault();
    }
    if (envelope == null && type.first().applyAsInt(payload) == Envelope.FIRST) {
      envelope = Envelope.EMPTY;
    }
    return envelope == null ? payload : type.join().apply(envelope, payload);
  }

  /** Counts a whole message that the library has taken. */
  void sent(long bytes) {
    session.sent(point, 1, bytes);
  }

  /** What goes out for a part; the part itself if nothing stands before it. */
  P put(P part) {
    bytes = type.bytes().applyAsLong(part);
    int first = type.first().applyAsInt(part);
    if (begun && (plain || first < 0)) {
      plainBehind = plain;
      return part;
    }
    if (!begun) {
      message = session.sending(type, part, bytes);
    }
    P put = enveloped(message, part);
    // Behind an empty part the payload is still to begin.
    plainBehind = put != part || first >= 0;
    return put;
  }

  /**
   * Counts the part, which the library has taken.
   *
   * @return the message that it was the last part of, for the caller to end; null if there is none
   */
  @Nullable SocketMessage sent(boolean last) {
    SocketMessage present = message;
    if (present != null) {
      present.bytes += bytes;
    }
    session.sent(point, last ? 1 : 0, bytes);
    begun = !last;
    plain = plainBehind && !last;
    message = last ? null : present;
    return last ? present : null;
  }

  /** Takes the part back, which the library has not taken; a part that goes on may come again. */
  void failed(Throwable thrown) {
    if (!begun || !(thrown instanceof IllegalStateException)) {
      if (message != null) {
        message.bytes += bytes;
      }
      end(thrown);
    }
  }

  /** Ends the message that goes out in parts, of which nothing more will come. */
  void end(@Nullable Throwable thrown) {
    SocketMessage ended = message;
    message = null;
    begun = false;
    plain = false;
    SocketMessage.finish(ended, thrown);
  }
}
