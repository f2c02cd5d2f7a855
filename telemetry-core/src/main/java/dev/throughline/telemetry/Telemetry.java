// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.delivery.Delivery;
import dev.throughline.telemetry.instrument.BaggageAttributes;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.MetricsModule;
import dev.throughline.telemetry.instrument.Propagation;
import dev.throughline.telemetry.instrument.RequestConvention;
import dev.throughline.telemetry.instrument.RequestInstrumenterBuilder;
import dev.throughline.telemetry.instrument.ScopeHook;
import dev.throughline.telemetry.instrument.ScopeHooks;
import dev.throughline.telemetry.instrument.Segments;
import dev.throughline.telemetry.instrument.Signals;
import dev.throughline.telemetry.internals.LatestOpenTelemetry;
import dev.throughline.telemetry.internals.OpenTelemetryInternals;
import dev.throughline.telemetry.propagation.OffPropagators;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapSetter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * A service's telemetry: started once in {@code main()}, handed to adapters, asked for spans.
 *
 * <pre>{@code
 * try (Telemetry telemetry = Telemetry.init("bmc-gateway")) {
 *   telemetry.span("vnc.connect").run(() -> connect(bmc));
 * }
 * }</pre>
 *
 * <p>Thread-safe. Nothing here throws after it was built, whatever the back end does.
 */
public final class Telemetry implements AutoCloseable {

  // Not an AtomicReference: what that loads would be a tenth of a start with telemetry off.
  private static volatile @Nullable Telemetry global;
  // OpenTelemetry's global instance; null unless it is ours.
  private static volatile @Nullable LatestOpenTelemetry registered;

  private final Signals signals;
  private final List<String> baggageKeys;
  private final String scopeName;
  private final @Nullable Tracer tracer;
  // Made when it is first asked for.
  private @Nullable Propagation propagation;
  private final Guard guard;
  private final @Nullable Shutdown shutdown;
  private final @Nullable SpanNames names;
  private final SpanBuilder off = new SpanBuilder(this, null, null);
  private final String configuration;

  /**
   * @param shutdown of what is closed with this; null where there is nothing, or it is someone
   *     else's
   * @param configuration the settings, for people to read
   */
  Telemetry(
      Signals signals,
      List<String> baggageKeys,
      String scopeName,
      @Nullable Shutdown shutdown,
      String configuration) {
    this.configuration = configuration;
    this.signals = signals;
    guard = signals.guard();
    this.baggageKeys = baggageKeys;
    this.scopeName = scopeName;
    tracer = signals.spans() ? signals.openTelemetry().getTracer(scopeName) : null;
    names = signals.spans() ? new SpanNames() : null;
    this.shutdown = shutdown;
  }

  /**
   * Starts the process's telemetry by the {@code OTEL_*} variables. It becomes {@link #global()}
   * and OpenTelemetry's global instance, unless one is set, and is closed when the JVM stops. Where
   * the OpenTelemetry Java agent runs, its instance is taken over and adapters leave the work to
   * it.
   *
   * @param serviceName e.g. {@code bmc-gateway}; {@code OTEL_SERVICE_NAME} wins over it
   * @throws NullPointerException if {@code serviceName} is null
   * @throws IllegalArgumentException if {@code TELEMETRY_STRICT} is {@code true} and a setting
   *     can't be used
   */
  public static Telemetry init(String serviceName) {
    return init(builder().setServiceName(serviceName));
  }

  /**
   * The same as {@link #init(String)}, with metrics that are pulled.
   *
   * @param metrics of {@code telemetry-metrics}: {@code MetricsTelemetry.create()}
   * @throws NullPointerException if an argument is null
   */
  public static Telemetry init(String serviceName, MetricsModule metrics) {
    return init(builder().setServiceName(serviceName).setMetrics(metrics));
  }

  private static Telemetry init(TelemetryBuilder builder) {
    if (OpenTelemetryInternals.isAgentRunning()) {
      Telemetry adopted = TelemetryBuilder.over(GlobalOpenTelemetry.get(), false);
      becomeGlobal(adopted);
      LoggerFactory.getLogger(Telemetry.class)
          .info(
              "Telemetry of {} is the OpenTelemetry Java agent's; adapters leave it the work",
              builder.serviceName);
      return adopted;
    }
    Telemetry telemetry = builder.build();
    if (becomeGlobal(telemetry)) {
      registerWithOpenTelemetry(telemetry);
    }
    return telemetry;
  }

  /** A builder for telemetry of its own, which is neither global nor shared. */
  public static TelemetryBuilder builder() {
    return new TelemetryBuilder();
  }

