// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import io.opentelemetry.api.trace.Span;
import jakarta.websocket.CloseReason;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.OnClose;
import jakarta.websocket.OnError;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.PongMessage;
import jakarta.websocket.Session;
import jakarta.websocket.server.PathParam;
import jakarta.websocket.server.ServerEndpoint;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** An annotated endpoint that tells what it was called with, and in which trace. */
@ServerEndpoint(
    value = "/annotated/{room}/{number}",
    decoders = Point.Coder.class,
    encoders = Point.Coder.class)
public class AnnotatedServer {

  static final BlockingQueue<String> CALLS = new LinkedBlockingQueue<>();

  static void note(String call) {
    CALLS.add(call + " in " + Span.current().getSpanContext().getTraceId());
  }

  /** Notes it. */
  @OnOpen
  public void open(
      Session session,
      EndpointConfig config,
      @PathParam("room") String room,
      @PathParam("number") int number) {
    note("open " + room + number + (config != null && session.isOpen()));
  }

  /** Answers with the point mirrored. */
  @OnMessage
  public Point point(@PathParam("number") long number, Point point, Session session) {
    note("point " + point.x() + "," + point.y());
    return new Point(point.y(), point.x());
  }

  /** Answers with the bytes' sum. */
  @OnMessage(maxMessageSize = 1000)
  public byte[] bytes(ByteBuffer bytes) {
    note("bytes " + bytes.remaining());
    return new byte[] {(byte) bytes.remaining()};
  }

  /** Notes it. */
  @OnMessage
  public void pong(PongMessage pong) {
    note("pong " + pong.getApplicationData().remaining());
  }

  /** Notes it. */
  @OnClose
  public void close(CloseReason reason) {
    note("close " + reason.getCloseCode().getCode());
  }

  /** Notes it. */
  @OnError
  public void error(Throwable thrown, Session session) {
    note("error " + thrown.getClass().getSimpleName());
  }
}
