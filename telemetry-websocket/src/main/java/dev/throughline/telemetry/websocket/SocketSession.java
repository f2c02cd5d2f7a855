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

  final Incoming text = new Incoming(this, true);
  final Incoming binary = new Incoming(this, false);

  /** Of messages that are sent in parts; a whole one needs none. */
  final Outgoing textSent = new Outgoing(this, true);

  final Outgoing binarySent = new Outgoing(this, false);

  private final Sockets sockets;
  private final Upgrade upgrade;
  private final Points points;
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
    points = new Points(upgrade);
    awaitsContext =
        upgrade.isServer()
            && sockets.sources().contains(ContextSource.FIRST_MESSAGE)
            && !upgrade.hasContext();
    SpanContext span = Span.fromContext(upgrade.context()).getSpanContext();
    request =
        sockets.sessions.start(
            upgrade.context(), this, span.isValid() ? List.of(span) : List.of(), 0);
    sockets.countSession(1, points.session, context());
  }

  /** The attributes of a session's points on metrics, made once. */
  static final class Points {

    private final Attributes session;
    private final Attributes sentText;
    private final Attributes sentBinary;
    private final Attributes receivedText;
    private final Attributes receivedBinary;

    Points(Upgrade upgrade) {
      AttributesBuilder attributes =
          Attributes.builder().put(WebSocketKeys.SIDE, upgrade.isServer() ? "server" : "client");
      String route = upgrade.route();
      HostAndPort server = upgrade.server();
      if (route != null) {
        attributes.put(WebSocketKeys.HTTP_ROUTE, route);
      } else if (server.host() != null && server.port() != null) {
        attributes
            .put(WebSocketKeys.SERVER_ADDRESS, server.host())
            .put(WebSocketKeys.SERVER_PORT, server.port());
      }
      session = attributes.build();
      sentText = message("transmit", "text");
      sentBinary = message("transmit", "binary");
      receivedText = message("receive", "text");
      receivedBinary = message("receive", "binary");
    }

    private Attributes message(String direction, String type) {
      return session.toBuilder()
          .put(WebSocketKeys.NETWORK_IO_DIRECTION, direction)
          .put(WebSocketKeys.MESSAGE_TYPE, type)
          .build();
    }

    Attributes session() {
      return session;
    }

    Attributes message(boolean sent, boolean text) {
      if (sent) {
        return text ? sentText : sentBinary;
      }
      return text ? receivedText : receivedBinary;
    }
  }

  Upgrade upgrade() {
    return upgrade;
  }

  Points points() {
    return points;
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
   * @param payload its text, or its first part; null for a binary one
   * @return null where it has no span
   */
  @Nullable SocketMessage sending(@Nullable CharSequence payload, boolean isText, long bytes) {
    if (!sockets.chooses(this, true, payload, bytes)) {
      return null;
    }
    Context own = context();
    Context current = Context.current();
    Span span = Span.fromContextOrNull(current);
    boolean within = span != null && span.getSpanContext().isValid();
    SocketMessage message = new SocketMessage(isText);
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
  @Nullable SocketMessage receiving(
      @Nullable CharSequence payload,
      boolean isText,
      long bytes,
      Envelope.@Nullable Fields fields) {
    if (fields != null && !fields.isEmpty()) {
      SocketMessage message = new SocketMessage.Enveloped(isText, fields);
      Context own = context();
      message.started(sockets.receivedInEnvelope.start(own, message, links(Context.root()), 0));
      return message;
    }
    if (!sockets.chooses(this, false, payload, bytes)) {
      return null;
    }
    SocketMessage message = new SocketMessage(isText);
    message.started(sockets.received.start(context(), message));
    return message;
  }

  /**
   * Whether a text message is the context that a client sends first, and is none of the
   * application's.
   */
  boolean takesContext(CharSequence payload) {
    if (!awaitsContext) {
      return false;
    }
    awaitsContext = false;
    if (payload.length() > Envelope.MAX_CONTEXT || !startsWith(payload, "traceparent:")) {
      return false;
    }
    boolean ended = payload.charAt(payload.length() - 1) == '\n';
    Envelope.Fields fields = Envelope.Fields.parse(ended ? payload : payload + "\n");
    if (fields == null) {
      return false;
    }
    Context own = context();
    Context found = sockets.extract(own, new SocketMessage.Enveloped(true, fields));
    SpanContext remote = Span.fromContext(found).getSpanContext();
    if (found != own && remote.isValid()) {
      sockets.link(own, remote);
      if (!sockets.isEdge()) {
        joined = found;
      }
    }
    return true;
  }

  private static boolean startsWith(CharSequence text, String prefix) {
    if (text.length() < prefix.length()) {
      return false;
    }
    for (int i = 0; i < prefix.length(); i++) {
      if (text.charAt(i) != prefix.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  boolean awaitsContext() {
    return awaitsContext;
  }

  /** A whole message goes out. */
  void sent(@Nullable SocketMessage message, boolean isText, long bytes) {
    if (message != null) {
      message.addBytes(bytes);
    }
    sent(isText, 1, bytes);
  }

  void sent(boolean isText, int messages, long bytes) {
    messagesSent.addAndGet(messages);
    bytesSent.addAndGet(bytes);
    sockets.countMessage(messages, bytes, points.message(true, isText), context());
  }

  void received(boolean isText, int messages, long bytes) {
    messagesReceived.addAndGet(messages);
    bytesReceived.addAndGet(bytes);
    sockets.countMessage(messages, bytes, points.message(false, isText), context());
  }

  /** A message began like an envelope and was none, or its context was too long for one. */
  void fault() {
    envelopeFaults.incrementAndGet();
    sockets.countFault(points.session, context());
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
    sockets.countSession(-1, points.session, context());
  }

  /** The bytes of a text in UTF-8. */
  static long bytes(CharSequence text) {
    long bytes = text.length();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        // Of four bytes each of two surrogates is two.
        bytes += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
      }
    }
    return bytes;
  }

  static int first(CharSequence text) {
    return text.length() == 0 ? -1 : text.charAt(0);
  }

  static int first(ByteBuffer bytes) {
    return bytes.hasRemaining() ? bytes.get(bytes.position()) & 0xff : -1;
  }
}