  /**
   * Telemetry on an instance that someone else built: a framework, a test runner. It is never
   * closed from here.
   */
  public static Telemetry of(OpenTelemetry openTelemetry) {
    return TelemetryBuilder.over(requireNonNull(openTelemetry, "openTelemetry"), true);
  }

  /**
   * Telemetry that records nothing: no thread, no id, no bytes. A W3C context that came in still
   * goes out.
   */
  public static Telemetry noop() {
    return Noop.INSTANCE;
  }

  /**
   * The telemetry that {@link #init} started in this process; {@link #noop()} before that and after
   * its close.
   */
  public static Telemetry global() {
    Telemetry started = global;
    return started == null ? noop() : started;
  }

  private static synchronized boolean becomeGlobal(Telemetry telemetry) {
    if (global != null) {
      return false;
    }
    global = telemetry;
    return true;
  }

  private static synchronized void leaveGlobal(Telemetry telemetry) {
    if (global == telemetry) {
      global = null;
    }
  }

  /**
   * A span that is about to start.
   *
   * @param name a field's word, {@code component.operation}, e.g. {@code vnc.connect}; values go
   *     into attributes
   */
  public SpanBuilder span(String name) {
    if (tracer == null || names == null) {
      return off;
    }
    names.check(name);
    try {
      return new SpanBuilder(this, tracer.spanBuilder(name), null);
    } catch (Throwable t) {
      guard.caught("Tracer.spanBuilder", t);
      return off;
    }
  }

  /** Whether spans or metrics are recorded; where not, adapters only pass on what comes in. */
  public boolean isEnabled() {
    return signals.spans() || signals.metrics();
  }

  /**
   * The settings as text: each that is known on a line of its own, by its variable, with the value
   * that holds and where it comes from, e.g. {@code OTEL_TRACES_SAMPLER=always_on (environment
   * variable)}. Secrets stand there as {@code ***}: what headers carry, user info in endpoints, and
   * resource attributes that are called so. One sentence where no settings were read, with
   * telemetry off or on an instance that someone else built.
   */
  public String configuration() {
    return configuration;
  }

  /**
   * Whether the OpenTelemetry Java agent instruments this process; adapters leave it the work then.
   */
  public boolean isAgent() {
    return !signals.propagation();
  }

  /**
   * The OpenTelemetry API that this stands on, for whatever this class does not offer: an {@link
   * OpenTelemetrySdk} if spans are recorded here.
   */
  public OpenTelemetry openTelemetry() {
    return signals.openTelemetry();
  }

  /** The tracer of {@link #span}. */
  public Tracer tracer() {
    return tracer == null ? signals.openTelemetry().getTracer(scopeName) : tracer;
  }

  /** The meter for the service's own metrics; instruments made of it are to be kept. */
  public Meter meter() {
    return signals.openTelemetry().getMeter(scopeName);
  }

  /** Writes the current trace context and baggage into a map, e.g. a message's headers. */
  public void inject(Map<String, String> carrier) {
    propagation().inject(Context.current(), carrier);
  }

  /** Writes the current trace context and baggage into any carrier. */
  public <C> void inject(C carrier, TextMapSetter<C> setter) {
    propagation().inject(Context.current(), carrier, setter);
  }

  /**
   * The current context with the trace context and baggage that a map carries; keys in any case.
   * Entries that can't be read are left out.
   */
  public Context extract(Map<String, String> carrier) {
    return propagation().extract(Context.current(), carrier);
  }

  /**
   * The current context with the trace context and baggage that any carrier carries. Headers that
   * stand on several lines are read as the W3C recommendations say.
   */
  public <C> Context extract(C carrier, TextMapGetter<C> getter) {
    return propagation().extract(Context.current(), carrier, getter);
  }

  /** How many characters a span shows of a text that may repeat what a stranger sent. */
  int longestValue() {
    return signals.longestValue();
  }

  /**
   * A builder of what adapters record requests with.
   *
   * @param scopeName the adapter's instrumentation scope
   */
  public <REQ, RES> RequestInstrumenterBuilder<REQ, RES> instrumenter(
      String scopeName, RequestConvention<REQ, RES> convention) {
    return new RequestInstrumenterBuilder<>(signals, scopeName, convention);
  }

  /**
   * The guard through which an adapter calls whatever may throw, and must not reach the
   * application.
   *
   * @param module the adapter's instrumentation scope, by which the hits are counted
   */
  public Guard guard(String module) {
    return guard.of(module);
  }

  /**
   * The keys of the baggage entries that stand out, of {@code telemetry.baggage.attributes}: for
   * adapters that show them elsewhere than on spans.
   */
  public List<String> baggageKeys() {
    return baggageKeys;
  }

