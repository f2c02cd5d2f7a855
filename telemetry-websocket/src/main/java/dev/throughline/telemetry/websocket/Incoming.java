// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.context.Context;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The message of one type that is coming in, in one part or in several: what stood in its envelope
 * is taken off before the application sees it. Used by one thread at a time.
 */
final class Incoming<P, S> {

  private final SocketSession session;
  private final MessageType<P, S> type;
  private final Attributes point;

  /** What may be the beginning of an envelope, bytes as characters, while more of it is to come. */
  private @Nullable StringBuilder held;

  private boolean begun;
  private @Nullable SocketMessage message;

  Incoming(SocketSession session, MessageType<P, S> type) {
    this.session = session;
    this.type = type;
    point = session.point("receive", type);
  }

  /** The context that the application handles the present part in. */
  Context context() {
    SocketMessage present = message;
    return present == null ? session.context() : present.context(session.context());
  }

  /**
   * A part of a message; if it is held back, or looked through for an envelope, it is read.
   *
   * @return what of it is the application's; null if that is not known yet, or nothing is
   */
  @Nullable P take(P part, boolean last) {
    P payload = part;
    Envelope.Fields fields = null;
    if (!begun && session.upgrade.envelopes) {
      if (held == null && type.first().applyAsInt(part) == Envelope.FIRST) {
        held = new StringBuilder();
      }
      if (held != null) {
        StringBuilder beginning = held.append(type.characters().apply(part));
        Envelope.Opened opened = open(beginning, last);
        if (opened == null) {
          return null;
        }
        fields = opened.fields();
        payload = type.payload().apply(beginning.substring(opened.payload()));
      }
    }
    if (last && !begun && session.takesContext(type.text().apply(payload))) {
      session.received(point, 1, type.bytes().applyAsLong(payload));
      return null;
    }
    begin(payload, last, fields);
    return payload;
  }

  /** Null if more of the message will tell. */
  private Envelope.@Nullable Opened open(StringBuilder beginning, boolean last) {
    Envelope.Opened opened = Envelope.open(beginning, last);
    if (opened != null) {
      held = null;
      if (opened.fault()) {
        session.fault();
      }
    }
    return opened;
  }

  private void begin(P payload, boolean last, Envelope.@Nullable Fields fields) {
    long bytes = type.bytes().applyAsLong(payload);
    // An empty part tells nothing yet: an envelope may follow.
    if (!begun && (bytes > 0 || last || fields != null)) {
      begun = true;
      message = session.receiving(type, payload, bytes, fields);
    }
    count(bytes, last ? 1 : 0);
  }

  private void count(long bytes, int messages) {
    SocketMessage present = message;
    if (present != null) {
      present.bytes += bytes;
    }
    session.received(point, messages, bytes);
  }

  /** Says that handling the present part failed, which its handler does not throw. */
  void failed(Throwable thrown) {
    SocketMessage.finish(message, thrown);
  }

  /** Ends the message, the last part of which is handled, so that the next part begins one. */
  void end(@Nullable Throwable thrown) {
    SocketMessage.finish(finish(), thrown);
  }

  /** Lets the next part begin a message, and leaves the end of this one to the caller. */
  @Nullable SocketMessage finish() {
    SocketMessage finished = message;
    message = null;
    begun = false;
    return finished;
  }

  /** A message that is handed over as a stream, which counts the bytes that are read from it. */
  S open(S stream) throws IOException {
    StringBuilder beginning = new StringBuilder();
    Envelope.Opened opened = session.upgrade.envelopes ? null : Envelope.Opened.NONE;
    while (opened == null) {
      int next = type.next().of(stream);
      if (next >= 0) {
        beginning.append((char) next);
      }
      opened = open(beginning, next < 0);
    }
    begin(type.payload().apply(""), true, opened.fields());
    return type.stream()
        .of(beginning.substring(opened.payload()), stream, bytes -> count(bytes, 0));
  }
}
