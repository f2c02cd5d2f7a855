// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HostAndPort;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
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

  final Incoming<CharSequence, Reader> text;
  final Incoming<ByteBuffer, InputStream> binary;
  final Outgoing<CharSequence> textSent;
  final Outgoing<ByteBuffer> binarySent;

  private final Sockets sockets;
  private final Upgrade upgrade;
  private final Attributes point;
  private final String opened = Instant.now().toString();
  private final AtomicLong messagesSent = new AtomicLong();
  private final AtomicLong bytesSent = new AtomicLong();
  private final AtomicLong messagesReceived = new AtomicLong();
  private final AtomicLong bytesReceived = new AtomicLong();
  private final AtomicLong envelopeFaults = new AtomicLong();
  private final AtomicLong nextSpanNanos = new AtomicLong(System.nanoTime());
  private final AtomicBoolean ended = new AtomicBoolean();
  private final @Nullable InstrumentedRequest<SocketSession, SocketSession> request;

  /** Of the first message, where that brought a context. */
  private volatile @Nullable Context joined;

  private volatile boolean awaitsContext;
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
        upgrade.isServer()
            && sockets.sources().contains(ContextSource.FIRST_MESSAGE)
            && !upgrade.hasContext();
    SpanContext span = Span.fromContext(upgrade.context()).getSpanContext();
    request =
        sockets.sessions.start(
            upgrade.context(), this, span.isValid() ? List.of(span) : List.of(), 0);
    sockets.countSession(1, point, context());
  }

  /** The attributes of the session's points on metrics. */
  private static Attributes point(Upgrade upgrade) {
    AttributesBuilder attributes =
        Attributes.builder().put(WebSocketKeys.SIDE, upgrade.isServer() ? "server" : "client");
    String route = upgrade.route();
    HostAndPort server = upgrade.server();
    if (route != null) {
      attributes.put(WebSocketKeys.HTTP_ROUTE, route);
    } else if (!upgrade.isServer() && server.host() != null && server.port() != null) {
      attributes
          .put(WebSocketKeys.SERVER_ADDRESS, server.host())
          .put(WebSocketKeys.SERVER_PORT, server.port());
    }
    return attributes.build();
  }

  Attributes point() {
    return point;
  }

  /** The attributes of its messages' points, one way. */
  Attributes point(String direction, MessageType<?, ?> type) {
    return point.toBuilder()
        .put(WebSocketKeys.NETWORK_IO_DIRECTION, direction)
        .put(WebSocketKeys.MESSAGE_TYPE, type.name())
        .build();
  }

  Upgrade upgrade() {
    return upgrade;
  }

  boolean envelopes() {
    return upgrade.envelopes();
  }

  /** What handlers run in: the span of the session's present segment, and what came in. */
  Context context() {
    Context first = joined;
    if (first != null) {
      return first;
    }
    return request == null ? upgrade.context() : request.context();
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
    message.started(
        sockets
            .sent(envelopes())
            .start(within ? current : own, message, within ? links(current) : List.of(), 0));
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
   * What stands before a message's payload.
   *
   * @param first the payload's first character, or byte; negative where it is empty
   * @return null where nothing does
   */
  @Nullable String envelope(@Nullable SocketMessage message, int first) {
    if (!envelopes()) {
      return null;
    }
    CharSequence added = message == null ? null : message.added();
    if (added != null) {
      String envelope = Envelope.of(added);
      if (envelope != null) {
        return envelope;
      }
      fault();
    }
    return first == Envelope.FIRST ? Envelope.EMPTY : null;
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
      Context own = context();
      message.started(sockets.receivedInEnvelope.start(own, message, links(Context.root()), 0));
      return message;
    }
    if (!sockets.chooses(this, false, type.text().apply(payload), bytes)) {
      return null;
    }
    SocketMessage message = new SocketMessage(type);
    message.started(sockets.received.start(context(), message));
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
    if (payload.length() > Envelope.MAX_CONTEXT || !payload.toString().startsWith("traceparent:")) {
      return false;
    }
    boolean ended = payload.charAt(payload.length() - 1) == '\n';
    Envelope.Fields fields = Envelope.Fields.parse(ended ? payload : payload + "\n");
    if (fields == null) {
      return false;
    }
    Context own = context();
    Context found = sockets.extract(own, new SocketMessage.Enveloped(MessageType.TEXT, fields));
    SpanContext remote = Span.fromContext(found).getSpanContext();
    if (found != own && remote.isValid()) {
      sockets.link(own, remote);
      if (!sockets.isEdge()) {
        joined = found;
      }
    }
    return true;
  }

  boolean awaitsContext() {
    return awaitsContext;
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

  String opened() {
    return opened;
  }

  String closed() {
    return closed;
  }

  int closeCode() {
    return closeCode;
  }

  void describe(AttributeSink attributes) {
    attributes.set(WebSocketKeys.MESSAGES_SENT, messagesSent.get());
    attributes.set(WebSocketKeys.MESSAGES_RECEIVED, messagesReceived.get());
    attributes.set(WebSocketKeys.BYTES_SENT, bytesSent.get());
    attributes.set(WebSocketKeys.BYTES_RECEIVED, bytesReceived.get());
    long faults = envelopeFaults.get();
    if (faults > 0) {
      attributes.set(WebSocketKeys.ENVELOPE_FAULTS, faults);
    }
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
      request.end(this, error != null || !SessionConvention.isFailure(code) ? error : failure);
    }
    sockets.countSession(-1, point, context());
  }
}
