// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import org.jspecify.annotations.Nullable;

/**
 * A request whose span is ended and followed by another while it goes on. What rolls it over and
 * what ends it meet at this object's lock.
 */
final class SegmentedRequest<REQ, RES> extends InstrumentedRequest<REQ, RES> {

  // Segments' own, under its lock.
  @Nullable SegmentedRequest<?, ?> before;
  @Nullable SegmentedRequest<?, ?> after;
  long dueNanos;
  boolean listed;

  /** What segments are started in: the request's context without its span. */
  Context parent = Context.root();

  int number = 1;
  private boolean over;
  private boolean ending;
  private volatile @Nullable Context present;

  SegmentedRequest(RequestInstrumenter<REQ, RES> instrumenter, REQ request, long startNanos) {
    super(instrumenter, request, startNanos);
  }

  @Override
  public Context context() {
    Context changed = present;
    return changed == null ? context : changed;
  }

  /** Called when the time of a segment has passed. */
  synchronized void rollOver() {
    if (over || hasEnded()) {
      return;
    }
    Span ended = span;
    instrumenter.describeSegment(this);
    // First, so that nothing is handled in a span that has ended.
    present = instrumenter.nextSegment(this);
    instrumenter.endSpan(ended);
  }

  /** A transport that has just ended is given a segment's time for the listener to hear of it. */
  private boolean hasEnded() {
    RES response = instrumenter.endedWith(request);
    if (response != null && ending) {
      end(response, null);
    }
    ending = response != null;
    return ending;
  }

  /** Ends the span; the request itself may end later, without one. */
  synchronized void endForGood() {
    if (!over) {
      over = true;
      instrumenter.describeSegment(this);
      instrumenter.endSpan(span);
      span = null;
    }
  }

  @Override
  void finish(@Nullable RES response, @Nullable Throwable error) {
    instrumenter.forget(this);
    synchronized (this) {
      over = true;
      super.finish(response, error);
    }
  }
}
