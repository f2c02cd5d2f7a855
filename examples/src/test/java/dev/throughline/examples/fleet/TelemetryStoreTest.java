// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static dev.throughline.examples.fleet.SpanSketch.span;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.examples.fleet.TelemetryStore.ReceivedMetric;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TelemetryStoreTest {

  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Duration SHORT = Duration.ofMillis(30);

  private final TelemetryStore store = new TelemetryStore();

  @Test
  void wakesWhoWaitsForATrace() throws Exception {
    CompletableFuture<List<ReceivedSpan>> waiting =
        CompletableFuture.supplyAsync(() -> await(2, LONG));
    store.addSpans(List.of(span("a", "").received()));
    store.addSpans(List.of(span("b", "a").received()));

    assertThat(waiting.get(10, TimeUnit.SECONDS))
        .extracting(ReceivedSpan::name)
        .containsExactly("a", "b");
  }

  @Test
  void givesWhatThereIsWhenTheTimeIsOver() {
    store.addSpans(List.of(span("a", "").received()));
    long start = System.nanoTime();

    assertThat(await(2, SHORT)).hasSize(1);
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(SHORT.toNanos());
  }

  @Test
  void keepsTheNewestTraces() throws Exception {
    for (int i = 0; i < 1_001; i++) {
      store.addSpans(List.of(ofTrace("t" + i)));
    }

    assertThat(store.awaitTrace("t0", spans -> true, LONG)).isEmpty();
    assertThat(store.awaitTrace("t1", spans -> true, LONG)).hasSize(1);
    assertThat(store.awaitTrace("t1000", spans -> true, LONG)).hasSize(1);
  }

  @Test
  void keepsSoMuchOfATraceAndOfMetrics() throws Exception {
    store.addSpans(IntStream.range(0, 2_001).mapToObj(i -> ofTrace("t")).toList());
    List<ReceivedMetric> metrics = new ArrayList<>();
    for (int i = 0; i <= 10_000; i++) {
      metrics.add(new ReceivedMetric("service", "m" + i));
    }
    store.addMetrics(metrics);

    assertThat(store.awaitTrace("t", spans -> true, LONG)).hasSize(2_000);
    assertThat(store.metrics()).hasSize(10_000).first().isEqualTo(metrics.get(1));
  }

  @Test
  void theNextTraceIsOneThatNobodySaw() throws Exception {
    store.addSpans(List.of(ofTrace("seen"), ofTrace("new")));
    store.awaitTrace("seen", spans -> true, LONG);

    assertThat(next(true, LONG)).isEqualTo("new");
    store.addSpans(List.of(ofTrace("seen")));
    assertThat(next(true, LONG)).isEqualTo("seen");
  }

  @Test
  void theNextTraceIsWholeOrHasBeenQuietForAWhile() throws Exception {
    long start = System.nanoTime();
    store.addSpans(List.of(ofTrace("t")));

    assertThat(next(false, SHORT)).isEqualTo("t");
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(SHORT.toNanos());
  }

  private String next(boolean whole, Duration quiet) throws InterruptedException {
    return store.nextTrace(spans -> whole, quiet).get(0).traceId();
  }

  private List<ReceivedSpan> await(int spans, Duration timeout) {
    try {
      return store.awaitTrace("trace", found -> found.size() >= spans, timeout);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static ReceivedSpan ofTrace(String traceId) {
    ReceivedSpan span = span("a", "").received();
    return new ReceivedSpan(
        traceId,
        span.spanId(),
        span.parentSpanId(),
        span.name(),
        span.kind(),
        span.service(),
        span.startNanos(),
        span.endNanos(),
        span.failure(),
        span.attributes());
  }
}
