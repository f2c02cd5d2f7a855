// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import org.jspecify.annotations.Nullable;

/** Sessions, which may be open for days: each span is a segment with the counts so far. */
final class SessionConvention implements RequestConvention<SocketSession, SocketSession> {

  @Override
  public SpanKind kind() {
    return SpanKind.INTERNAL;
  }

  @Override
  public boolean isOpenEnded(SocketSession session) {
    return true;
  }

  @Override
  public String spanName(SocketSession session) {
    return "websocket.session";
  }

  @Override
  public void onStart(AttributeSink attributes, SocketSession session) {
    Upgrade upgrade = session.upgrade();
    attributes.set(WebSocketKeys.SIDE, upgrade.isServer() ? "server" : "client");
    attributes.set(WebSocketKeys.OPENED, session.opened());
    attributes.set(WebSocketKeys.HTTP_ROUTE, upgrade.route());
    HttpAttributes.setServer(attributes, upgrade.server());
  }

  @Override
  public void onSegment(AttributeSink attributes, SocketSession session) {
    session.describe(attributes);
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      SocketSession session,
      @Nullable SocketSession closed,
      @Nullable Throwable error) {
    session.describe(attributes);
    attributes.set(WebSocketKeys.CLOSED, session.closed());
    int code = session.closeCode();
    if (code > 0) {
      attributes.set(WebSocketKeys.CLOSE_CODE, (long) code);
    }
  }

  @Override
  public @Nullable String errorType(
      SocketSession session, @Nullable SocketSession closed, @Nullable Throwable error) {
    if (error != null) {
      return error.getClass().getName();
    }
    int code = session.closeCode();
    return isFailure(code) ? Integer.toString(code) : null;
  }

  /** Not where one side left, with a word or without, nor for an application's own codes. */
  static boolean isFailure(int closeCode) {
    return closeCode >= 1002 && closeCode != 1005 && closeCode < 3000;
  }

  @Override
  public Attributes durationAttributes(
      SocketSession session, @Nullable SocketSession closed, @Nullable Throwable error) {
    String errorType = errorType(session, closed, error);
    Attributes point = session.point();
    return errorType == null
        ? point
        : point.toBuilder().put(WebSocketKeys.ERROR_TYPE, errorType).build();
  }
}
