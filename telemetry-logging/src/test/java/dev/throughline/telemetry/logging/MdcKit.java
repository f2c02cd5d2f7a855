// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestConvention;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** What the MDC has while a span is current, on each back end of SLF4J. */
abstract class MdcKit {

  @RegisterExtension
  final TelemetryExtension recorded =
      TelemetryExtension.builder()
          .addProperty("telemetry.request.id.header", "X-Request-Id")
          .addProperty("telemetry.baggage.attributes", "session_id,customer_id,trace_id")
          .build();

  private final ExecutorService pool = Executors.newSingleThreadExecutor();
  private Telemetry telemetry;

  /** The class of SLF4J's back end, so that each suite runs on its own. */
  abstract String backEnd();

  @BeforeEach
  void install() {
    assertThat(LoggerFactory.getILoggerFactory().getClass().getName()).isEqualTo(backEnd());
    MDC.clear();
    telemetry = recorded.telemetry();
    LoggingTelemetry.create(telemetry).install();
  }

  @AfterEach
  void nothingIsLeft() {
    pool.shutdownNow();
    assertThat(mdc()).isEmpty();
  }

  static Map<String, String> mdc() {
    Map<String, String> mdc = MDC.getCopyOfContextMap();
    return mdc == null ? Map.of() : mdc;
  }

  private static Map<String, String> ids(Span span) {
    SpanContext context = span.getSpanContext();
    return Map.of(
        "trace_id", context.getTraceId(),
        "span_id", context.getSpanId(),
        "trace_flags", context.getTraceFlags().asHex());
  }

  @Test
  void hasTheIdsOfTheSpanWhileItIsCurrent() {
    telemetry.span("vnc.connect").run(span -> assertThat(mdc()).isEqualTo(ids(span.span())));
    assertThat(mdc()).isEmpty();
    recorded.takeSpan();
  }

  @Test
  void hasTheIdsOfTheInnermostSpan() {
    try (ActiveSpan outer = telemetry.span("outer").open()) {
      try (ActiveSpan inner = telemetry.span("inner").open()) {
        assertThat(mdc()).isEqualTo(ids(inner.span()));
      }
      assertThat(mdc()).isEqualTo(ids(outer.span()));
      telemetry.span("root").noParent().run(span -> assertThat(mdc()).isEqualTo(ids(span.span())));
      assertThat(mdc()).isEqualTo(ids(outer.span()));
    }
    recorded.takeSpans(3);
  }

  @Test
  void whatTheApplicationPutThereComesBack() {
    MDC.put("span_id", "the application's");
    MDC.put("session_id", "the application's as well");
    MDC.put("other", "stays");
    telemetry
        .span("vnc.connect")
        .baggage("session_id", "s-1")
        .run(
            span ->
                assertThat(mdc())
                    .containsAllEntriesOf(ids(span.span()))
                    .containsEntry("session_id", "s-1")
                    .containsEntry("other", "stays"));
    assertThat(mdc())
        .containsOnly(
            entry("span_id", "the application's"),
            entry("session_id", "the application's as well"),
            entry("other", "stays"));
    MDC.clear();
    recorded.takeSpan();
  }

  /** A peer's baggage begins no line of the log, and fills none. */
  @Test
  void aStrangersBaggageForgesNoLine() {
    Context came =
        telemetry.extract(
            Map.of(
                "baggage",
                "session_id=s%0A08:00%20WARN%20forged%1B%5B2J%C2%85%E2%80%A8,customer_id="
                    + "c".repeat(4_000)));
    telemetry
        .span("vnc.connect")
        .parent(came)
        .run(
            span ->
                assertThat(mdc())
                    .containsEntry(
                        "session_id", "s\\u000a08:00 WARN forged\\u001b[2J\\u0085\\u2028")
                    .containsEntry("customer_id", "c".repeat(256)));
    assertThat(mdc()).isEmpty();
    recorded.takeSpan();
  }

  @Test
  void whatTheApplicationPutsThereMeanwhileIsGone() {
    try (ActiveSpan outer = telemetry.span("outer").open()) {
      try (ActiveSpan inner = telemetry.span("inner").open()) {
        MDC.put("trace_id", "the application's");
      }
      assertThat(mdc()).isEqualTo(ids(outer.span()));
      MDC.clear();
    }
    assertThat(mdc()).isEmpty();
    recorded.takeSpans(2);
  }

  @Test
  void hasTheListedBaggage() {
    try (ActiveSpan outer =
        telemetry.span("outer").baggage("session_id", "s-1").baggage("secret", "no").open()) {
      assertThat(mdc()).containsEntry("session_id", "s-1").doesNotContainKey("secret").hasSize(4);
      try (ActiveSpan inner =
          telemetry.span("inner").baggage("session_id", "s-2").baggage("customer_id", "c").open()) {
        assertThat(mdc()).containsEntry("session_id", "s-2").containsEntry("customer_id", "c");
      }
      assertThat(mdc()).containsEntry("session_id", "s-1").hasSize(4);
    }
    Context carrying = Context.root().with(Baggage.builder().put("session_id", "s-3").build());
    try (ActiveSpan remote = telemetry.span("below").parent(carrying).open()) {
      assertThat(mdc()).containsEntry("session_id", "s-3").hasSize(4);
    }
    recorded.takeSpans(3);
  }

