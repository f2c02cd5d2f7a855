// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static dev.throughline.examples.fleet.SpanSketch.span;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TreePrinterTest {

  @Test
  void printsATree() {
    String printed =
        print(
            span("cli.vnc", "").of("bmc-cli").from(0).to(1000),
            span("POST /auth", "cli.vnc").of("bmc-manager").from(1).to(100),
            span("open", "cli.vnc").of("bmc-gateway").from(101).to(990).with("baggage.a", "1"),
            span("dial", "open").of("bmc-agent").from(110).to(980).failed("Connection refused"),
            span("jwt", "POST /auth").of("bmc-manager").from(2).to(2).with("http.route", "/x"));

    assertThat(printed)
        .isEqualTo(
            """
            cli.vnc        bmc-cli         1000.0 ms
            ├─ POST /auth  bmc-manager       99.0 ms
            │  └─ jwt      bmc-manager        0.0 ms
            └─ open        bmc-gateway      889.0 ms
               │    baggage.a = 1
               └─ dial     bmc-agent        870.0 ms  ✗ Connection refused  ◀ bottleneck: 870.0 ms of its own
                       baggage.a is lost here
            """);
  }

  @Test
  void saysABaggageEntryOnlyWhereItChanges() {
    String printed =
        print(
            span("a", "").with("baggage.x", "1").from(0).to(3),
            span("b", "a").with("baggage.x", "1").from(1).to(2),
            span("c", "b").with("baggage.x", "2").from(1).to(2).failed(""));

    assertThat(printed)
        .isEqualTo(
            """
            a        service        3.0 ms  ◀ bottleneck: 2.0 ms of its own
            │    baggage.x = 1
            └─ b     service        1.0 ms
               └─ c  service        1.0 ms  ✗ failed
                       baggage.x = 2
            """);
  }

  @Test
  void namesTheParentThatIsMissing() {
    String printed =
        print(
            span("root", "").from(0).to(9),
            span("one", "00f067aa0ba902b7").from(1).to(2),
            span("two", "00f067aa0ba902b7").from(2).to(3));

    assertThat(printed)
        .isEqualTo(
            """
            root    service        9.0 ms  ◀ bottleneck: 9.0 ms of its own
            (span 00f067aa0ba902b7, which did not come in)
            ├─ one  service        1.0 ms
            └─ two  service        1.0 ms
            """);
  }

  private static String print(SpanSketch... spans) {
    return TreePrinter.print(new TraceTree(Stream.of(spans).map(SpanSketch::received).toList()));
  }
}
