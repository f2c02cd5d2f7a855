// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import dev.throughline.telemetry.instrument.StageFailure;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.baggage.BaggageBuilder;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A span that is about to start. Say what it is, then how it runs: {@link #call} and {@link #run}
 * around a piece of work, {@link #callAsync} around a stage, {@link #open} and {@link #start} where
 * a lambda does not fit.
 *
 * <p>For one use by one thread. With telemetry off all of it costs nothing: no object is made, and
 * the work runs as if it stood there alone.
 */
public final class SpanBuilder {

  /** Work that gives a result. */
  @FunctionalInterface
  public interface Call<T extends @Nullable Object, X extends Exception> {
    /** Does the work. */
    T call() throws X;
  }

  /** Work that gives a result and tells its span about itself. */
  @FunctionalInterface
  public interface SpanCall<T extends @Nullable Object, X extends Exception> {
    /** Does the work within the span. */
    T call(ActiveSpan span) throws X;
  }

  /** Work without a result. */
  @FunctionalInterface
  public interface Run<X extends Exception> {
    /** Does the work. */
    void run() throws X;
  }

  /** Work without a result that tells its span about itself. */
  @FunctionalInterface
  public interface SpanRun<X extends Exception> {
    /** Does the work within the span. */
    void run(ActiveSpan span) throws X;
  }

  private final Telemetry telemetry;
  private final io.opentelemetry.api.trace.@Nullable SpanBuilder span;
  private @Nullable Context parent;
  // Keys and values in turn; the parent that they are added to may be named after them.
  private @Nullable List<String> baggage;
  private @Nullable Predicate<? super Throwable> errorIf;

  /**
   * @param span null with spans off
   */
  SpanBuilder(
      Telemetry telemetry,
      io.opentelemetry.api.trace.@Nullable SpanBuilder span,
      @Nullable Context parent) {
    this.telemetry = telemetry;
    this.span = span;
    this.parent = parent;
  }

  /** Sets the kind; {@link SpanKind#INTERNAL} by default. */
  public SpanBuilder kind(SpanKind kind) {
    if (span != null) {
      try {
        span.setSpanKind(kind);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.setSpanKind", t);
      }
    }
    return this;
  }

  /**
   * Starts the span below the span of this context, and runs it in this context; by default that is
   * the context that is current when the span starts. A remote parent is a context that {@link
   * Telemetry#extract} made. With telemetry off the work still runs in this context, so that what
   * came in goes out.
   *
   * @param context null is ignored
   */
  public SpanBuilder parent(@Nullable Context context) {
    if (context == null) {
      return this;
    }
    if (span == null) {
      // The builder that all share when off stays as it is.
      return new SpanBuilder(telemetry, null, context);
    }
    parent = context;
    return this;
  }

  /** Starts a new trace; baggage stays current. */
  public SpanBuilder noParent() {
    Context context = parent == null ? Context.current() : parent;
    if (Span.fromContextOrNull(context) == null) {
      return this;
    }
    return parent(context.with(Span.getInvalid()));
  }

  /** Links another span that caused this one; an invalid context is ignored. */
  public SpanBuilder link(SpanContext spanContext) {
    if (span != null) {
      try {
        span.addLink(spanContext);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.addLink", t);
      }
    }
    return this;
  }

  /** Links another span, with attributes that tell why. */
  public SpanBuilder link(SpanContext spanContext, Attributes attributes) {
    if (span != null) {
      try {
        span.addLink(spanContext, attributes);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.addLink", t);
      }
    }
    return this;
  }

  /** Sets an attribute; null is ignored. */
  public SpanBuilder attribute(String key, @Nullable String value) {
    if (span != null && value != null) {
      try {
        span.setAttribute(key, value);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.setAttribute", t);
      }
    }
    return this;
  }

  /** Sets an attribute. */
  public SpanBuilder attribute(String key, long value) {
    if (span != null) {
      try {
        span.setAttribute(key, value);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.setAttribute", t);
      }
    }
    return this;
  }

  /** Sets an attribute. */
  public SpanBuilder attribute(String key, double value) {
    if (span != null) {
      try {
        span.setAttribute(key, value);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.setAttribute", t);
      }
    }
    return this;
  }

  /** Sets an attribute. */
  public SpanBuilder attribute(String key, boolean value) {
    if (span != null) {
      try {
        span.setAttribute(key, value);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.setAttribute", t);
      }
    }
    return this;
  }

  /** Sets an attribute of any type, lists included; null is ignored. */
  public <T> SpanBuilder attribute(AttributeKey<T> key, @Nullable T value) {
    if (span != null && value != null) {
      try {
        span.setAttribute(key, value);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.setAttribute", t);
      }
    }
    return this;
  }

  /**
   * Sets a baggage entry that is current inside the span and goes out with every call made there;
   * the listed keys also become the attribute {@code baggage.<key>} of this span and of those
   * below, on every service that they reach. Dropped with telemetry off.
   *
   * @param value null is ignored
   * @see <a href="https://www.w3.org/TR/baggage/">W3C Baggage</a>
   */
  public SpanBuilder baggage(String key, @Nullable String value) {
    if (span != null && value != null) {
      if (baggage == null) {
        baggage = new ArrayList<>();
      }
      baggage.add(key);
      baggage.add(value);
    }
    return this;
  }

  /** Sets when the work began, where that was before now. */
  public SpanBuilder startTime(Instant time) {
    if (span != null) {
      try {
        span.setStartTimestamp(time);
      } catch (Throwable t) {
        ActiveSpan.caught(telemetry, "SpanBuilder.setStartTimestamp", t);
      }
    }
    return this;
  }

  /**
   * Says which exceptions are errors; all are by default. One that is not leaves no trace on the
   * span and passes all the same.
   *
   * @param predicate true for an error; where it throws, the exception counts as one
   */
  public SpanBuilder errorIf(Predicate<? super Throwable> predicate) {
    if (span != null) {
      errorIf = predicate;
    }
    return this;
  }

  /**
   * Runs the work within the span. An exception is recorded and thrown on, with its own type.
   *
   * @return what the work returns
   */
  public <T extends @Nullable Object, X extends Exception> T call(Call<T, X> work) throws X {
    if (span == null && parent == null) {
      return work.call();
    }
    ActiveSpan active = open();
    T result;
    try {
      result = work.call();
    } catch (Throwable t) {
      ActiveSpan.failed(active.telemetry, active.span, active.scope, errorIf, t);
      throw t;
    }
    active.close();
    return result;
  }

  /**
   * Runs the work within the span and hands it the span.
   *
   * @return what the work returns
   */
  public <T extends @Nullable Object, X extends Exception> T call(SpanCall<T, X> work) throws X {
    if (span == null && parent == null) {
      return work.call(ActiveSpan.NONE);
    }
    ActiveSpan active = open();
    T result;
    try {
      result = work.call(active);
    } catch (Throwable t) {
      ActiveSpan.failed(active.telemetry, active.span, active.scope, errorIf, t);
      throw t;
    }
    active.close();
    return result;
  }

  /** Runs the work within the span. An exception is recorded and thrown on, with its own type. */
  public <X extends Exception> void run(Run<X> work) throws X {
    if (span == null && parent == null) {
      work.run();
      return;
    }
    ActiveSpan active = open();
    try {
      work.run();
    } catch (Throwable t) {
      ActiveSpan.failed(active.telemetry, active.span, active.scope, errorIf, t);
      throw t;
    }
    active.close();
  }

  /** Runs the work within the span and hands it the span. */
  public <X extends Exception> void run(SpanRun<X> work) throws X {
    if (span == null && parent == null) {
      work.run(ActiveSpan.NONE);
      return;
    }
    ActiveSpan active = open();
    try {
      work.run(active);
    } catch (Throwable t) {
      ActiveSpan.failed(active.telemetry, active.span, active.scope, errorIf, t);
      throw t;
    }
    active.close();
  }

  /**
   * Calls work that goes on after it returned. The span is current while the stage is being made,
   * and ends when the stage ends, also when it is cancelled.
   *
   * @return the very stage that the work returned
   */
  public <S extends @Nullable CompletionStage<?>, X extends Exception> S callAsync(Call<S, X> work)
      throws X {
    if (span == null && parent == null) {
      return work.call();
    }
    ActiveSpan active = start();
    S stage;
    try (Scope ignored = active.makeCurrent()) {
      stage = work.call();
    } catch (Throwable t) {
      active.thrown(t);
      active.end();
      throw t;
    }
    if (stage == null) {
      active.end();
      return stage;
    }
    endWith(stage, active);
    return stage;
  }

  private void endWith(CompletionStage<?> stage, ActiveSpan active) {
    try {
      stage.whenComplete(
          (result, thrown) -> {
            Throwable cause = StageFailure.cause(thrown);
            if (cause != null) {
              active.thrown(cause);
            }
            active.end();
          });
    } catch (Throwable t) {
      // A stage of someone else's making may refuse; the application still gets it.
      telemetry.guard().caught("CompletionStage.whenComplete", t);
      active.end();
    }
  }

  /**
   * Starts the span and makes it current on this thread until it is closed, there.
   *
   * <pre>{@code
   * try (ActiveSpan span = telemetry.span("sol.stream").open()) {
   *   span.event("bmc.connected");
   * }
   * }</pre>
   */
  public ActiveSpan open() {
    ActiveSpan active = start();
    active.open();
    return active;
  }

  /** Starts the span without making it current; it may end on any thread. */
  public ActiveSpan start() {
    // Static, with what it needs handed over: this object then never escapes, and once compiled
    // it is never made.
    return span == null
        ? startOff(telemetry, parent)
        : start(telemetry, span, parent, baggage, errorIf);
  }

  private static ActiveSpan startOff(Telemetry telemetry, @Nullable Context parent) {
    return parent == null
        ? ActiveSpan.NONE
        : new ActiveSpan(telemetry, Span.getInvalid(), parent, null);
  }

  private static ActiveSpan start(
      Telemetry telemetry,
      io.opentelemetry.api.trace.SpanBuilder span,
      @Nullable Context parent,
      @Nullable List<String> baggage,
      @Nullable Predicate<? super Throwable> errorIf) {
    Context context = telemetry.carryHook(parent == null ? Context.current() : parent);
    if (baggage != null) {
      BaggageBuilder entries = Baggage.fromContext(context).toBuilder();
      for (int i = 0; i < baggage.size(); i += 2) {
        entries.put(baggage.get(i), baggage.get(i + 1));
      }
      context = context.with(entries.build());
    }
    Span started;
    try {
      started = span.setParent(context).startSpan();
      telemetry.copyBaggage(context, started);
      context = context.with(started);
    } catch (Throwable t) {
      // A sampler, an id generator or a processor that throws costs the span, not the request.
      telemetry.guard().caught("SpanBuilder.startSpan", t);
      started = Span.getInvalid();
    }
    // In one place for both, or the compiler could not leave the object out.
    return new ActiveSpan(telemetry, started, context, errorIf);
  }
}