  @Test
  void baggageDoesNotPassForAnId() {
    telemetry
        .span("vnc.connect")
        .baggage("trace_id", "forged")
        .run(span -> assertThat(mdc()).isEqualTo(ids(span.span())));
    recorded.takeSpan();
  }

  @Test
  void hasTheIdsOfASpanThatIsNotSampled() {
    SpanContext remote =
        SpanContext.createFromRemoteParent(
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            TraceFlags.getDefault(),
            TraceState.getDefault());
    telemetry
        .span("vnc.connect")
        .parent(Context.root().with(Span.wrap(remote)))
        .run(
            span ->
                assertThat(mdc())
                    .isEqualTo(ids(span.span()))
                    .containsEntry("trace_id", remote.getTraceId())
                    .containsEntry("trace_flags", "00"));
  }

  @Test
  void hasNothingWhereNoSpanIsCurrent() {
    try (ActiveSpan span = telemetry.span("vnc.connect").baggage("session_id", "s").open()) {
      try (Scope none = Context.root().makeCurrent()) {
        assertThat(mdc()).isEmpty();
      }
      assertThat(mdc()).containsAllEntriesOf(ids(span.span())).hasSize(4);
      try (Scope invalid = Context.current().with(Span.getInvalid()).makeCurrent()) {
        assertThat(mdc()).containsOnlyKeys("session_id");
      }
      assertThat(mdc()).containsAllEntriesOf(ids(span.span())).hasSize(4);
    }
    recorded.takeSpan();
  }

  @Test
  void goesAlongToOtherThreads() throws Exception {
    ExecutorService wrapped = Context.taskWrapping(pool);
    // The thread is there before any span is.
    pool.submit(() -> {}).get();
    for (String session : new String[] {"s-1", "s-2"}) {
      telemetry
          .span("vnc.connect")
          .baggage("session_id", session)
          .run(
              span -> {
                Map<String, String> seen = wrapped.submit(MdcKit::mdc).get();
                assertThat(seen)
                    .containsAllEntriesOf(ids(span.span()))
                    .containsEntry("session_id", session)
                    .hasSize(4);
              });
      assertThat(pool.submit(MdcKit::mdc).get()).as("on the pooled thread").isEmpty();
    }
    recorded.takeSpans(2);
  }

  @Test
  void aPooledThreadThatIsMadeWithinASpanKeepsNoTraceId() throws Exception {
    telemetry
        .span("vnc.connect")
        .run(
            span -> {
              pool.submit(() -> {}).get();
              assertThat(Context.taskWrapping(pool).submit(MdcKit::mdc).get())
                  .isEqualTo(ids(span.span()));
            });
    assertThat(pool.submit(MdcKit::mdc).get()).isEmpty();
    recorded.takeSpan();
  }

  @Test
  void hasTheRequestIdWhileARequestIsServed() {
    InstrumentedRequest<Map<String, String>, String> request =
        telemetry
            .instrumenter("test", new Served())
            .build()
            .start(Context.current(), Map.of("X-Request-Id", "r-1"));
    try (Scope scope = request.makeCurrent()) {
      assertThat(mdc()).containsEntry("request_id", "r-1").hasSize(4);
      telemetry.span("inner").run(() -> assertThat(mdc()).containsEntry("request_id", "r-1"));
      assertThat(mdc()).containsEntry("request_id", "r-1").hasSize(4);
    }
    request.end("", null);
    assertThat(recorded.takeSpans(2))
        .last()
        .satisfies(
            span -> assertThat(span.getAttributes().asMap().toString()).contains("request.id=r-1"));
  }

  @Test
  void isNotTouchedByATelemetryThatDidNotAskForIt() {
    try (Telemetry other =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .build()) {
      other.span("vnc.connect").run(() -> assertThat(mdc()).isEmpty());
    }
  }

  @Test
  void costsNothingWithTelemetryOff() {
    try (Telemetry off =
        Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", "true").build()) {
      LoggingTelemetry.create(off).install();
      off.span("vnc.connect").run(() -> assertThat(mdc()).isEmpty());
    }
  }

  private static final class Served implements RequestConvention<Map<String, String>, String> {

    @Override
    public SpanKind kind() {
      return SpanKind.SERVER;
    }

    @Override
    public String spanName(Map<String, String> request) {
      return "GET";
    }

    @Override
    public void onStart(AttributeSink attributes, Map<String, String> request) {}

    @Override
    public void onEnd(
        AttributeSink attributes,
        Map<String, String> request,
        @Nullable String response,
        @Nullable Throwable error) {}

    @Override
    public @Nullable String errorType(
        Map<String, String> request, @Nullable String response, @Nullable Throwable error) {
      return null;
    }

    @Override
    public Attributes durationAttributes(
        Map<String, String> request, @Nullable String response, @Nullable Throwable error) {
      return Attributes.empty();
    }

    @Override
    public TextMapGetter<Map<String, String>> requestGetter() {
      return new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> carrier) {
          return carrier.keySet();
        }

        @Override
        public @Nullable String get(@Nullable Map<String, String> carrier, String key) {
          return carrier == null ? null : carrier.get(key);
        }
      };
    }
  }
}
