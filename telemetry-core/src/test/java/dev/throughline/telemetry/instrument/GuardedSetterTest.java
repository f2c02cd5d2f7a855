// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.LogCapture;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Headers of propagators that are none of the W3C's, each for itself. */
class GuardedSetterTest {

  private final LogCapture log = new LogCapture();
  private final Guard guard = new Guard("test");
  private final Map<String, String> sent = new LinkedHashMap<>();
  private final GuardedSetter<Map<String, String>> setter =
      new GuardedSetter<>(GuardedSetterTest::put, guard, "TextMapSetter.set", false);

  private static void put(Map<String, String> carrier, String name, String value) {
    if (name.equals("refused")) {
      throw new IllegalStateException("by the carrier: " + value);
    }
    carrier.put(name, value);
  }

  @AfterEach
  void close() {
    log.close();
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of("b3", "0-0\r\nX-Injected: yes"),
        Arguments.of("b3", "\u0000"),
        Arguments.of("b3", "\u007f"),
        Arguments.of("b3", "\u0085"),
        Arguments.of("b3", "\u010d\u010a"), // a carriage return and a line feed in ISO-8859-1
        Arguments.of("uber-trace-id", "x".repeat(1_000_000)),
        Arguments.of("X-Amzn-Trace-Id", null),
        Arguments.of(null, "value"),
        Arguments.of(null, null),
        Arguments.of("", "value"),
        Arguments.of("uberctx-a b", "value"),
        Arguments.of("uberctx-a\r\nX-Injected", "value"),
        Arguments.of("uberctx-\u00e9", "value"),
        Arguments.of("x".repeat(100_000) + ":", "value"),
        Arguments.of("refused", "value"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatCantBeSentCostsItself(String name, String value) {
    setter.set(sent, "b3", "first");
    setter.set(sent, name, value);
    setter.set(sent, "X-B3-TraceId", "last");
    assertThat(sent).containsExactly(Map.entry("b3", "first"), Map.entry("X-B3-TraceId", "last"));
    assertThat(guard.hits()).isEqualTo(1);
    assertThat(log.everything()).doesNotContain("\r\nX-Injected").hasSizeLessThan(20_000);
  }

  @Test
  void whatCanBeSentIsSentAsItIs() {
    setter.set(sent, "uber-trace-id", "a\tb ~!");
    setter.set(sent, "X-Amzn-Trace-Id", "x".repeat(8_192));
    setter.set(sent, "empty", "");
    setter.set(null, "b3", "no carrier");
    assertThat(sent)
        .hasSize(3)
        .containsEntry("uber-trace-id", "a\tb ~!")
        .containsEntry("empty", "");
    assertThat(guard.hits()).isZero();
  }

  /** With another's propagators the W3C's names promise nothing. */
  @Test
  void anothersPropagatorIsCheckedWhateverItsFields() {
    Telemetry telemetry =
        Telemetry.of(
            OpenTelemetrySdk.builder()
                .setPropagators(ContextPropagators.create(new Foreign()))
                .build());
    Map<String, String> carrier = new HashMap<>();
    telemetry.inject(carrier);
    assertThat(carrier).containsOnly(Map.entry("tracestate", "a=b"), Map.entry("last", "value"));
  }

  private static final class Foreign implements TextMapPropagator {

    @Override
    public Collection<String> fields() {
      return List.of("baggage", "tracestate", "last");
    }

    @Override
    public <C> void inject(Context context, C carrier, TextMapSetter<C> to) {
      to.set(carrier, "baggage", "a=b\r\nX-Injected: yes");
      to.set(carrier, "tracestate", "a=b");
      to.set(carrier, null, "value");
      to.set(carrier, "last", "value");
    }

    @Override
    public <C> Context extract(Context context, C carrier, TextMapGetter<C> getter) {
      return context;
    }
  }
}
