// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A message that has a span, or carries a context. */
class SocketMessage {

  private final MessageType<?, ?> type;
  private @Nullable StringBuilder added;
  private @Nullable InstrumentedRequest<SocketMessage, SocketMessage> request;
  private long bytes;

  SocketMessage(MessageType<?, ?> type) {
    this.type = type;
  }

  /** One that came in with a context. */
  static final class Enveloped extends SocketMessage {

    private final Envelope.Fields fields;

    Enveloped(MessageType<?, ?> type, Envelope.Fields fields) {
      super(type);
      this.fields = fields;
    }

    @Override
    @Nullable List<String> lines(String name) {
      return fields.lines(name);
    }
  }

  /** Null where the message has no span, and brought no context. */
  void started(@Nullable InstrumentedRequest<SocketMessage, SocketMessage> started) {
    request = started;
  }

  MessageType<?, ?> type() {
    return type;
  }

  long bytes() {
    return bytes;
  }

  void addBytes(long count) {
    bytes += count;
  }

  /** What its envelope says under a name; null where there is nothing. */
  @Nullable List<String> lines(String name) {
    return null;
  }

  void add(String name, String value) {
    if (added == null) {
      added = new StringBuilder(160);
    }
    Envelope.Fields.append(added, name, value);
  }

  /** The context that goes out with it; null where there is none. */
  @Nullable CharSequence added() {
    return added;
  }

  /** What it is handled in. */
  Context context(Context sessions) {
    return request == null ? sessions : request.context();
  }

  static void finish(@Nullable SocketMessage message, @Nullable Throwable error) {
    if (message != null) {
      message.end(error);
    }
  }

  void end(@Nullable Throwable error) {
    if (request != null) {
      request.end(this, error);
    }
  }
}
