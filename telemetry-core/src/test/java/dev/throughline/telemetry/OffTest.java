// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OffTest {

  private static final String TRACEPARENT =
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  private static long sink;

  private final Telemetry telemetry = off("true");

  @ParameterizedTest
  @ValueSource(strings = {"true", "TRUE", "1", "yes", "on"})
  void understandsEverySpellingOfYes(String value) {
    assertThat(off(value).isEnabled()).isFalse();
  }

  @Test
  void startsNoThread() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    try (Telemetry off = off("true")) {
      off.span("work").run(() -> {});
      off.flush(java.time.Duration.ofSeconds(1));
      assertThat(Thread.getAllStackTraces().keySet())
          .filteredOn(thread -> !before.contains(thread))
          .isEmpty();
    }
  }

  @Test
  void mintsNoIds() {
    telemetry
        .span("work")
        .kind(SpanKind.SERVER)
        .run(
            span -> {
              assertThat(span.span().getSpanContext().isValid()).isFalse();
              assertThat(Span.current().getSpanContext().isValid()).isFalse();
              Map<String, String> carrier = new HashMap<>();
              telemetry.inject(carrier);
              assertThat(carrier).isEmpty();
            });
    assertThat(telemetry.tracer().spanBuilder("raw").startSpan().getSpanContext().isValid())
        .isFalse();
  }

  @Test
  void sendsOnWhatCameInToTheLetter() {
    Map<String, String> incoming = new LinkedHashMap<>();
    incoming.put("traceparent", TRACEPARENT);
    incoming.put("tracestate", "vendor1=value1 , vendor2=value2");
    incoming.put("baggage", "customer_id=c%201;prop=x , datacenter=us-west");
    Map<String, String> outgoing = new HashMap<>();

    telemetry
        .span("work")
        .parent(telemetry.extract(incoming))
        .baggage("dropped", "when off")
        .run(
            () ->
                telemetry
                    .span("inner")
                    .run(
                        () -> {
                          assertThat(ActiveSpan.currentBaggage("customer_id")).isEqualTo("c 1");
                          telemetry.inject(outgoing);
                        }));

    assertThat(outgoing).isEqualTo(incoming);
  }

  @Test
  void noParentKeepsTheTraceThatCameInFromGoingOut() {
    Context context = telemetry.extract(Map.of("traceparent", TRACEPARENT, "baggage", "a=b"));
    Map<String, String> outgoing = new HashMap<>();
    try (Scope ignored = context.makeCurrent()) {
      telemetry.span("work").noParent().run(() -> telemetry.inject(outgoing));
    }
    assertThat(outgoing).containsExactly(Map.entry("baggage", "a=b"));
  }

  @Test
  void runsTheWorkInEveryForm() throws Exception {
    CompletableFuture<String> stage = CompletableFuture.completedFuture("done");
    String called = telemetry.span("call").call(() -> "value");
    assertThat(called).isEqualTo("value");
    String calledWithSpan = telemetry.span("call").call(span -> "value");
    assertThat(calledWithSpan).isEqualTo("value");
    CompletableFuture<String> returned = telemetry.span("async").callAsync(() -> stage);
    assertThat(returned).isSameAs(stage);
    try (ActiveSpan opened = telemetry.span("open").open()) {
      assertThat(opened.span().isRecording()).isFalse();
      opened.attribute("a", 1).event("e").fail(new IllegalStateException());
    }
    ActiveSpan started = telemetry.span("start").start();
    started.end();
    assertThat(Context.current()).isSameAs(Context.root());
  }

  @Test
  void dropsBaggageThatIsSetHere() {
    telemetry
        .span("work")
        .baggage("session_id", "s-1")
        .run(() -> assertThat(Baggage.current().isEmpty()).isTrue());
  }

  /**
   * One of ten rounds allocates nothing: the rounds before it may be interpreted, or be compiled
   * while they run.
   */
  @Test
  void allocatesNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    // The bean's own call may allocate; its cost is measured and taken off.
    long[] allocated = new long[10];
    for (int round = 0; round < allocated.length; round++) {
      long bean = -threads.getThreadAllocatedBytes(thread);
      bean += threads.getThreadAllocatedBytes(thread);
      long before = threads.getThreadAllocatedBytes(thread);
      spans(1_000_000);
      allocated[round] = threads.getThreadAllocatedBytes(thread) - before - bean;
    }
    assertThat(allocated).contains(0L);
    assertThat(sink).isEqualTo(10_000_000L * 3);
  }

  private void spans(int count) {
    for (int i = 0; i < count; i++) {
      telemetry
          .span("vnc.connect")
          .kind(SpanKind.CLIENT)
          .attribute("bmc.type", "ipmi")
          .attribute("port", 5900)
          .baggage("session_id", "s-1")
          .run(() -> sink++);
      sink += telemetry.span("sol.stream").<Integer, RuntimeException>call(span -> 1);
      try (ActiveSpan span = telemetry.span("sol.read").open()) {
        span.event("bmc.connected");
        sink++;
      }
    }
  }

  private static Telemetry off(String value) {
    return Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", value).build();
  }
}
