// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.ParentPolicy;
import dev.throughline.telemetry.instrument.RequestConvention;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.LongUpDownCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What all sockets of a {@link WebSocketTelemetry} share: settings, instrumenters, instruments. */
final class Sockets {

  /** The advised boundaries of the sessions' duration, in seconds. */
  static final List<Double> SECONDS =
      List.of(0.1, 1d, 10d, 60d, 300d, 900d, 3600d, 14_400d, 43_200d, 86_400d);

  final Guard guard;
  final boolean enabled;
  final Set<ContextSource> sources;
  final RequestInstrumenter<SocketSession, SocketSession> sessions;
  final RequestInstrumenter<SocketMessage, SocketMessage> sent;
  final RequestInstrumenter<SocketMessage, SocketMessage> sentInEnvelope;
  final RequestInstrumenter<SocketMessage, SocketMessage> received;
  final RequestInstrumenter<SocketMessage, SocketMessage> receivedInEnvelope;
  private final RequestInstrumenter<Upgrade, Upgrade> served;
  private final RequestInstrumenter<Upgrade, Upgrade> requested;
  private final ParentPolicy parentPolicy;
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
    served = instrumenter(telemetry, new Upgrade.Convention(true), parentPolicy);
    requested = instrumenter(telemetry, new Upgrade.Convention(false), ParentPolicy.CHILD);
    sessions =
        telemetry
            .instrumenter(WebSocketTelemetry.SCOPE, new SocketSession.Convention())
            .setDurationHistogram(
                WebSocketKeys.SESSION_DURATION, "Duration of WebSocket sessions.", SECONDS)
            .build();
    sent = messages(telemetry, SpanKind.PRODUCER, null, null);
    sentInEnvelope = messages(telemetry, SpanKind.PRODUCER, null, SocketMessage::add);
    received = messages(telemetry, SpanKind.CONSUMER, null, null);
    receivedInEnvelope = messages(telemetry, SpanKind.CONSUMER, SocketMessage.GETTER, null);
    Meter meter = telemetry.openTelemetry().getMeter(WebSocketTelemetry.SCOPE);
    active =
        meter
            .upDownCounterBuilder(WebSocketKeys.ACTIVE_SESSIONS)
            .setUnit("{session}")
            .setDescription("Number of WebSocket sessions that are open.")
            .build();
    messages = counter(meter, WebSocketKeys.MESSAGES, "{message}", "Number of WebSocket messages.");
    io = counter(meter, WebSocketKeys.IO, "By", "Payload of WebSocket messages.");
    faults =
        counter(
            meter,
            WebSocketKeys.FAULTS,
            "{message}",
            "Messages that begin like an envelope and are none.");
  }

  private static <R> RequestInstrumenter<R, R> instrumenter(
      Telemetry telemetry, RequestConvention<R, R> convention, ParentPolicy policy) {
    return telemetry
        .instrumenter(WebSocketTelemetry.SCOPE, convention)
        .setParentPolicy(policy)
        .build();
  }

  private RequestInstrumenter<SocketMessage, SocketMessage> messages(
      Telemetry telemetry,
      SpanKind kind,
      @Nullable HeaderGetter<SocketMessage> getter,
      @Nullable HeaderSetter<SocketMessage> setter) {
    return instrumenter(
        telemetry,
        new SocketMessage.Convention(kind, getter, setter),
        getter == null ? ParentPolicy.CHILD : parentPolicy);
  }

  private static LongCounter counter(Meter meter, String name, String unit, String description) {
    return meter.counterBuilder(name).setUnit(unit).setDescription(description).build();
  }

  /** Whether clients ask for envelopes: they cost their peers a few bytes and a header. */
  boolean asksForEnvelopes() {
    return enabled && (filter != null || spanIntervalNanos > 0);
  }

  /** Starts an upgrade that this process asks for; null where nothing is recorded of it. */
  @Nullable InstrumentedRequest<Upgrade, Upgrade> request(Upgrade upgrade) {
    Context current = Context.current();
    InstrumentedRequest<Upgrade, Upgrade> started = requested.start(current, upgrade);
    upgrade.context = started == null ? current : started.context();
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
      upgrade.context = upgrade.foundElsewhere() ? join(current, upgrade, Upgrade.GETTER) : current;
      return null;
    }
    InstrumentedRequest<Upgrade, Upgrade> started = served.start(current, upgrade);
    upgrade.context = started == null ? current : started.context();
    return started;
  }

  /**
   * The context that came in past the headers, which the span of the given one could not know of:
   * that span is linked to it.
   *
   * @return the given one if the carrier has none, or one that nobody trusts
   */
  <C> Context join(Context current, C carrier, TextMapGetter<C> getter) {
    Context found = sessions.propagation().extract(current, carrier, getter);
    SpanContext remote = Span.fromContext(found).getSpanContext();
    if (found == current || !remote.isValid()) {
      return current;
    }
    guard.run("Span.addLink", () -> Span.fromContext(current).addLink(remote));
    return parentPolicy == ParentPolicy.EDGE ? current : found;
  }

  /** Whether a socket that is opened in this context is to be left as it is. */
  boolean hasNothingToSend(Context context) {
    return sessions.propagation().hasNothingToSend(context);
  }

  /**
   * The session of an upgrade that was answered.
   *
   * @return null where telemetry is off and no context is to be passed on
   */
  @Nullable SocketSession open(Upgrade upgrade) {
    return hasNothingToSend(upgrade.context) ? null : new SocketSession(this, upgrade);
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
      guard.run("LongUpDownCounter.add", () -> active.add(change, point, context));
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
    guard.run("LongCounter.add", () -> faults.add(1, point, context));
  }
}
