// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HostAndPort;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An open socket, whatever library holds it: the context that its handlers run in, its counts, its
 * messages, its end. Thread-safe, but for messages of one kind that come in at once, which no
 * library does.
 */
final class SocketSession {

  final Upgrade upgrade;

  /** The attributes of the session's points on metrics. */
  final Attributes point;

  final Incoming<CharSequence, Reader> text;
  final Incoming<ByteBuffer, InputStream> binary;
  final Outgoing<CharSequence> textSent;
  final Outgoing<ByteBuffer> binarySent;

  /** Whether the first message may be a context. */
  volatile boolean awaitsContext;

  private final Sockets sockets;
  private final String opened = Instant.now().toString();
  private final AtomicLong messagesSent = new AtomicLong();
  private final AtomicLong bytesSent = new AtomicLong();
  private final AtomicLong messagesReceived = new AtomicLong();
  private final AtomicLong bytesReceived = new AtomicLong();
  private final AtomicLong envelopeFaults = new AtomicLong();
  private final AtomicLong nextSpanNanos = new AtomicLong(System.nanoTime());
  private final AtomicBoolean ended = new AtomicBoolean();
  private final @Nullable InstrumentedRequest<SocketSession, SocketSession> request;

  /** The context of the first message, if that brought one. */
  private volatile @Nullable Context joined;

  private volatile int closeCode;
  private volatile String closed = "";
  private volatile @Nullable Throwable failure;

  SocketSession(Sockets sockets, Upgrade upgrade) {
    this.sockets = sockets;
    this.upgrade = upgrade;
    point = point(upgrade);
    text = new Incoming<>(this, MessageType.TEXT);
    binary = new Incoming<>(this, MessageType.BINARY);
    textSent = new Outgoing<>(this, MessageType.TEXT);
    binarySent = new Outgoing<>(this, MessageType.BINARY);
    awaitsContext =
        upgrade.served
            && sockets.sources.contains(ContextSource.FIRST_MESSAGE)
            && !upgrade.hasContext();
    SpanContext span = Span.fromContext(upgrade.context).getSpanContext();
    request =
        sockets.sessions.start(
            upgrade.context, this, span.isValid() ? List.of(span) : List.of(), 0);
    sockets.countSession(1, point, context());
  }

  private static Attributes point(Upgrade upgrade) {
    AttributesBuilder attributes = Attributes.builder().put(WebSocketKeys.SIDE, side(upgrade));
    HostAndPort server = upgrade.server;
    if (upgrade.route != null) {
      attributes.put(WebSocketKeys.HTTP_ROUTE, upgrade.route);
    } else if (!upgrade.served && server.host() != null && server.port() != null) {
      attributes
          .put(WebSocketKeys.SERVER_ADDRESS, server.host())
          .put(WebSocketKeys.SERVER_PORT, server.port());
    }
    return attributes.build();
  }

  private static String side(Upgrade upgrade) {
    return upgrade.served ? "server" : "client";
  }

  /** The attributes of its messages' points, one way. */
  Attributes point(String direction, MessageType<?, ?> type) {
    return point.toBuilder()
        .put(WebSocketKeys.NETWORK_IO_DIRECTION, direction)
        .put(WebSocketKeys.MESSAGE_TYPE, type.name())
        .build();
  }

  /** What handlers run in: the span of the session's present segment, and what came in. */
  Context context() {
    Context first = joined;
    if (first != null) {
      return first;
    }
    return request == null ? upgrade.context : request.context();
  }

  /**
   * A message that is about to go out.
   *
   * @param payload all of it, or its first part
   * @return null if it has no span
   */
  <P> @Nullable SocketMessage sending(MessageType<P, ?> type, P payload, long bytes) {
    if (!sockets.chooses(this, true, type.text().apply(payload), bytes)) {
      return null;
    }
    Context own = context();
    Context current = Context.current();
    Span span = Span.fromContextOrNull(current);
    boolean within = span != null && span.getSpanContext().isValid();
    SocketMessage message = new SocketMessage(type);
    message.request =
        (upgrade.envelopes ? sockets.sentInEnvelope : sockets.sent)
            .start(within ? current : own, message, within ? links(current) : List.of(), 0);
    return message;
  }

  /** The session's span, unless it is the parent. */
  private List<SpanContext> links(Context parent) {
    SpanContext span = Span.fromContext(context()).getSpanContext();
    return !span.isValid() || span.equals(Span.fromContext(parent).getSpanContext())
        ? List.of()
        : List.of(span);
  }

  /**
   * A message that has come in.
   *
   * @param fields what its envelope carries; null where it has none
   * @return null where it has no span, and brought no context
   */
  <P> @Nullable SocketMessage receiving(
      MessageType<P, ?> type, P payload, long bytes, Envelope.@Nullable Fields fields) {
    if (fields != null && !fields.isEmpty()) {
      SocketMessage message = new SocketMessage.Enveloped(type, fields);
      message.request =
          sockets.receivedInEnvelope.start(context(), message, links(Context.root()), 0);
      return message;
    }
    if (!sockets.chooses(this, false, type.text().apply(payload), bytes)) {
      return null;
    }
    SocketMessage message = new SocketMessage(type);
    message.request = sockets.received.start(context(), message);
    return message;
  }

