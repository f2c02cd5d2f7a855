// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A message that has a span, or carries a context. */
class SocketMessage {

  static final HeaderGetter<SocketMessage> GETTER =
      new HeaderGetter<>() {
        @Override
        protected @Nullable List<String> lines(SocketMessage message, String name) {
          return message.lines(name);
        }
      };

  private final MessageType<?, ?> type;

  /** Null where the message has no span, and brought no context. */
  @Nullable InstrumentedRequest<SocketMessage, SocketMessage> request;

  /** The context that goes out with it; null where there is none. */
  @Nullable StringBuilder added;

  long bytes;

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

  /** What it is handled in. */
  Context context(Context sessions) {
    return request == null ? sessions : request.context();
  }

  static void finish(@Nullable SocketMessage message, @Nullable Throwable error) {
    if (message != null && message.request != null) {
      message.request.end(message, error);
    }
  }

  /**
   * Messages of one way: sent, or received with or without an envelope.
   *
   * @param requestGetter null unless the messages carry their context, as the setter
   */
  record Convention(
      SpanKind kind,
      @Nullable TextMapGetter<SocketMessage> requestGetter,
      @Nullable HeaderSetter<SocketMessage> requestSetter)
      implements RequestConvention<SocketMessage, SocketMessage> {

    @Override
    public String spanName(SocketMessage message) {
      return kind == SpanKind.PRODUCER ? "websocket.send" : "websocket.receive";
    }

    @Override
    public void onStart(AttributeSink attributes, SocketMessage message) {
      attributes.set(WebSocketKeys.MESSAGE_TYPE, message.type.name());
    }

    @Override
    public void onEnd(
        AttributeSink attributes,
        SocketMessage message,
        @Nullable SocketMessage handled,
        @Nullable Throwable error) {
      attributes.set(WebSocketKeys.MESSAGE_SIZE, message.bytes);
    }

    @Override
    public @Nullable String errorType(
        SocketMessage message, @Nullable SocketMessage handled, @Nullable Throwable error) {
      return error == null ? null : error.getClass().getName();
    }

    @Override
    public Attributes durationAttributes(
        SocketMessage message, @Nullable SocketMessage handled, @Nullable Throwable error) {
      return Attributes.empty();
    }
  }
}
