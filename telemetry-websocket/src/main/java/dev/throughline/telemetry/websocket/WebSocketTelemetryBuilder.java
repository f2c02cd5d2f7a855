// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.ParentPolicy;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Builds a {@link WebSocketTelemetry} with settings of its own. Not thread-safe. */
public final class WebSocketTelemetryBuilder {

  final Telemetry telemetry;
  final Set<ContextSource> sources = EnumSet.noneOf(ContextSource.class);
  ParentPolicy parentPolicy = ParentPolicy.CHILD;
  @Nullable MessageFilter filter;
  long spanIntervalNanos;

  WebSocketTelemetryBuilder(Telemetry telemetry) {
    this.telemetry = requireNonNull(telemetry, "telemetry");
  }

  /**
   * Sets which messages have a span of their own; none by default. Such a message carries the
   * context of its span to a peer that knows Throughline's envelope, and its handler there runs in
   * a span below it. Clients ask their servers for the envelope once this, or {@link
   * #setMessageSpanRate}, is set; servers grant it whenever they are asked.
   */
  public WebSocketTelemetryBuilder setMessageSpans(MessageFilter filter) {
    this.filter = requireNonNull(filter, "filter");
    return this;
  }

  /**
   * Sets how many messages of a session have a span in a second at the most, e.g. 0.1 for one in
   * ten seconds; of those that {@link #setMessageSpans} chooses, or of all. No limit by default.
   *
   * @throws IllegalArgumentException if it is not a positive number
   */
  public WebSocketTelemetryBuilder setMessageSpanRate(double perSecond) {
    if (!(perSecond > 0 && perSecond < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("rate must be positive: " + perSecond);
    }
    spanIntervalNanos = Math.max(1, (long) (TimeUnit.SECONDS.toNanos(1) / perSecond));
    return this;
  }

  /**
   * Has servers also look for a context there, where the headers of an upgrade have none; they look
   * nowhere else by default. Whoever makes a page's URLs can set it, so think of {@link
   * #setPublicEdge} as well.
   */
  public WebSocketTelemetryBuilder addContextSource(ContextSource source) {
    sources.add(requireNonNull(source, "source"));
    return this;
  }

  /**
   * Says that the servers stand at a public edge: a trace context that comes in, with an upgrade or
   * in an envelope, is not trusted to be the parent, and becomes a link; incoming baggage is not
   * taken. False by default.
   */
  public WebSocketTelemetryBuilder setPublicEdge(boolean publicEdge) {
    parentPolicy = publicEdge ? ParentPolicy.EDGE : ParentPolicy.CHILD;
    return this;
  }

  /** Builds it. */
  public WebSocketTelemetry build() {
    return new WebSocketTelemetry(this);
  }
}
