// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A message that has a span, or carries a context. */
class SocketMessage {

  private final boolean text;
  private @Nullable StringBuilder added;
  private @Nullable InstrumentedRequest<SocketMessage, SocketMessage> request;
  private long bytes;

  SocketMessage(boolean text) {
    this.text = text;
  }

  /** One that came in with a context. */
  static final class Enveloped extends SocketMessage {

    private final Envelope.Fields fields;

    Enveloped(boolean text, Envelope.Fields fields) {
      super(text);
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

  boolean isText() {
    return text;
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
