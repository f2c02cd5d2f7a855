// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.Scope;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A request that has started: its context, and its exactly-once end.
 *
 * <p>One object a request, mutable and reachable from the context, since whatever is allocated here
 * is allocated for every request.
 */
public sealed class InstrumentedRequest<REQ, RES> implements AttributeSink
    permits SegmentedRequest {

  static final ContextKey<InstrumentedRequest<?, ?>> KEY =
      ContextKey.named("dev.throughline.telemetry.request");

  private static final VarHandle ENDED;

  static {
    try {
      ENDED =
          MethodHandles.lookup().findVarHandle(InstrumentedRequest.class, "ended", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final REQ request;
  final long startNanos;
  Context context = Context.root();
  @Nullable Span span;
  @Nullable SpanBuilder builder;
  @Nullable Attributes activeAttributes;
  boolean recording;
  boolean passedOn;
  private boolean responding;

  @SuppressWarnings("UnusedVariable") // read and written through ENDED
  private boolean ended;

  final RequestInstrumenter<REQ, RES> instrumenter;

  InstrumentedRequest(RequestInstrumenter<REQ, RES> instrumenter, REQ request, long startNanos) {
    this.instrumenter = instrumenter;
    this.request = request;
    this.startNanos = startNanos;
  }

  /**
   * The request that is being served in a context.
   *
   * @return null where there is none, or nothing is recorded of it
   */
  public static @Nullable InstrumentedRequest<?, ?> fromContext(Context context) {
    return context.get(KEY);
  }

  /** The request, as the adapter gave it. */
  public REQ request() {
    return request;
  }

  /**
   * The context to run the application in: the span, and what came in with the request. Of an
   * open-ended request it changes with each segment of its span.
   */
  public Context context() {
    return context;
  }

  /** Makes {@link #context()} current on this thread until the scope is closed. */
  @SuppressWarnings("MustBeClosedChecker") // the caller's to close
  public Scope makeCurrent() {
    return context().makeCurrent();
  }

  /** Whether {@link #responding()} has anything to write. */
  public boolean writesResponseHeaders() {
    return !passedOn && instrumenter.writesResponseHeaders();
  }

  /** Writes response headers, once: to be called right before the response is committed. */
  public void responding() {
    if (!responding && !passedOn) {
      responding = true;
      instrumenter.responding(this);
    }
  }

  /**
   * Ends the request; a second call, from whichever thread, does nothing.
   *
   * @param response null where none came
   * @param error what the application or the transport threw; null where nothing was thrown
   */
  public void end(@Nullable RES response, @Nullable Throwable error) {
    if (!passedOn && ENDED.compareAndSet(this, false, true)) {
      finish(response, error);
    }
  }

  void finish(@Nullable RES response, @Nullable Throwable error) {
    instrumenter.end(this, response, error);
  }

  @Override
  public <T> void set(AttributeKey<T> key, @Nullable T value) {
    if (value == null) {
      return;
    }
    T shown = LongValues.cut(key, value, instrumenter.longestValue());
    if (builder != null) {
      builder.setAttribute(key, shown);
    } else {
      requireNonNull(span, "span").setAttribute(key, shown);
    }
  }
}
