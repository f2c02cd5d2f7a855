// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.RequestIds;
import dev.throughline.telemetry.instrument.ScopeHook;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** Keeps the MDC of a thread in step with its current context. */
final class MdcHook implements ScopeHook {

  private final Guard guard;
  private final String[] baggageKeys;
  private final Runnable onClosed;

  /**
   * @param baggageKeys the baggage entries that go into the MDC, under their own keys
   * @param onClosed runs once the telemetry is closed
   */
  MdcHook(Guard guard, List<String> baggageKeys, Runnable onClosed) {
    this.guard = guard;
    this.onClosed = onClosed;
    List<String> keys = new ArrayList<>(baggageKeys);
    keys.removeAll(
        List.of(LogKeys.TRACE_ID, LogKeys.SPAN_ID, LogKeys.TRACE_FLAGS, LogKeys.REQUEST_ID));
    this.baggageKeys = keys.toArray(new String[0]);
  }

  @Override
  public void closed() {
    onClosed.run();
  }

  @Override
  public Scope entered(Context before, Context now, Scope scope) {
    Span spanBefore = Span.fromContextOrNull(before);
    Span spanNow = Span.fromContextOrNull(now);
    String idBefore = RequestIds.fromContext(before);
    String idNow = RequestIds.fromContext(now);
    Baggage baggageBefore = Baggage.fromContextOrNull(before);
    Baggage baggageNow = Baggage.fromContextOrNull(now);
    SpanContext ids = idsOf(spanNow);
    boolean sameIds = spanBefore == spanNow || (ids == null && idsOf(spanBefore) == null);
    if (Objects.equals(idBefore, idNow) && baggageBefore == baggageNow) {
      if (sameIds) {
        return scope;
      }
      MdcScope mdc = new MdcScope(scope, guard);
      mdc.enter(ids);
      return mdc;
    }
    WideMdcScope mdc = new WideMdcScope(scope, guard, 1 + baggageKeys.length);
    if (!sameIds) {
      mdc.enter(ids);
    }
    mdc.enter(LogKeys.REQUEST_ID, idBefore, idNow);
    for (String key : baggageKeys) {
      mdc.enter(key, value(baggageBefore, key), value(baggageNow, key));
    }
    return mdc;
  }

  private static @Nullable SpanContext idsOf(@Nullable Span span) {
    SpanContext context = span == null ? null : span.getSpanContext();
    return context == null || !context.isValid() ? null : context;
  }

  private static @Nullable String value(@Nullable Baggage baggage, String key) {
    return baggage == null ? null : baggage.getEntryValue(key);
  }

  private static void set(String key, @Nullable String value) {
    if (value == null) {
      MDC.remove(key);
    } else {
      MDC.put(key, value);
    }
  }

  /**
   * The three ids, and what stood in their place.
   *
   * <p>One object a scope, and of three fields: the MDC's own entries for the ids are 96 bytes on
   * Logback, and this is what there is beside them.
   */
  private static class MdcScope implements Scope {

    private static final String[] UNTOUCHED = {};
    private static final @Nullable String[] NONE = new String[3];

    final Guard guard;
    private final Scope scope;
    private @Nullable String[] replaced = UNTOUCHED;

    MdcScope(Scope scope, Guard guard) {
      this.scope = scope;
      this.guard = guard;
    }

    final void enter(@Nullable SpanContext ids) {
      try {
        String traceId = MDC.get(LogKeys.TRACE_ID);
        String spanId = MDC.get(LogKeys.SPAN_ID);
        String flags = MDC.get(LogKeys.TRACE_FLAGS);
        replaced =
            traceId == null && spanId == null && flags == null
                ? NONE
                : new String[] {traceId, spanId, flags};
        set(LogKeys.TRACE_ID, ids == null ? null : ids.getTraceId());
        set(LogKeys.SPAN_ID, ids == null ? null : ids.getSpanId());
        set(LogKeys.TRACE_FLAGS, ids == null ? null : ids.getTraceFlags().asHex());
      } catch (Throwable t) {
        guard.caught("MDC.put", t);
      }
    }

    @Override
    public final void close() {
      Context closing = Context.current();
      scope.close();
      if (Context.current() == closing) {
        // Closed twice, out of order or on another thread, which the storage ignores: the context
        // stays current, and so do its ids.
        return;
      }
      try {
        leave();
      } catch (Throwable t) {
        guard.caught("MDC.remove", t);
      }
    }

    void leave() {
      @Nullable String[] values = replaced;
      if (values != UNTOUCHED) {
        set(LogKeys.TRACE_ID, values[0]);
        set(LogKeys.SPAN_ID, values[1]);
        set(LogKeys.TRACE_FLAGS, values[2]);
      }
    }
  }

  /** The request id and baggage as well. */
  private static final class WideMdcScope extends MdcScope {

    // Keys and replaced values in turn; the first key that is null ends it.
    private final @Nullable String[] more;
    private int length;

    WideMdcScope(Scope scope, Guard guard, int keys) {
      super(scope, guard);
      more = new String[2 * keys];
    }

    void enter(String key, @Nullable String before, @Nullable String now) {
      if (Objects.equals(before, now)) {
        return;
      }
      try {
        more[length + 1] = MDC.get(key);
        more[length] = key;
        length += 2;
        set(key, now);
      } catch (Throwable t) {
        guard.caught("MDC.put", t);
      }
    }

    @Override
    void leave() {
      super.leave();
      for (int i = 0; i < length; i += 2) {
        set(Objects.requireNonNull(more[i]), more[i + 1]);
      }
    }
  }
}
