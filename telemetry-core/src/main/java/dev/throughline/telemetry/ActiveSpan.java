// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.LongValues;
import dev.throughline.telemetry.instrument.Signals;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A span that has started. It ends exactly once: a second end, and whatever is set after the first,
 * does nothing. Thread-safe but for {@link #close()}, which belongs on the thread that opened it.
 */
public final class ActiveSpan implements AutoCloseable {

  static final ActiveSpan NONE = new ActiveSpan(null, Span.getInvalid(), null, null);

  private static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");

  final @Nullable Telemetry telemetry;
  final Span span;
  private final @Nullable Context context;
  private final @Nullable Predicate<? super Throwable> errorIf;
  @Nullable Scope scope;

  ActiveSpan(
      @Nullable Telemetry telemetry,
      Span span,
      @Nullable Context context,
      @Nullable Predicate<? super Throwable> errorIf) {
    this.telemetry = telemetry;
    this.span = span;
    this.context = context;
    this.errorIf = errorIf;
  }

  /**
   * The span that is current on this thread, for code that has no {@link Telemetry} at hand. It
   * belongs to whoever started it: ending or closing what this returns does nothing.
   *
   * @return never null; without a current span, one on which everything does nothing
   */
  public static ActiveSpan current() {
    Span current = Span.current();
    return current.getSpanContext().isValid() ? new ActiveSpan(null, current, null, null) : NONE;
  }

  /**
   * A baggage entry that is current on this thread, wherever in the trace it was set.
   *
   * @return null where there is none
   */
  public static @Nullable String currentBaggage(String key) {
    return Baggage.current().getEntryValue(key);
  }

  /** Sets an attribute; null is ignored. */
  public ActiveSpan attribute(String key, @Nullable String value) {
    if (value != null) {
      try {
        span.setAttribute(key, value);
      } catch (Throwable t) {
        caught(telemetry, "Span.setAttribute", t);
      }
    }
    return this;
  }

  /** Sets an attribute. */
  public ActiveSpan attribute(String key, long value) {
    try {
      span.setAttribute(key, value);
    } catch (Throwable t) {
      caught(telemetry, "Span.setAttribute", t);
    }
    return this;
  }

  /** Sets an attribute. */
  public ActiveSpan attribute(String key, double value) {
    try {
      span.setAttribute(key, value);
    } catch (Throwable t) {
      caught(telemetry, "Span.setAttribute", t);
    }
    return this;
  }

  /** Sets an attribute. */
  public ActiveSpan attribute(String key, boolean value) {
    try {
      span.setAttribute(key, value);
    } catch (Throwable t) {
      caught(telemetry, "Span.setAttribute", t);
    }
    return this;
  }

  /** Sets an attribute of any type, lists included; null is ignored. */
  public <T> ActiveSpan attribute(AttributeKey<T> key, @Nullable T value) {
    if (value != null) {
      try {
        span.setAttribute(key, value);
      } catch (Throwable t) {
        caught(telemetry, "Span.setAttribute", t);
      }
    }
    return this;
  }

  /** Adds an event at this moment. */
  public ActiveSpan event(String name) {
    try {
      span.addEvent(name);
    } catch (Throwable t) {
      caught(telemetry, "Span.addEvent", t);
    }
    return this;
  }

  /** Adds an event with attributes at this moment. */
  public ActiveSpan event(String name, Attributes attributes) {
    try {
      span.addEvent(name, attributes);
    } catch (Throwable t) {
      caught(telemetry, "Span.addEvent", t);
    }
    return this;
  }

  /** Sets the status. {@link StatusCode#OK} stands against a later error. */
  public ActiveSpan status(StatusCode status) {
    try {
      span.setStatus(status);
    } catch (Throwable t) {
      caught(telemetry, "Span.setStatus", t);
    }
    return this;
  }

  /**
   * Sets the status.
   *
   * @param description of an error, for people; ignored with any other status
   */
  public ActiveSpan status(StatusCode status, String description) {
    try {
      span.setStatus(status, description);
    } catch (Throwable t) {
      caught(telemetry, "Span.setStatus", t);
    }
    return this;
  }

  /**
   * Marks the span as failed: status error, {@code error.type} with the exception's class, and the
   * exception event.
   *
   * @param thrown null marks the span as failed without a reason
   * @see <a
   *     href="https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/">Exceptions
   *     on spans</a>
   */
  public ActiveSpan fail(@Nullable Throwable thrown) {
    try {
      if (!span.isRecording()) {
        return this;
      }
      if (thrown == null) {
        span.setStatus(StatusCode.ERROR);
        return this;
      }
      int longest = telemetry == null ? Signals.LONGEST_VALUE : telemetry.longestValue();
      span.setAttribute(ERROR_TYPE, thrown.getClass().getName());
      LongValues.recordException(span, thrown, longest);
      String message = thrown.getMessage();
      if (message == null) {
        span.setStatus(StatusCode.ERROR);
      } else {
        span.setStatus(StatusCode.ERROR, LongValues.cut(message, longest));
      }
    } catch (Throwable t) {
      // An exception whose message or stack trace throws, or a span that does.
      caught(telemetry, "Throwable.getMessage", t);
      status(StatusCode.ERROR);
    }
    return this;
  }

  /** The OpenTelemetry span, for whatever this class does not offer. */
  public Span span() {
    return span;
  }

  /** The context with this span and its baggage, to be handed to other threads. */
  public Context context() {
    return context == null ? Context.current() : context;
  }

  /** Makes the span current on this thread until the scope is closed; it does not end the span. */
  @SuppressWarnings("MustBeClosedChecker") // the caller's to close
  public Scope makeCurrent() {
    return context == null ? Scope.noop() : context.makeCurrent();
  }

  /** Ends the span. */
  public void end() {
    if (telemetry == null) {
      return;
    }
    try {
      span.end();
    } catch (Throwable t) {
      caught(telemetry, "Span.end", t);
    }
  }

  /** Ends the span and, where it was opened, restores what was current before. */
  @Override
  public void close() {
    Scope opened = scope;
    if (opened != null) {
      scope = null;
      opened.close();
    }
    end();
  }

  @SuppressWarnings("MustBeClosedChecker") // close() closes it
  void open() {
    if (context != null) {
      scope = context.makeCurrent();
    }
  }

  /**
   * Ends the span of work that threw, and restores what was current before.
   *
   * <p>Static, with its parts handed over: a call on the span where nothing was thrown yet would be
   * a call that is not compiled in, and the compiler could not leave the span's object out.
   */
  static void failed(
      @Nullable Telemetry telemetry,
      Span span,
      @Nullable Scope scope,
      @Nullable Predicate<? super Throwable> errorIf,
      Throwable thrown) {
    ActiveSpan failed = new ActiveSpan(telemetry, span, null, errorIf);
    failed.scope = scope;
    try {
      failed.thrown(thrown);
    } finally {
      failed.close();
    }
  }

  /** Records what the work threw, if it is an error; never throws itself. */
  void thrown(Throwable thrown) {
    if (errorIf != null) {
      try {
        if (!errorIf.test(thrown)) {
          return;
        }
      } catch (Throwable t) {
        caught(telemetry, "SpanBuilder.errorIf", t);
      }
    }
    fail(thrown);
  }

  /** Static, since the span's object could not be left out if it were handed on. */
  static void caught(@Nullable Telemetry telemetry, String hook, Throwable thrown) {
    if (telemetry != null) {
      telemetry.guard().caught(hook, thrown);
    } else if (Guard.isFatal(thrown)) {
      throw (VirtualMachineError) thrown;
    }
  }
}
