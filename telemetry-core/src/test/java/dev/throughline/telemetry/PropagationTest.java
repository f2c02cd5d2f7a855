// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.instrument.HeaderGetter;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PropagationTest {

  private static final String TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String SPAN_ID = "00f067aa0ba902b7";
  private static final String TRACEPARENT = "00-" + TRACE_ID + "-" + SPAN_ID + "-01";

  private final LogCapture log = new LogCapture();
  private final Telemetry telemetry =
      Telemetry.builder()
          .ignoreEnvironment()
          .addProperty("otel.traces.exporter", "none")
          .addProperty("otel.metrics.exporter", "none")
          .addProperty("otel.logs.exporter", "none")
          .build();

  @AfterEach
  void close() {
    assertThat(Context.current()).isSameAs(Context.root());
    telemetry.close();
    log.close();
  }

  private static SpanContext spanContext(Context context) {
    return Span.fromContext(context).getSpanContext();
  }

  private static String baggage(Context context, String key) {
    return Baggage.fromContext(context).getEntryValue(key);
  }

  /** Headers as a transport has them: in order, with repetitions. */
  private static final class Headers {

    final List<Map.Entry<String, String>> lines = new ArrayList<>();

    Headers with(String name, String value) {
      lines.add(Map.entry(name, value));
      return this;
    }

    List<String> all(String name) {
      return lines.stream()
          .filter(line -> line.getKey().equalsIgnoreCase(name))
          .map(Map.Entry::getValue)
          .toList();
    }
  }

  private static final TextMapSetter<Headers> SETTER =
      (headers, name, value) -> headers.with(name, value);

  /** Knows of repeated lines, as OpenTelemetry's interface lets it. */
  private static final TextMapGetter<Headers> GETTER =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Headers carrier) {
          return carrier.lines.stream().map(Map.Entry::getKey).toList();
        }

        @Override
        public String get(Headers carrier, String name) {
          return getAll(carrier, name).hasNext() ? getAll(carrier, name).next() : null;
        }

        @Override
        public Iterator<String> getAll(Headers carrier, String name) {
          return carrier.all(name).iterator();
        }
      };

  /** The same, as our adapters do it. */
  private static final HeaderGetter<Headers> HEADER_GETTER =
      new HeaderGetter<>() {
        @Override
        protected List<String> lines(Headers carrier, String name) {
          return carrier.all(name);
        }
      };

  @Test
  void goesThroughAMapAndBack() {
    Map<String, String> carrier = new HashMap<>();
    SpanContext[] sent = new SpanContext[1];
    telemetry
        .span("work")
        .baggage("session_id", "s 1,;=")
        .run(
            span -> {
              sent[0] = span.span().getSpanContext();
              telemetry.inject(carrier);
            });
    assertThat(carrier).containsOnlyKeys("traceparent", "baggage");

    Context received = telemetry.extract(carrier);
    assertThat(spanContext(received).getTraceId()).isEqualTo(sent[0].getTraceId());
    assertThat(spanContext(received).getSpanId()).isEqualTo(sent[0].getSpanId());
    assertThat(spanContext(received).isSampled()).isTrue();
    assertThat(spanContext(received).isRemote()).isTrue();
    assertThat(baggage(received, "session_id")).isEqualTo("s 1,;=");
  }

  @Test
  void injectsNothingWhereNothingIsCurrent() {
    Map<String, String> carrier = new HashMap<>();
    telemetry.inject(carrier);
    assertThat(carrier).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"traceparent", "Traceparent", "TRACEPARENT", "TraceParent"})
  void readsAMapInAnyCase(String key) {
    Map<String, String> carrier = new HashMap<>();
    carrier.put(null, "a key that is null");
    carrier.put("other", null);
    carrier.put(key, TRACEPARENT);
    carrier.put("BAGGAGE", "customer_id=c1");
    carrier.put("TraceState", "a=1");
    for (Map<String, String> map : List.of(carrier, Collections.unmodifiableMap(carrier))) {
      Context context = telemetry.extract(map);
      assertThat(spanContext(context).getTraceId()).isEqualTo(TRACE_ID);
      assertThat(spanContext(context).getTraceState().get("a")).isEqualTo("1");
      assertThat(baggage(context, "customer_id")).isEqualTo("c1");
    }
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void readsMapsThatTakeNoNulls() {
    Map<String, String> incoming = Map.of("Traceparent", TRACEPARENT);
    for (Map<String, String> map :
        List.of(incoming, new TreeMap<>(incoming), new ConcurrentHashMap<>(incoming))) {
      assertThat(spanContext(telemetry.extract(map)).getTraceId()).isEqualTo(TRACE_ID);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nonsense",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-XYZ92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
      })
  void aMalformedTraceparentStartsANewTrace(String traceparent) {
    Context context =
        telemetry.extract(Map.of("traceparent", traceparent, "baggage", "customer_id=c1"));
    assertThat(spanContext(context).isValid()).isFalse();
    assertThat(baggage(context, "customer_id")).isEqualTo("c1");
    telemetry
        .span("work")
        .parent(context)
        .run(span -> assertThat(span.span().getSpanContext().getTraceId()).isNotEqualTo(TRACE_ID));
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void extractsOnTopOfWhatIsCurrentAndMakesNothingCurrent() {
    Context current = Context.root().with(Baggage.builder().put("kept", "k").build());
    try (Scope ignored = current.makeCurrent()) {
      Context context = telemetry.extract(Map.of("traceparent", TRACEPARENT));
      assertThat(spanContext(context).getTraceId()).isEqualTo(TRACE_ID);
      assertThat(baggage(context, "kept")).isEqualTo("k");
      assertThat(Context.current()).isSameAs(current);
      assertThat(telemetry.extract(Map.of())).isSameAs(current);
    }
  }

  @Test
  void goesThroughAnyCarrier() {
    Headers headers = new Headers();
    telemetry.span("work").baggage("a", "b").run(() -> telemetry.inject(headers, SETTER));
    assertThat(headers.lines).extracting(Map.Entry::getKey).doesNotHaveDuplicates();
    Context context = telemetry.extract(headers, GETTER);
    assertThat(spanContext(context).isValid()).isTrue();
    assertThat(baggage(context, "a")).isEqualTo("b");
  }

  @Test
  void joinsTheLinesOfTracestateAndBaggage() {
    Headers headers =
        new Headers()
            .with("Traceparent", TRACEPARENT)
            .with("Tracestate", "a=1,b=2")
            .with("Baggage", "customer_id=c1")
            .with("tracestate", "c=3")
            .with("baggage", "datacenter=us,server_id=s1");
    for (TextMapGetter<Headers> getter : List.of(GETTER, HEADER_GETTER)) {
      Context context = telemetry.extract(headers, getter);
      assertThat(spanContext(context).getTraceState().asMap())
          .containsExactly(Map.entry("a", "1"), Map.entry("b", "2"), Map.entry("c", "3"));
      assertThat(Baggage.fromContext(context).asMap())
          .containsOnlyKeys("customer_id", "datacenter", "server_id");
    }
  }

  @Test
  void aDoubledTraceparentIsInvalid() {
    Headers different =
        new Headers()
            .with("traceparent", TRACEPARENT)
            .with("traceparent", TRACEPARENT.replace('4', '5'))
            .with("tracestate", "a=1")
            .with("baggage", "customer_id=c1");
    Headers same =
        new Headers()
            .with("traceparent", TRACEPARENT)
            .with("traceparent", TRACEPARENT)
            .with("baggage", "customer_id=c1");
    for (TextMapGetter<Headers> getter : List.of(GETTER, HEADER_GETTER)) {
      for (Headers headers : List.of(different, same)) {
        Context context = telemetry.extract(headers, getter);
        assertThat(spanContext(context).isValid()).isFalse();
        assertThat(baggage(context, "customer_id")).isEqualTo("c1");
      }
    }
  }

  @Test
  void aGetterMayKnowNothingOfRepeatedLines() {
    TextMapGetter<Headers> first =
        new TextMapGetter<>() {
          @Override
          public Iterable<String> keys(Headers carrier) {
            return List.of();
          }

          @Override
          public String get(Headers carrier, String name) {
            List<String> all = carrier.all(name);
            return all.isEmpty() ? null : all.get(0);
          }
        };
    Context context =
        telemetry.extract(
            new Headers().with("traceparent", TRACEPARENT).with("baggage", "a=b"), first);
    assertThat(spanContext(context).getTraceId()).isEqualTo(TRACE_ID);
    assertThat(baggage(context, "a")).isEqualTo("b");
  }

  @Test
  void whatAGetterThrowsIsGuarded() {
    Error[] thrown = {new NoSuchMethodError("of another version")};
    TextMapGetter<Headers> throwing =
        new TextMapGetter<>() {
          @Override
          public Iterable<String> keys(Headers carrier) {
            throw thrown[0];
          }

          @Override
          public String get(Headers carrier, String name) {
            throw thrown[0];
          }
        };
    for (int i = 0; i < 3; i++) {
      assertThat(telemetry.extract(new Headers(), throwing)).isSameAs(Context.current());
    }
    assertThat(telemetry.guard().hits()).isEqualTo(3);
    assertThat(log.warnings()).singleElement().asString().startsWith("TextMapGetter.get threw in ");

    thrown[0] = new OutOfMemoryError("of the test");
    assertThatThrownBy(() -> telemetry.extract(new Headers(), throwing)).isSameAs(thrown[0]);
  }

  @Test
  void whatASetterThrowsIsGuarded() {
    telemetry
        .span("work")
        .run(
            () -> {
              telemetry.inject(Map.of());
              telemetry.inject(
                  new Headers(),
                  (headers, name, value) -> {
                    throw new IllegalStateException("committed already");
                  });
            });
    assertThat(telemetry.guard().hits()).isEqualTo(2);
    assertThat(log.warnings()).singleElement().asString().startsWith("TextMapSetter.set threw in ");

    OutOfMemoryError fatal = new OutOfMemoryError("of the test");
    assertThatThrownBy(
            () ->
                telemetry
                    .span("work")
                    .run(
                        () ->
                            telemetry.inject(
                                new Headers(),
                                (headers, name, value) -> {
                                  throw fatal;
                                })))
        .isSameAs(fatal);
  }

  @Test
  void aHeaderGetterKnowsItsLines() {
    Headers headers = new Headers().with("x", "1").with("x", "2").with("y", "3");
    assertThat(HEADER_GETTER.get(headers, "x")).isEqualTo("1");
    assertThat(HEADER_GETTER.get(headers, "y")).isEqualTo("3");
    assertThat(HEADER_GETTER.get(headers, "z")).isNull();
    assertThat(HEADER_GETTER.get(null, "x")).isNull();
    assertThat(HEADER_GETTER.getAll(headers, "x")).toIterable().containsExactly("1", "2");
    assertThat(HEADER_GETTER.getAll(headers, "z")).isExhausted();
    assertThat(HEADER_GETTER.getAll(null, "x")).isExhausted();
    assertThat(HEADER_GETTER.keys(headers)).isEmpty();
  }

  @Test
  void aHeaderGetterOverAnotherKeepsWhatThatKnows() {
    assertThat(HeaderGetter.over(HEADER_GETTER)).isSameAs(HEADER_GETTER);
    TextMapGetter<Headers> over = HeaderGetter.over(GETTER);
    Headers headers = new Headers().with("x", "1").with("X", "2");
    assertThat(over.keys(headers)).containsExactly("x", "X");
    assertThat(over.get(headers, "x")).isEqualTo("1");
    assertThat(over.getAll(headers, "x")).toIterable().containsExactly("1", "2");
    assertThat(over.get(headers, "z")).isNull();

    TextMapGetter<String> without =
        HeaderGetter.over(
            new TextMapGetter<>() {
              @Override
              public Iterable<String> keys(String carrier) {
                return List.of();
              }

              @Override
              public String get(String carrier, String name) {
                return null;
              }

              @Override
              public Iterator<String> getAll(String carrier, String name) {
                return null;
              }
            });
    assertThat(without.get("", "x")).isNull();
    assertThat(without.getAll("", "x")).isExhausted();
  }
}
