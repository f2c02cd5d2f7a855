// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A message that has a span, or carries a context. */
final class SocketMessage {

  private final boolean text;
  private final Envelope.@Nullable Fields received;
  private @Nullable StringBuilder added;
  private @Nullable InstrumentedRequest<SocketMessage, SocketMessage> request;
  private long bytes;

  /**
   * @param received what its envelope carries; null where it has none
   */
  SocketMessage(boolean text, Envelope.@Nullable Fields received) {
    this.text = text;
    this.received = received;
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

  @Nullable List<String> lines(String name) {
    return received == null ? null : received.lines(name);
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
