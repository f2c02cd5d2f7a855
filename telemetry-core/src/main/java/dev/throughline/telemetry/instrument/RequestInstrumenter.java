// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongUpDownCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Records the requests of an adapter, each on its way from start to end: should-start, extract,
 * parent policy, start, inject, attributes, response headers, error, end, metrics, all of it
 * guarded. Whatever a convention or a carrier throws, the application's request is the same, and
 * the span still ends.
 *
 * <p>An adapter describes its requests in a {@link RequestConvention}, and goes round each of them:
 *
 * <pre>{@code
 * RequestInstrumenter<Letter, String> letters =
 *     telemetry
 *         .instrumenter("com.example.letters", new LetterConvention())
 *         .setDurationHistogram("letter.duration", "Duration of letters.")
 *         .build();
 * return letter -> {
 *   InstrumentedRequest<Letter, String> started = letters.start(Context.current(), letter);
 *   if (started == null) {
 *     return post.send(letter);
 *   }
 *   try (Scope ignored = started.makeCurrent()) {
 *     String answer = post.send(letter);
 *     started.end(answer, null);
 *     return answer;
 *   } catch (Throwable t) {
 *     started.end(null, t);
 *     throw t;
 *   }
 * };
 * }</pre>
 *
 * <p>Thread-safe. A started request is an {@link InstrumentedRequest}; its scope belongs to the
 * adapter.
 *
 * @param <REQ> the request, as the adapter sees it
 * @param <RES> the response
 */
public final class RequestInstrumenter<REQ, RES> {

  static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");
  static final AttributeKey<Long> SEGMENT_NUMBER =
      AttributeKey.longKey("throughline.segment.number");

  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  final RequestConvention<REQ, RES> convention;
  final Guard guard;
  private final Signals signals;
  private final Tracer tracer;
  private final SpanKind kind;
  private final ParentPolicy parentPolicy;
  private final Propagation propagation;
  private final @Nullable TextMapGetter<REQ> requestGetter;
  private final @Nullable GuardedSetter<REQ> requestSetter;
  private final @Nullable GuardedSetter<REQ> responseSetter;
  private final List<ResponseHook<REQ>> responseHooks;
  private final @Nullable RequestIds requestIds;
  private final @Nullable RequestIds servedIds;
  private final @Nullable ScopeHooks scopeHooks;
  private final @Nullable DoubleHistogram duration;
  private final @Nullable LongUpDownCounter active;
  private final boolean recordsNothing;

  RequestInstrumenter(RequestInstrumenterBuilder<REQ, RES> builder) {
    signals = builder.signals;
    convention = builder.convention;
    kind = convention.kind();
    parentPolicy = builder.parentPolicy;
    guard = signals.guard().of(builder.scopeName);
    tracer = signals.openTelemetry().getTracer(builder.scopeName);
    propagation = new Propagation(signals, guard);
    TextMapGetter<REQ> getter = convention.requestGetter();
    requestGetter = getter == null ? null : HeaderGetter.over(getter);
    requestSetter = guarded(convention.requestSetter(), "RequestConvention.requestSetter");
    responseSetter = guarded(convention.responseSetter(), "RequestConvention.responseSetter");
    servedIds = kind == SpanKind.SERVER ? signals.requestIds() : null;
    // Messages have none.
    requestIds = kind == SpanKind.CLIENT ? signals.requestIds() : servedIds;
    scopeHooks = signals.scopeHooks();
    responseHooks = List.copyOf(builder.responseHooks);
    Meter meter = signals.openTelemetry().getMeter(builder.scopeName);
    duration =
        signals.metrics() && builder.durationMetric != null
            ? meter
                .histogramBuilder(builder.durationMetric)
                .setUnit("s")
                .setDescription(builder.durationDescription)
                .setExplicitBucketBoundariesAdvice(builder.durationBoundaries)
                .build()
            : null;
    active =
        signals.metrics() && builder.activeMetric != null
            ? meter
                .upDownCounterBuilder(builder.activeMetric)
                .setUnit("{request}")
                .setDescription(builder.activeDescription)
                .build()
            : null;
    recordsNothing = !signals.spans() && duration == null && active == null;
  }

  /**
   * Starts a request below the given context.
   *
   * @return null where there is nothing to record and no context to pass on: the adapter calls the
   *     application as if it were not there
   */
  public @Nullable InstrumentedRequest<REQ, RES> start(Context parent, REQ request) {
    return start(parent, request, List.of(), 0);
  }

