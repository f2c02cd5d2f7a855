// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static dev.throughline.examples.fleet.SpanSketch.span;
import static io.opentelemetry.proto.trace.v1.Span.SpanKind.SPAN_KIND_CLIENT;
import static io.opentelemetry.proto.trace.v1.Span.SpanKind.SPAN_KIND_SERVER;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ExpectationTest {

  private static final Expectation VNC =
      new Expectation(
          "cli.vnc", Set.of("cli", "agent"), Set.of(), Set.of("session_id"), Set.of("agent"));

  private static final SpanSketch ROOT = span("cli.vnc", "").of("cli");
  private static final SpanSketch CALL =
      span("POST", "cli.vnc")
          .of("cli")
          .kind(SPAN_KIND_CLIENT)
          .with("http.request.method", "POST")
          .with("url.full", "http://agent/x");
  private static final SpanSketch ANSWER =
      span("POST /x", "POST")
          .of("agent")
          .kind(SPAN_KIND_SERVER)
          .with("baggage.session_id", "vnc-1");

  @Test
  void aWholeTraceHasNoGaps() {
    assertThat(gaps(VNC, ROOT, CALL, ANSWER)).isEmpty();
  }

  @Test
  void aTraceNeedsSpans() {
    assertThat(gaps(VNC)).containsExactly("no span came in");
    assertThat(gaps(Expectation.ANY)).containsExactly("no span came in");
  }

  @Test
  void eachServiceMustBeThere() {
    assertThat(gaps(VNC, ROOT)).containsExactly("there is no span of agent");
  }

  @Test
  void eachNamedSpanMustBeThere() {
    Expectation relay =
        new Expectation("cli.vnc", Set.of(), Set.of("relay of agent"), Set.of(), Set.of());

    assertThat(gaps(relay, ROOT)).containsExactly("there is no relay of agent");
    assertThat(gaps(relay, ROOT, span("relay", "cli.vnc").of("agent"))).isEmpty();
  }

  @Test
  void eachCallMustBeContinued() {
    SpanSketch rpc =
        span("GetServer", "cli.vnc").kind(SPAN_KIND_CLIENT).with("rpc.system.name", "x");
    SpanSketch command =
        span("agent.power", "cli.vnc").kind(SPAN_KIND_CLIENT).with("service.peer.name", "agent");

    assertThat(
            gaps(
                VNC,
                ROOT,
                CALL,
                span("other", "cli.vnc").of("agent").with("baggage.session_id", "1")))
        .containsExactly("POST of cli was continued by no service: http://agent/x");
    assertThat(gaps(VNC, ROOT, CALL, ANSWER, rpc))
        .containsExactly("GetServer of service was continued by no service: ");
    assertThat(gaps(VNC, ROOT, CALL, ANSWER, rpc.with("throughline.segment.number", "2")))
        .isEmpty();
    assertThat(gaps(VNC, ROOT, CALL, ANSWER, command, span("own", "agent.power")))
        .containsExactly("agent.power of service was continued by no service: agent");
    assertThat(gaps(VNC, ROOT, CALL, ANSWER, span("dial", "cli.vnc").kind(SPAN_KIND_CLIENT)))
        .isEmpty();
  }

  @Test
  void baggageMustHaveReachedWhereItShould() {
    assertThat(gaps(VNC, ROOT, CALL, ANSWER, span("dial", "POST /x").of("agent")))
        .containsExactly("baggage.session_id is missing on dial of agent");
  }

  @Test
  void thereIsOneRootOfThatName() {
    assertThat(gaps(VNC, ROOT, CALL, ANSWER, span("second", "").of("gateway")))
        .containsExactly("there are 2 roots: [cli.vnc of cli, second of gateway]");
    assertThat(gaps(VNC, CALL, ANSWER))
        .containsExactly(
            "the root cli.vnc is missing", "the parent of POST of cli is missing: cli.vnc");
  }

  @Test
  void noSpanIsAnOrphan() {
    SpanSketch orphan = span("lost", "nobody").of("agent").with("baggage.session_id", "vnc-1");

    assertThat(gaps(VNC, ROOT, CALL, ANSWER, orphan))
        .containsExactly("the parent of lost of agent is missing: nobody");
  }

  @Test
  void aTraceMayHaveBegunElsewhere() {
    SpanSketch again = span("POST /y", "POST").of("agent").kind(SPAN_KIND_SERVER);

    assertThat(gaps(Expectation.ANY, ANSWER)).isEmpty();
    assertThat(gaps(Expectation.ANY, ANSWER, again)).isEmpty();
    assertThat(gaps(Expectation.ANY, ANSWER, span("jwt", "other"))).hasSize(2);
    assertThat(gaps(Expectation.ANY, span("jwt", "other"))).hasSize(1);
    assertThat(gaps(Expectation.ANY, ROOT, CALL, span("jwt", "other"))).hasSize(2);
  }

  private static List<String> gaps(Expectation expectation, SpanSketch... spans) {
    List<ReceivedSpan> received =
        new ArrayList<>(Stream.of(spans).map(SpanSketch::received).toList());
    assertThat(expectation.isMet(received))
        .isEqualTo(expectation.gaps(new TraceTree(received)).isEmpty());
    return expectation.gaps(new TraceTree(received));
  }
}