  /**
   * Whether a message is the context that a client sends first, and is none of the application's.
   *
   * @param payload null if it is binary, which no context is
   */
  boolean takesContext(@Nullable CharSequence payload) {
    if (!awaitsContext || payload == null) {
      return false;
    }
    awaitsContext = false;
    String text = payload.toString();
    Envelope.Fields fields =
        text.startsWith("traceparent:") && text.length() <= Envelope.MAX_CONTEXT
            ? Envelope.Fields.parse(text.endsWith("\n") ? text : text + "\n")
            : null;
    if (fields == null) {
      return false;
    }
    SocketMessage message = new SocketMessage.Enveloped(MessageType.TEXT, fields);
    Context own = context();
    Context found = sockets.join(own, message, SocketMessage.GETTER);
    if (found != own) {
      joined = found;
    }
    return true;
  }

  void sent(Attributes point, int messages, long bytes) {
    messagesSent.addAndGet(messages);
    bytesSent.addAndGet(bytes);
    sockets.countMessage(messages, bytes, point, context());
  }

  void received(Attributes point, int messages, long bytes) {
    messagesReceived.addAndGet(messages);
    bytesReceived.addAndGet(bytes);
    sockets.countMessage(messages, bytes, point, context());
  }

  /** A message began like an envelope and was none, or its context was too long for one. */
  void fault() {
    envelopeFaults.incrementAndGet();
    sockets.countFault(point, context());
  }

  /** Whether as much time has passed since the last span as is to lie between two. */
  boolean isDue(long intervalNanos) {
    long now = System.nanoTime();
    long next = nextSpanNanos.get();
    return now - next >= 0 && nextSpanNanos.compareAndSet(next, now + intervalNanos);
  }

  /** Something was thrown; whether it ended the session, the close code will tell. */
  void failed(Throwable thrown) {
    failure = thrown;
  }

  /** A method of an annotated endpoint threw, and its container's handler does not. */
  void failedWithin(Throwable thrown) {
    failed(thrown);
    text.failed(thrown);
    binary.failed(thrown);
  }

  /**
   * Ends the session; a second call does nothing.
   *
   * @param code 0 where there is none
   * @param error what ended it; null where it was closed
   */
  void end(int code, @Nullable Throwable error) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    closeCode = code;
    closed = Instant.now().toString();
    // What was on its way will not be whole any more.
    text.end(error);
    binary.end(error);
    textSent.end(error);
    binarySent.end(error);
    if (request != null) {
      request.end(this, error != null || !isFailure(code) ? error : failure);
    }
    sockets.countSession(-1, point, context());
  }

  /** Not where one side left, with a word or without, nor for an application's own codes. */
  private static boolean isFailure(int closeCode) {
    return closeCode >= 1002 && closeCode != 1005 && closeCode < 3000;
  }

  /** Sessions, which may be open for days: each span is a segment with the counts so far. */
  static final class Convention implements RequestConvention<SocketSession, SocketSession> {

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
      attributes.set(WebSocketKeys.SIDE, side(session.upgrade));
      attributes.set(WebSocketKeys.OPENED, session.opened);
      attributes.set(WebSocketKeys.HTTP_ROUTE, session.upgrade.route);
      HttpAttributes.setServer(attributes, session.upgrade.server);
    }

    @Override
    public void onSegment(AttributeSink attributes, SocketSession session) {
      attributes.set(WebSocketKeys.MESSAGES_SENT, session.messagesSent.get());
      attributes.set(WebSocketKeys.MESSAGES_RECEIVED, session.messagesReceived.get());
      attributes.set(WebSocketKeys.BYTES_SENT, session.bytesSent.get());
      attributes.set(WebSocketKeys.BYTES_RECEIVED, session.bytesReceived.get());
      long faults = session.envelopeFaults.get();
      attributes.set(WebSocketKeys.ENVELOPE_FAULTS, faults > 0 ? faults : null);
    }

    @Override
    public void onEnd(
        AttributeSink attributes,
        SocketSession session,
        @Nullable SocketSession ended,
        @Nullable Throwable error) {
      onSegment(attributes, session);
      long code = session.closeCode;
      attributes.set(WebSocketKeys.CLOSED, session.closed);
      attributes.set(WebSocketKeys.CLOSE_CODE, code > 0 ? code : null);
    }

    @Override
    public @Nullable String errorType(
        SocketSession session, @Nullable SocketSession ended, @Nullable Throwable error) {
      if (error != null) {
        return error.getClass().getName();
      }
      return isFailure(session.closeCode) ? Integer.toString(session.closeCode) : null;
    }

    @Override
    public Attributes durationAttributes(
        SocketSession session, @Nullable SocketSession ended, @Nullable Throwable error) {
      String errorType = errorType(session, ended, error);
      return errorType == null
          ? session.point
          : session.point.toBuilder().put(WebSocketKeys.ERROR_TYPE, errorType).build();
    }
  }
}