  /**
   * Starts a request with links and a start time, for batches and late carriers.
   *
   * @param links further spans that caused this one, in addition to what the carrier holds
   * @param startEpochNanos when the request began, in nanoseconds since the epoch; 0 is now
   * @return null as for {@link #start(Context, Object)}
   */
  public @Nullable InstrumentedRequest<REQ, RES> start(
      Context parent, REQ request, List<SpanContext> links, long startEpochNanos) {
    if (!signals.propagation()) {
      return null;
    }
    if (recordsNothing || !shouldStart(request)) {
      return passOn(parent, request);
    }
    Context context = requestGetter == null ? parent : extract(parent, request);
    SpanContext incoming = SpanContext.getInvalid();
    if (parentPolicy != ParentPolicy.CHILD) {
      incoming = Span.fromContext(context).getSpanContext();
      context = (parentPolicy == ParentPolicy.EDGE ? parent : context).with(Span.getInvalid());
    }
    if (servedIds != null) {
      context = RequestIds.receive(context, receivedId(servedIds, request));
    }
    if (scopeHooks != null) {
      context = scopeHooks.carry(context);
    }
    InstrumentedRequest<REQ, RES> started = newRequest(request, nanosSince(startEpochNanos));
    if (kind == SpanKind.SERVER) {
      context = context.with(InstrumentedRequest.KEY, started);
    }
    Context parentContext = context;
    if (signals.spans()) {
      context = startSpan(started, context, incoming, links, startEpochNanos);
    }
    started.context = context;
    if (started.recording && started instanceof SegmentedRequest<REQ, RES> segmented) {
      watch(segmented, parentContext);
    }
    inject(context, request);
    if (active != null) {
      countActive(started);
    }
    return started;
  }

  /**
   * Whether requests may leave anything. Where not, since telemetry is off or someone else in the
   * process does the work, an adapter that wraps an object hands it back as it is.
   */
  public boolean isActive() {
    return signals.propagation() && !recordsNothing;
  }

  /** How context gets into and out of carriers that are none of this instrumenter's requests. */
  public Propagation propagation() {
    return propagation;
  }

  private @Nullable GuardedSetter<REQ> guarded(@Nullable HeaderSetter<REQ> setter, String hook) {
    return setter == null ? null : new GuardedSetter<>(setter, guard, hook, signals.isForeign());
  }

  private InstrumentedRequest<REQ, RES> newRequest(REQ request, long startNanos) {
    return signals.spans() && signals.segments() != null && isOpenEnded(request)
        ? new SegmentedRequest<>(this, request, startNanos)
        : new InstrumentedRequest<>(this, request, startNanos);
  }

  int longestValue() {
    return signals.longestValue();
  }

  private boolean isOpenEnded(REQ request) {
    try {
      return convention.isOpenEnded(request);
    } catch (Throwable t) {
      guard.caught("RequestConvention.isOpenEnded", t);
      return false;
    }
  }

  private void watch(SegmentedRequest<REQ, RES> started, Context parentContext) {
    Segments segments = signals.segments();
    if (segments != null) {
      // Another root would be another trace.
      started.parent =
          Span.fromContext(parentContext).getSpanContext().isValid()
              ? parentContext
              : started.context;
      segments.add(started);
    }
  }

  void forget(SegmentedRequest<REQ, RES> started) {
    Segments segments = signals.segments();
    if (segments != null) {
      segments.remove(started);
    }
  }

  @Nullable RES endedWith(REQ request) {
    try {
      return convention.endedWith(request);
    } catch (Throwable t) {
      guard.caught("RequestConvention.endedWith", t);
      return null;
    }
  }

  /** Completes the span of a request that goes on, which is then ready to end. */
  void describeSegment(SegmentedRequest<REQ, RES> started) {
    Span span = started.span;
    if (span == null || !started.recording) {
      return;
    }
    updateName(span, started.request);
    try {
      if (started.number == 1) {
        span.setAttribute(SEGMENT_NUMBER, 1L);
      }
      convention.onSegment(started, started.request);
    } catch (Throwable t) {
      guard.caught("RequestConvention.onSegment", t);
    }
  }

  /**
   * Starts the next span of a request.
   *
   * @return its context
   */
  Context nextSegment(SegmentedRequest<REQ, RES> started) {
    SpanContext previous = Span.fromContext(started.context()).getSpanContext();
    started.span = null;
    started.recording = false;
    Context context =
        startSpan(started, started.parent, SpanContext.getInvalid(), List.of(previous), 0);
    Span span = started.span;
    if (span == null) {
      return started.context();
    }
    started.number++;
    try {
      span.setAttribute(SEGMENT_NUMBER, (long) started.number);
    } catch (Throwable t) {
      guard.caught("Span.setAttribute", t);
    }
    return context;
  }

