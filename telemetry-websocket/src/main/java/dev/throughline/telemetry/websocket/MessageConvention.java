// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Messages that have a span, one way: sent, or received with or without an envelope. */
final class MessageConvention implements RequestConvention<SocketMessage, SocketMessage> {

  static final HeaderGetter<SocketMessage> GETTER =
      new HeaderGetter<>() {
        @Override
        protected @Nullable List<String> lines(SocketMessage message, String name) {
          return message.lines(name);
        }
      };

  private final SpanKind kind;
  private final @Nullable TextMapGetter<SocketMessage> getter;
  private final @Nullable HeaderSetter<SocketMessage> setter;

  /** Both are null unless the messages carry their context. */
  MessageConvention(
      SpanKind kind,
      @Nullable TextMapGetter<SocketMessage> getter,
      @Nullable HeaderSetter<SocketMessage> setter) {
    this.kind = kind;
    this.getter = getter;
    this.setter = setter;
  }

  @Override
  public SpanKind kind() {
    return kind;
  }

  @Override
  public String spanName(SocketMessage message) {
    return kind == SpanKind.PRODUCER ? "websocket.send" : "websocket.receive";
  }

  @Override
  public void onStart(AttributeSink attributes, SocketMessage message) {
    attributes.set(WebSocketKeys.MESSAGE_TYPE, message.type().name());
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      SocketMessage message,
      @Nullable SocketMessage handled,
      @Nullable Throwable error) {
    attributes.set(WebSocketKeys.MESSAGE_SIZE, message.bytes());
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

  @Override
  public @Nullable TextMapGetter<SocketMessage> requestGetter() {
    return getter;
  }

  @Override
  public @Nullable HeaderSetter<SocketMessage> requestSetter() {
    return setter;
  }
}
