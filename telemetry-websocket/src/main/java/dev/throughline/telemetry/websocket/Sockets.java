// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.ParentPolicy;
import dev.throughline.telemetry.instrument.Propagation;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.LongUpDownCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What all sockets of a {@link WebSocketTelemetry} share: settings, instrumenters, instruments. */
final class Sockets {

  /** The advised boundaries of the sessions' duration, in seconds. */
  static final List<Double> SECONDS =
      List.of(0.1, 1d, 10d, 60d, 300d, 900d, 3600d, 14_400d, 43_200d, 86_400d);

  final Guard guard;
  final RequestInstrumenter<SocketSession, SocketSession> sessions;
  private final RequestInstrumenter<SocketMessage, SocketMessage> sent;
  private final RequestInstrumenter<SocketMessage, SocketMessage> sentInEnvelope;
  final RequestInstrumenter<SocketMessage, SocketMessage> received;
  final RequestInstrumenter<SocketMessage, SocketMessage> receivedInEnvelope;
  private final RequestInstrumenter<Upgrade, Upgrade> served;
  private final RequestInstrumenter<Upgrade, Upgrade> requested;
  private final boolean enabled;
  private final ParentPolicy parentPolicy;
  private final Set<ContextSource> sources;
  private final @Nullable MessageFilter filter;
  private final long spanIntervalNanos;
  private final LongUpDownCounter active;
  private final LongCounter messages;
  private final LongCounter io;
  private final LongCounter faults;

  Sockets(WebSocketTelemetryBuilder builder) {
    Telemetry telemetry = builder.telemetry;
    enabled = telemetry.isEnabled();
    parentPolicy = builder.parentPolicy;
    sources = Set.copyOf(builder.sources);
    filter = builder.filter;
    spanIntervalNanos = builder.spanIntervalNanos;
    guard = telemetry.guard(WebSocketTelemetry.SCOPE);
    served =
        telemetry
            .instrumenter(WebSocketTelemetry.SCOPE, new UpgradeConvention(true))
            .setParentPolicy(parentPolicy)
            .build();
    requested =
        telemetry.instrumenter(WebSocketTelemetry.SCOPE, new UpgradeConvention(false)).build();
    sessions =
        telemetry
            .instrumenter(WebSocketTelemetry.SCOPE, new SessionConvention())
            .setDurationHistogram(
                WebSocketKeys.SESSION_DURATION, "Duration of WebSocket sessions.", SECONDS)
            .build();
    sent =
        messages(
            telemetry, new MessageConvention(SpanKind.PRODUCER, null, null), ParentPolicy.CHILD);
    sentInEnvelope =
        messages(
            telemetry,
            new MessageConvention(SpanKind.PRODUCER, null, SocketMessage::add),
            ParentPolicy.CHILD);
    received =
        messages(
            telemetry, new MessageConvention(SpanKind.CONSUMER, null, null), ParentPolicy.CHILD);
    receivedInEnvelope =
        messages(
            telemetry,
            new MessageConvention(SpanKind.CONSUMER, MessageConvention.GETTER, null),
            parentPolicy);
    Meter meter = telemetry.openTelemetry().getMeter(WebSocketTelemetry.SCOPE);
    active =
        meter
            .upDownCounterBuilder(WebSocketKeys.ACTIVE_SESSIONS)
            .setUnit("{session}")
            .setDescription("Number of WebSocket sessions that are open.")
            .build();
    messages =
        meter
            .counterBuilder(WebSocketKeys.MESSAGES)
            .setUnit("{message}")
            .setDescription("Number of WebSocket messages.")
            .build();
    io =
        meter
            .counterBuilder(WebSocketKeys.IO)
            .setUnit("By")
            .setDescription("Payload of WebSocket messages.")
            .build();
    faults =
        meter
            .counterBuilder(WebSocketKeys.FAULTS)
            .setUnit("{message}")
            .setDescription("Messages that begin like an envelope and are none.")
            .build();
  }

  private static RequestInstrumenter<SocketMessage, SocketMessage> messages(
      Telemetry telemetry, MessageConvention convention, ParentPolicy policy) {
    return telemetry
        .instrumenter(WebSocketTelemetry.SCOPE, convention)
        .setParentPolicy(policy)
        .build();
  }