  private boolean shouldStart(REQ request) {
    try {
      return convention.shouldStart(request);
    } catch (Throwable t) {
      guard.caught("RequestConvention.shouldStart", t);
      return true;
    }
  }

  /** With nothing to record, what came in still goes out. */
  private @Nullable InstrumentedRequest<REQ, RES> passOn(Context parent, REQ request) {
    if (requestGetter == null) {
      inject(parent, request);
      return null;
    }
    if (parentPolicy == ParentPolicy.EDGE || !carriesContext(request)) {
      return null;
    }
    Context context = extract(parent, request);
    if (context == parent) {
      return null;
    }
    InstrumentedRequest<REQ, RES> passed = new InstrumentedRequest<>(this, request, 0);
    passed.context = context;
    passed.passedOn = true;
    return passed;
  }

  private boolean carriesContext(REQ request) {
    TextMapGetter<REQ> getter = requestGetter;
    if (getter == null) {
      return false;
    }
    try {
      List<String> fields = propagation.fields();
      for (int i = 0; i < fields.size(); i++) {
        if (getter.get(request, fields.get(i)) != null) {
          return true;
        }
      }
    } catch (Throwable t) {
      guard.caught("RequestConvention.requestGetter", t);
    }
    return false;
  }

  private Context extract(Context parent, REQ request) {
    TextMapGetter<REQ> getter = requestGetter;
    return getter == null ? parent : propagation.extract(parent, request, getter);
  }

  private void inject(Context context, REQ request) {
    GuardedSetter<REQ> setter = requestSetter;
    if (setter == null) {
      return;
    }
    propagation.inject(context, request, setter);
    if (requestIds != null) {
      sendId(requestIds, context, request, setter);
    }
  }

  private @Nullable String receivedId(RequestIds ids, REQ request) {
    TextMapGetter<REQ> getter = requestGetter;
    try {
      return getter == null ? null : getter.get(request, ids.header());
    } catch (Throwable t) {
      guard.caught("RequestConvention.requestGetter", t);
      return null;
    }
  }

  private void sendId(RequestIds ids, Context context, REQ carrier, GuardedSetter<REQ> setter) {
    String id = RequestIds.fromContext(context);
    if (id == null) {
      return;
    }
    try {
      if (convention.sends(carrier, ids.header())) {
        return;
      }
    } catch (Throwable t) {
      guard.caught("RequestConvention.sends", t);
    }
    setter.set(carrier, ids.header(), id);
  }

  private Context startSpan(
      InstrumentedRequest<REQ, RES> started,
      Context context,
      SpanContext incoming,
      List<SpanContext> links,
      long startEpochNanos) {
    Span span;
    boolean before = signals.attributesBeforeStart(Span.fromContext(context).getSpanContext());
    try {
      SpanBuilder builder =
          tracer.spanBuilder(spanName(started.request)).setSpanKind(kind).setParent(context);
      if (incoming.isValid()) {
        builder.addLink(incoming);
      }
      for (int i = 0; i < links.size(); i++) {
        builder.addLink(links.get(i));
      }
      if (startEpochNanos > 0) {
        builder.setStartTimestamp(startEpochNanos, TimeUnit.NANOSECONDS);
      }
      if (before) {
        started.builder = builder;
        onStart(started);
        started.builder = null;
      }
      span = builder.startSpan();
    } catch (Throwable t) {
      guard.caught("SpanBuilder.startSpan", t);
      return context;
    }
    started.span = span;
    if (isRecording(span)) {
      started.recording = true;
      if (!before) {
        onStart(started);
      }
      BaggageAttributes baggageAttributes = signals.baggageAttributes();
      if (baggageAttributes != null) {
        copyBaggage(baggageAttributes, context, span);
      }
      if (requestIds != null) {
        setRequestId(context, span);
      }
    }
    return context.with(span);
  }

  private boolean isRecording(Span span) {
    try {
      return span.isRecording();
    } catch (Throwable t) {
      guard.caught("Span.isRecording", t);
      return false;
    }
  }

  private void copyBaggage(BaggageAttributes attributes, Context context, Span span) {
    try {
      attributes.copy(context, span);
    } catch (Throwable t) {
      guard.caught("Span.setAttribute", t);
    }
  }

