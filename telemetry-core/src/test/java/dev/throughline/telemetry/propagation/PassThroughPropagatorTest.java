// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.propagation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.HeaderGetter;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PassThroughPropagatorTest {

  private static final String TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String SPAN_ID = "00f067aa0ba902b7";
  private static final String TRACEPARENT = "00-" + TRACE_ID + "-" + SPAN_ID + "-01";
  private static final String TRACESTATE = "vendor1=a ,\t vendor2=b";
  private static final String BAGGAGE = "customer_id=c%2f1;prop=x;flag , datacenter = us-west";

  private final Telemetry telemetry = off();

  private static Telemetry off() {
    return Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", "true").build();
  }

  private Map<String, String> sentIn(Context context) {
    Map<String, String> outgoing = new HashMap<>();
    try (Scope ignored = context.makeCurrent()) {
      telemetry.inject(outgoing);
    }
    return outgoing;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 | vendor1=a , vendor2=b | ",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00 | a=1                  | b=%2f",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00 |                      | ",
        // A later version may tell more, and flags of which we know nothing.
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-more | a=1             | b=1",
        " |  | customer_id=c%2f1;prop=x;flag , datacenter = us-west",
        " |  | a=%41;m=%C3%A9",
      })
  void sendsOnToTheLetter(String traceparent, String tracestate, String baggage) {
    Map<String, String> incoming = new HashMap<>();
    incoming.put("traceparent", traceparent);
    incoming.put("tracestate", tracestate);
    incoming.put("baggage", baggage);
    incoming.values().removeIf(value -> value == null);
    assertThat(sentIn(telemetry.extract(incoming))).isEqualTo(incoming);
  }

  @Test
  void sendsNothingWhereNothingCameIn() {
    assertThat(sentIn(Context.root())).isEmpty();
    assertThat(sentIn(telemetry.extract(Map.of("other", "header")))).isEmpty();
  }

  @Test
  void whatCouldNotBeReadDoesNotGoOn() {
    Context context =
        telemetry.extract(
            Map.of("traceparent", "nonsense", "tracestate", "a=1", "baggage", BAGGAGE));
    assertThat(sentIn(context)).isEqualTo(Map.of("baggage", BAGGAGE));
  }

  @Test
  void joinedLinesGoOnAsOne() {
    HeaderGetter<Map<String, List<String>>> getter =
        new HeaderGetter<>() {
          @Override
          protected List<String> lines(Map<String, List<String>> carrier, String name) {
            return carrier.get(name);
          }
        };
    Context context =
        telemetry.extract(
            Map.of(
                "traceparent", List.of(TRACEPARENT),
                "tracestate", List.of("a=1 ", "b=2"),
                "baggage", List.of("c=%2f", " d=4")),
            getter);
    assertThat(sentIn(context))
        .isEqualTo(
            Map.of("traceparent", TRACEPARENT, "tracestate", "a=1 ,b=2", "baggage", "c=%2f, d=4"));
  }

  @Test
  void baggageThatWasChangedIsEncodedAnewAndTheTraceGoesOnToTheLetter() {
    Context received =
        telemetry.extract(
            Map.of("traceparent", TRACEPARENT, "tracestate", TRACESTATE, "baggage", BAGGAGE));
    Baggage changed = Baggage.fromContext(received).toBuilder().put("session_id", "s 1").build();
    Map<String, String> outgoing = sentIn(received.with(changed));
    assertThat(outgoing)
        .containsEntry("traceparent", TRACEPARENT)
        .containsEntry("tracestate", TRACESTATE);
    assertThat(outgoing.get("baggage").split(","))
        .contains("session_id=s%201", "datacenter=us-west")
        .hasSize(3);

    assertThat(sentIn(received.with(Baggage.empty())))
        .isEqualTo(Map.of("traceparent", TRACEPARENT, "tracestate", TRACESTATE));
  }

  @Test
  void aSpanThatWasChangedIsEncodedAnewAndBaggageGoesOnToTheLetter() {
    Context received =
        telemetry.extract(
            Map.of("traceparent", TRACEPARENT, "tracestate", TRACESTATE, "baggage", BAGGAGE));
    Span other =
        Span.wrap(
            SpanContext.create(
                TRACE_ID,
                "00000000000000ff",
                TraceFlags.getDefault(),
                TraceState.builder().put("v", "1").build()));
    assertThat(sentIn(received.with(other)))
        .isEqualTo(
            Map.of(
                "traceparent",
                "00-" + TRACE_ID + "-00000000000000ff-00",
                "tracestate",
                "v=1",
                "baggage",
                BAGGAGE));
  }

  @Test
  void aSecondCarrierAddsToTheFirst() {
    Context first = telemetry.extract(Map.of("traceparent", TRACEPARENT, "tracestate", TRACESTATE));
    try (Scope ignored = first.makeCurrent()) {
      Context both = telemetry.extract(Map.of("baggage", BAGGAGE));
      assertThat(sentIn(both))
          .isEqualTo(
              Map.of("traceparent", TRACEPARENT, "tracestate", TRACESTATE, "baggage", BAGGAGE));
    }
  }

  @Test
  void aSecondTraceReplacesTheFirstWhole() {
    Context first = telemetry.extract(Map.of("traceparent", TRACEPARENT, "tracestate", TRACESTATE));
    String second = TRACEPARENT.replace('4', '5');
    try (Scope ignored = first.makeCurrent()) {
      assertThat(sentIn(telemetry.extract(Map.of("traceparent", second))))
          .isEqualTo(Map.of("traceparent", second));
    }
  }

  @Test
  void aSpanOfSomeoneElsesGoesOut() {
    Span local =
        Span.wrap(
            SpanContext.create(
                TRACE_ID, SPAN_ID, TraceFlags.getSampled(), TraceState.getDefault()));
    assertThat(sentIn(Context.root().with(local))).isEqualTo(Map.of("traceparent", TRACEPARENT));
  }

  @Test
  void setsEachHeaderOnce() {
    List<String> set = new ArrayList<>();
    Context context =
        telemetry.extract(
            Map.of("traceparent", TRACEPARENT, "tracestate", TRACESTATE, "baggage", BAGGAGE));
    try (Scope ignored = context.makeCurrent()) {
      telemetry.inject(set, (carrier, name, value) -> carrier.add(name));
    }
    assertThat(set).containsExactlyInAnyOrder("traceparent", "tracestate", "baggage");
  }

  @Test
  void oneInstanceSendsWhatAnotherReceived() {
    Map<String, String> incoming =
        Map.of("traceparent", TRACEPARENT, "tracestate", TRACESTATE, "baggage", BAGGAGE);
    assertThat(sentIn(off().extract(incoming))).isEqualTo(incoming);
    assertThat(sentIn(Telemetry.noop().extract(incoming))).isEqualTo(incoming);
  }
}