  /** What records messages that go out. */
  RequestInstrumenter<SocketMessage, SocketMessage> sent(boolean envelopes) {
    return envelopes ? sentInEnvelope : sent;
  }

  boolean isEnabled() {
    return enabled;
  }

  Set<ContextSource> sources() {
    return sources;
  }

  /** Whether a context that comes in is nobody's whom we trust. */
  boolean isEdge() {
    return parentPolicy == ParentPolicy.EDGE;
  }

  /** Whether clients ask for envelopes: they cost their peers a few bytes and a header. */
  boolean asksForEnvelopes() {
    return enabled && (filter != null || spanIntervalNanos > 0);
  }

  /** Starts an upgrade that this process asks for; null where nothing is recorded of it. */
  @Nullable InstrumentedRequest<Upgrade, Upgrade> request(Upgrade upgrade) {
    Context current = Context.current();
    InstrumentedRequest<Upgrade, Upgrade> started = requested.start(current, upgrade);
    upgrade.setContext(started == null ? current : started.context());
    return started;
  }

  /**
   * Records an upgrade that is about to be answered, and finds what its session goes on in.
   *
   * @return null where somebody else's span is that of the request, or nothing is recorded
   */
  @Nullable InstrumentedRequest<Upgrade, Upgrade> serve(Upgrade upgrade) {
    Context current = Context.current();
    if (InstrumentedRequest.fromContext(current) != null) {
      upgrade.setContext(upgrade.foundElsewhere() ? joined(current, upgrade) : current);
      return null;
    }
    InstrumentedRequest<Upgrade, Upgrade> started = served.start(current, upgrade);
    upgrade.setContext(started == null ? current : started.context());
    return started;
  }

  /**
   * The context that came in past the headers, which the server's own span of this request could
   * not know of: that span is linked to it.
   */
  private Context joined(Context current, Upgrade upgrade) {
    Context found = propagation().extract(current, upgrade, Upgrade.GETTER);
    SpanContext remote = Span.fromContext(found).getSpanContext();
    if (found == current || !remote.isValid()) {
      return current;
    }
    link(current, remote);
    return isEdge() ? current : found;
  }

  void link(Context context, SpanContext cause) {
    try {
      Span.fromContext(context).addLink(cause);
    } catch (Throwable t) {
      guard.caught("Span.addLink", t);
    }
  }

  /** The context that a first message carries, below that of the session. */
  Context extract(Context context, SocketMessage message) {
    return propagation().extract(context, message, MessageConvention.GETTER);
  }

  private Propagation propagation() {
    return sessions.propagation();
  }

  /** Whether a socket that is opened in this context is to be left as it is. */
  boolean hasNothingToSend(Context context) {
    return propagation().hasNothingToSend(context);
  }

  /**
   * The session of an upgrade that was answered.
   *
   * @return null where telemetry is off and no context is to be passed on
   */
  @Nullable SocketSession open(Upgrade upgrade) {
    return hasNothingToSend(upgrade.context()) ? null : new SocketSession(this, upgrade);
  }

  /** Whether the settings want a span for a message. */
  boolean chooses(SocketSession session, boolean sent, @Nullable CharSequence text, long bytes) {
    if (filter != null) {
      try {
        if (!filter.test(sent, text, bytes)) {
          return false;
        }
      } catch (Throwable t) {
        guard.caught("MessageFilter.test", t);
        return false;
      }
    } else if (spanIntervalNanos == 0) {
      return false;
    }
    return spanIntervalNanos == 0 || session.isDue(spanIntervalNanos);
  }

  void countSession(long change, Attributes point, Context context) {
    if (enabled) {
      try {
        active.add(change, point, context);
      } catch (Throwable t) {
        guard.caught("LongUpDownCounter.add", t);
      }
    }
  }

  void countMessage(long count, long bytes, Attributes point, Context context) {
    if (enabled) {
      try {
        if (count > 0) {
          messages.add(count, point, context);
        }
        if (bytes > 0) {
          io.add(bytes, point, context);
        }
      } catch (Throwable t) {
        guard.caught("LongCounter.add", t);
      }
    }
  }

  void countFault(Attributes point, Context context) {
    try {
      faults.add(1, point, context);
    } catch (Throwable t) {
      guard.caught("LongCounter.add", t);
    }
  }
}
