// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.propagation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.context.Scope;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class W3CGrammarTest {

  private static final String TRACEPARENT =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a=1",
        "a=1,b=2",
        "odd = spelling ;p",
        "a=1;p=q;r , b= ",
        "a=%0D%0A",
        "a=b=c",
        "a=!#$&'()*+-./:<>?@[]^_`{|}~",
        "session-id_1.x~|!#$%&'*+^`=1",
        "a=1\t,\tb=2",
      })
  void baggageMayBe(String header) {
    assertThat(W3CGrammar.isBaggage(header)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "=1",
        "a=1,",
        "a=1,,b=2",
        "a b=1",
        "a=b c",
        "a=\"b\"",
        "a=b\\c",
        "(a)=1",
        "a=1;p q",
        "a=1;",
        "a=1\r\nX-Injected: yes",
        "a=1\r\n",
        "a=1\n,b=2",
        "a=1;p=\r\nq",
        "a=\u0001b",
        "a=b\u007f",
        "a=1\tb",
        "a=\u00ff",
        "a=1\u2028",
        "\u2003a=1",
        "é=1",
      })
  void baggageMayNotBe(String header) {
    assertThat(W3CGrammar.isBaggage(header)).isFalse();
  }

  @Test
  void traceparentsAreHexadecimal() {
    assertThat(W3CGrammar.isTraceparent(TRACEPARENT)).isTrue();
    assertThat(W3CGrammar.isTraceparent("cc" + TRACEPARENT.substring(2) + "-0a-0b")).isTrue();
    for (String invalid :
        List.of(
            "",
            TRACEPARENT + "\r\nX-Injected: yes",
            TRACEPARENT + "\n",
            TRACEPARENT + "0",
            TRACEPARENT + "-\u0001",
            TRACEPARENT.toUpperCase(java.util.Locale.ROOT),
            TRACEPARENT.replace('-', ' '),
            TRACEPARENT.substring(1))) {
      assertThat(W3CGrammar.isTraceparent(invalid)).as(invalid).isFalse();
    }
  }

  @Test
  void tracestatesArePrintable() {
    for (String valid :
        List.of("a=b", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "t@s=a b", "a=b, ,c=d")) {
      assertThat(W3CGrammar.isTracestate(valid)).as(valid).isTrue();
    }
    for (String invalid :
        List.of("a", "=b", "A=b", "a=b=c", "a=b\r\nX-Injected: yes", "a=\u0001", "a=b\n")) {
      assertThat(W3CGrammar.isTracestate(invalid)).as(invalid).isFalse();
    }
  }

  @Test
  void nothingThatCameInEndsAHeaderOnTheWayOut() {
    try (Telemetry on =
            Telemetry.builder()
                .ignoreEnvironment()
                .addProperty("otel.traces.exporter", "none")
                .addProperty("otel.metrics.exporter", "none")
                .addProperty("otel.logs.exporter", "none")
                .build();
        Telemetry off =
            Telemetry.builder()
                .ignoreEnvironment()
                .addProperty("otel.sdk.disabled", "true")
                .build()) {
      for (Telemetry telemetry : List.of(on, off)) {
        for (char control : "\r\n\t\0\u0001\u001b\u007f\u0085\u2028".toCharArray()) {
          passesNothingOn(telemetry, control);
        }
      }
    }
  }

  private static void passesNothingOn(Telemetry telemetry, char control) {
    String injected = "x" + control + "X-Injected: yes";
    Map<String, String> came =
        Map.of(
            "traceparent", "cc" + TRACEPARENT.substring(2) + "-" + injected,
            "tracestate", "a=" + injected,
            "baggage", "good=1,bad=" + injected + ",worse" + control + "=2,prop=3;" + injected);
    Map<String, String> carrier = new TreeMap<>();
    try (Scope ignored = telemetry.extract(came).makeCurrent()) {
      telemetry.inject(carrier);
    }
    assertThat(carrier.get("traceparent")).startsWith("00-0af7651916cd43dd8448eb211c80319c-");
    assertThat(carrier.get("baggage")).contains("good=1");
    assertThat(new HashMap<>(carrier).values())
        .allSatisfy(value -> assertThat(value).matches("[ -~]+"));
  }
}
