// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.Printable;
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
import org.slf4j.spi.MDCAdapter;

/** Keeps the MDC of a thread in step with its current context. */
final class MdcHook implements ScopeHook {

  // A peer chooses it, and each line of the log may print it.
  private static final int LONGEST_VALUE = 256;

  private final MDCAdapter mdc = MDC.getMDCAdapter();
  private final Guard guard;
  private final String[] baggageKeys;
  // The ids, the request id and the baggage.
  private final int keys;
  private final LogRecords records;

  /**
   * @param baggageKeys the baggage entries that go into the MDC, under their own keys
   * @param records closed with the telemetry
   */
  MdcHook(Guard guard, List<String> baggageKeys, LogRecords records) {
    this.guard = guard;
    this.records = records;
    List<String> listed = new ArrayList<>(baggageKeys);
    listed.removeAll(
        List.of(LogKeys.TRACE_ID, LogKeys.SPAN_ID, LogKeys.TRACE_FLAGS, LogKeys.REQUEST_ID));
    this.baggageKeys = listed.toArray(new String[0]);
    this.keys = 4 + listed.size();
  }

  @Override
  public void closed() {
    records.close();
  }

  @Override
  public Scope entered(Context before, Context now, Scope scope) {
    SpanContext ids = idsOf(Span.fromContextOrNull(now));
    String idNow = RequestIds.fromContext(now);
    Baggage baggageNow = Baggage.fromContextOrNull(now);
    SpanContext idsBefore = null;
    String idBefore = null;
    Baggage baggageBefore = null;
    if (before != Context.root()) {
      idsBefore = idsOf(Span.fromContextOrNull(before));
      idBefore = RequestIds.fromContext(before);
      baggageBefore = Baggage.fromContextOrNull(before);
    }
    boolean more = baggageBefore != baggageNow || !Objects.equals(idBefore, idNow);
    if (idsBefore == ids && !more) {
      return scope;
    }
    MdcScope entered = null;
    try {
      records.restore();
      if (!more && ids != null && hasNoIds()) {
        entered = new MdcScope(scope, this, now);
        mdc.put(LogKeys.TRACE_ID, ids.getTraceId());
        mdc.put(LogKeys.SPAN_ID, ids.getSpanId());
        mdc.put(LogKeys.TRACE_FLAGS, ids.getTraceFlags().asHex());
        return entered;
      }
      ReplacingScope replacing = new ReplacingScope(scope, this, now, more ? keys : 3);
      entered = replacing;
      if (idsBefore != ids) {
        replacing.set(LogKeys.TRACE_ID, ids == null ? null : ids.getTraceId());
        replacing.set(LogKeys.SPAN_ID, ids == null ? null : ids.getSpanId());
        replacing.set(LogKeys.TRACE_FLAGS, ids == null ? null : ids.getTraceFlags().asHex());
      }
      if (more) {
        replacing.change(LogKeys.REQUEST_ID, idBefore, idNow);
        for (String key : baggageKeys) {
          replacing.change(key, value(baggageBefore, key), value(baggageNow, key));
        }
      }
    } catch (Throwable t) {
      guard.caught("MDC.put", t);
    }
    return entered == null ? scope : entered;
  }

  private boolean hasNoIds() {
    return mdc.get(LogKeys.TRACE_ID) == null
        && mdc.get(LogKeys.SPAN_ID) == null
        && mdc.get(LogKeys.TRACE_FLAGS) == null;
  }

  private static @Nullable SpanContext idsOf(@Nullable Span span) {
    SpanContext context = span == null ? null : span.getSpanContext();
    return context == null || !context.isValid() ? null : context;
  }

  private static @Nullable String value(@Nullable Baggage baggage, String key) {
    String value = baggage == null ? null : baggage.getEntryValue(key);
    if (value == null) {
      return null;
    }
    return Printable.of(value.length() > LONGEST_VALUE ? value.substring(0, LONGEST_VALUE) : value);
  }

  /**
   * Three ids where none stood.
   *
   * <p>This is what each scope costs beside the MDC's own entries, 96 bytes on Logback, so it has
   * three fields and no more.
   */
  private static class MdcScope implements Scope {

    final MdcHook hook;
    private final Scope scope;
    private @Nullable Context now;

    MdcScope(Scope scope, MdcHook hook, Context now) {
      this.scope = scope;
      this.hook = hook;
      this.now = now;
    }

    @Override
    public final void close() {
      boolean isCurrent = Context.current() == now;
      scope.close();
      if (!isCurrent) {
        // Closed twice, out of order or on another thread, which the storage ignores: what is
        // current stays so, and its ids too.
        return;
      }
      now = null;
      try {
        leave();
      } catch (Throwable t) {
        hook.guard.caught("MDC.remove", t);
      }
    }

    void leave() {
      MDCAdapter mdc = hook.mdc;
      mdc.remove(LogKeys.TRACE_ID);
      mdc.remove(LogKeys.SPAN_ID);
      mdc.remove(LogKeys.TRACE_FLAGS);
    }
  }

  /** Whatever changes, and what stood in its place. */
  private static final class ReplacingScope extends MdcScope {

    // Keys and replaced values in turn.
    private final @Nullable String[] replaced;
    private int length;

    ReplacingScope(Scope scope, MdcHook hook, Context now, int keys) {
      super(scope, hook, now);
      replaced = new String[2 * keys];
    }

    void change(String key, @Nullable String before, @Nullable String now) {
      if (!Objects.equals(before, now)) {
        set(key, now);
      }
    }

    void set(String key, @Nullable String value) {
      replaced[length + 1] = hook.mdc.get(key);
      replaced[length] = key;
      length += 2;
      put(key, value);
    }

    @Override
    void leave() {
      for (int i = 0; i < length; i += 2) {
        put(Objects.requireNonNull(replaced[i]), replaced[i + 1]);
      }
    }

    private void put(String key, @Nullable String value) {
      if (value == null) {
        hook.mdc.remove(key);
      } else {
        hook.mdc.put(key, value);
      }
    }
  }
}