  /**
   * Has a hook go along with the current context, wherever a context of this telemetry is current;
   * a second one takes the first one's place. That of the process's telemetry ({@link #init}) goes
   * along with contexts that are of no telemetry, too. It does nothing with telemetry off, and
   * where the OpenTelemetry Java agent runs; one WARN is logged where OpenTelemetry's context was
   * used before any telemetry was built, since it is too late then.
   */
  public void setScopeHook(ScopeHook hook) {
    requireNonNull(hook, "hook");
    ScopeHooks hooks = signals.scopeHooks();
    if (hooks != null && isEnabled() && !isAgent()) {
      hooks.set(hook, global == this);
    }
  }

  /**
   * Sends what was recorded by now, and waits for the answers; also on an {@link OpenTelemetrySdk}
   * that someone else built.
   *
   * @param timeout how long to wait at most
   * @return the counts since the start, as {@link #delivery} has them; {@link Delivery#complete}
   *     where in time all that was waiting was acknowledged, and nothing was lost since the flush
   *     before; after the close, nothing since the start
   */
  public Delivery flush(Duration timeout) {
    if (shutdown != null) {
      return shutdown.flush(timeout);
    }
    return Delivery.NONE.withComplete(
        !(TelemetryBuilder.recording(signals.openTelemetry()) instanceof OpenTelemetrySdk sdk)
            || Shutdown.flush(sdk, timeout));
  }

  /**
   * The counts of all that was recorded since the start. All counts are zero where nothing is
   * recorded, and on an instance that someone else built.
   */
  public Delivery delivery() {
    return shutdown == null ? Delivery.NONE : shutdown.delivery();
  }

  /**
   * Sends what was recorded by now, and what has been seen of open streams, and stops, within five
   * seconds or what {@code telemetry.close.timeout} says; one WARN tells what was lost, and why.
   * Never throws; a second call does nothing.
   */
  @Override
  public void close() {
    Segments segments = signals.segments();
    if (shutdown != null) {
      shutdown.close();
    } else if (segments != null) {
      segments.close();
    }
    ScopeHooks hooks = signals.scopeHooks();
    if (hooks != null) {
      hooks.clear();
    }
    leaveGlobal(this);
  }

  Guard guard() {
    return guard;
  }

  /** The context with the hook of this telemetry, if it has one. */
  Context carryHook(Context context) {
    ScopeHooks hooks = signals.scopeHooks();
    return hooks == null ? context : hooks.carry(context);
  }

  private Propagation propagation() {
    Propagation made = propagation;
    if (made == null) {
      made = new Propagation(signals, guard);
      propagation = made;
    }
    return made;
  }

  /** For instances whose span processor is not ours. */
  void copyBaggage(Context context, Span span) {
    BaggageAttributes attributes = signals.baggageAttributes();
    if (attributes != null) {
      try {
        attributes.copy(context, span);
      } catch (Throwable t) {
        guard.caught("Span.setAttribute", t);
      }
    }
  }

  private static void registerWithOpenTelemetry(Telemetry telemetry) {
    LatestOpenTelemetry ours = registered;
    if (ours != null) {
      // That of a telemetry before this one, which was closed.
      ours.set(telemetry.openTelemetry());
      return;
    }
    try {
      LatestOpenTelemetry first = new LatestOpenTelemetry(telemetry.openTelemetry());
      GlobalOpenTelemetry.set(first);
      registered = first;
    } catch (RuntimeException | LinkageError e) {
      if (!telemetry.isEnabled()) {
        return;
      }
      LoggerFactory.getLogger(Telemetry.class)
          .warn(
              "OpenTelemetry's global instance was there before Telemetry.init, {}; libraries that"
                  + " record to it are not part of this telemetry. Call Telemetry.init first thing"
                  + " in main(), or Telemetry.of(GlobalOpenTelemetry.get()) if that instance is the"
                  + " one you want",
              whoSet(e.getCause()));
    }
  }

  /** Where the global instance was set, or asked for, which sets one that records nothing. */
  private static String whoSet(@Nullable Throwable at) {
    if (at != null) {
      boolean asked = false;
      for (StackTraceElement call : at.getStackTrace()) {
        if (!call.getClassName().startsWith("io.opentelemetry.")) {
          return (asked ? "asked for" : "set") + " at " + call;
        }
        asked |=
            call.getClassName().equals(GlobalOpenTelemetry.class.getName())
                && call.getMethodName().startsWith("get");
      }
    }
    return "set by someone else";
  }

  private static final class Noop {
    static final Telemetry INSTANCE =
        new TelemetryBuilder()
            .off(OffPropagators.of(java.util.List.of()), "Telemetry is off: no setting was read");
  }
}