  private void setRequestId(Context context, Span span) {
    String id = RequestIds.fromContext(context);
    if (id == null) {
      return;
    }
    try {
      span.setAttribute(RequestIds.ATTRIBUTE, id);
    } catch (Throwable t) {
      guard.caught("Span.setAttribute", t);
    }
  }

  private String spanName(REQ request) {
    try {
      return LongValues.cut(convention.spanName(request), longestValue());
    } catch (Throwable t) {
      guard.caught("RequestConvention.spanName", t);
      return "unknown";
    }
  }

  private void onStart(InstrumentedRequest<REQ, RES> started) {
    try {
      convention.onStart(started, started.request);
    } catch (Throwable t) {
      guard.caught("RequestConvention.onStart", t);
    }
  }

  private void countActive(InstrumentedRequest<REQ, RES> started) {
    LongUpDownCounter counter = active;
    if (counter == null) {
      return;
    }
    try {
      Attributes attributes = convention.activeAttributes(started.request);
      if (attributes != null) {
        started.activeAttributes = attributes;
        counter.add(1, attributes, started.context);
      }
    } catch (Throwable t) {
      guard.caught("RequestConvention.activeAttributes", t);
    }
  }

  void responding(InstrumentedRequest<REQ, RES> started) {
    GuardedSetter<REQ> setter = responseSetter;
    if (setter == null) {
      return;
    }
    for (int i = 0; i < responseHooks.size(); i++) {
      try {
        responseHooks.get(i).onResponse(started.context(), started.request, setter);
      } catch (Throwable t) {
        guard.caught("ResponseHook.onResponse", t);
      }
    }
    RequestIds ids = servedIds;
    if (ids != null) {
      sendId(ids, started.context(), started.request, setter);
    }
  }

  boolean writesResponseHeaders() {
    return responseSetter != null && (servedIds != null || !responseHooks.isEmpty());
  }

  void end(
      InstrumentedRequest<REQ, RES> started, @Nullable RES response, @Nullable Throwable error) {
    Span span = started.span;
    if (span != null && started.recording) {
      describeEnd(span, started, response, error);
    }
    if (duration != null) {
      recordDuration(duration, started, response, error);
    }
    Attributes activeAttributes = started.activeAttributes;
    if (active != null && activeAttributes != null) {
      try {
        active.add(-1, activeAttributes, started.context());
      } catch (Throwable t) {
        guard.caught("LongUpDownCounter.add", t);
      }
    }
    // Last: a test that has taken the span finds the points of its request.
    endSpan(span);
  }

  private void describeEnd(
      Span span,
      InstrumentedRequest<REQ, RES> started,
      @Nullable RES response,
      @Nullable Throwable error) {
    REQ request = started.request;
    updateName(span, request);
    try {
      convention.onEnd(started, request, response, error);
    } catch (Throwable t) {
      guard.caught("RequestConvention.onEnd", t);
    }
    try {
      if (error != null) {
        LongValues.recordException(span, error, longestValue());
      }
      String errorType = convention.errorType(request, response, error);
      if (errorType != null) {
        span.setAttribute(ERROR_TYPE, errorType);
        span.setStatus(StatusCode.ERROR);
      }
    } catch (Throwable t) {
      guard.caught("RequestConvention.errorType", t);
    }
  }

  private void updateName(Span span, REQ request) {
    try {
      String name = convention.lateSpanName(request);
      if (name != null) {
        span.updateName(LongValues.cut(name, longestValue()));
      }
    } catch (Throwable t) {
      guard.caught("RequestConvention.lateSpanName", t);
    }
  }

  void endSpan(@Nullable Span span) {
    if (span == null) {
      return;
    }
    try {
      span.end();
    } catch (Throwable t) {
      guard.caught("Span.end", t);
    }
  }

  private void recordDuration(
      DoubleHistogram duration,
      InstrumentedRequest<REQ, RES> started,
      @Nullable RES response,
      @Nullable Throwable error) {
    try {
      duration.record(
          (System.nanoTime() - started.startNanos) / NANOS_PER_SECOND,
          convention.durationAttributes(started.request, response, error),
          started.context());
    } catch (Throwable t) {
      guard.caught("RequestConvention.durationAttributes", t);
    }
  }

  /** The start on the monotonic clock, moved back where the request began before now. */
  private static long nanosSince(long startEpochNanos) {
    long now = System.nanoTime();
    if (startEpochNanos <= 0) {
      return now;
    }
    long epochNow = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    return now - Math.max(0, epochNow - startEpochNanos);
  }
}
