// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.LogCapture;
import dev.throughline.telemetry.Wait;
import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingDecision;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SpanPipelineTest {

  private static final Duration NEVER = Duration.ofHours(1);

  private final LogCapture log = new LogCapture();
  private final TestExporter exporter = new TestExporter();
  private Outbox outbox;
  private final List<SpanPipeline> pipelines = new ArrayList<>();

  @AfterEach
  void close() {
    exporter.answer = batch -> CompletableResultCode.ofSuccess();
    exporter.gate.countDown();
    pipelines.forEach(SpanPipeline::shutdown);
    log.close();
  }

  /** Keeps what it is given, and answers as the test says. */
  private static final class TestExporter implements SpanExporter {

    final List<List<String>> batches = new CopyOnWriteArrayList<>();
    final CountDownLatch exporting = new CountDownLatch(1);
    final AtomicInteger shutdowns = new AtomicInteger();
    volatile CountDownLatch gate = new CountDownLatch(0);
    volatile Function<Collection<SpanData>, CompletableResultCode> answer =
        batch -> CompletableResultCode.ofSuccess();
    volatile CompletableResultCode shutdownResult = CompletableResultCode.ofSuccess();

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      batches.add(spans.stream().map(SpanData::getName).toList());
      exporting.countDown();
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      return answer.apply(spans);
    }

    List<String> spans() {
      return batches.stream().flatMap(List::stream).toList();
    }

    @Override
    public CompletableResultCode flush() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
      shutdowns.incrementAndGet();
      return shutdownResult;
    }
  }

  private SpanPipeline pipeline(BatchSettings settings, SpanProcessor... taps) {
    SpanPipeline pipeline = outbox().spanPipeline(List.of(taps), exporter, settings);
    pipelines.add(pipeline);
    return pipeline;
  }

  private Outbox outbox() {
    outbox =
        new Outbox(
            ComponentLoader.forClassLoader(getClass().getClassLoader()),
            (receiver, answer) -> null,
            new Guard("test"));
    return outbox;
  }

  private static BatchSettings settings(Duration delay, int queue, int batch) {
    return new BatchSettings(delay, queue, batch, Duration.ofSeconds(20));
  }

  private static Tracer tracer(SpanPipeline pipeline) {
    return SdkTracerProvider.builder().addSpanProcessor(pipeline).build().get("test");
  }

  private static void end(Tracer tracer, int from, int to) {
    for (int i = from; i < to; i++) {
      tracer.spanBuilder("s" + i).startSpan().end();
    }
  }

  private static boolean flush(SpanPipeline pipeline) {
    CompletableResultCode result = pipeline.forceFlush().join(20, TimeUnit.SECONDS);
    assertThat(result.isDone()).isTrue();
    return result.isSuccess();
  }

  private static List<String> names(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> "s" + i).toList();
  }

  /** As MySQL's driver sets it, on spans of its own. */
  @Test
  void aConnectionStringNeverLeaves() {
    List<ReadableSpan> seen = new ArrayList<>();
    List<SpanData> exported = new CopyOnWriteArrayList<>();
    exporter.answer =
        batch -> {
          exported.addAll(batch);
          return CompletableResultCode.ofSuccess();
        };
    SpanPipeline pipeline =
        pipeline(
            settings(NEVER, 100, 100),
            new SpanProcessor() {
              @Override
              public void onStart(Context parentContext, ReadWriteSpan span) {}

              @Override
              public boolean isStartRequired() {
                return false;
              }

              @Override
              public void onEnd(ReadableSpan span) {
                seen.add(span);
              }

              @Override
              public boolean isEndRequired() {
                return true;
              }
            });
    AttributeKey<String> url = AttributeKey.stringKey("db.connection_string");
    tracer(pipeline)
        .spanBuilder("connect")
        .setSpanKind(SpanKind.CLIENT)
        .setAttribute(url, "jdbc:mysql://db/fleet?user=ada&password=secret")
        .setAttribute("db.system", "mysql")
        .startSpan()
        .end();
    Span other = tracer(pipeline).spanBuilder("other").startSpan();
    other.end();
    assertThat(flush(pipeline)).isTrue();

    assertThat(seen.get(1)).isSameAs(other);
    ReadableSpan span = seen.get(0);
    assertThat(span.getAttribute(url)).isEqualTo("REDACTED");
    assertThat(span.getAttribute(AttributeKey.stringKey("db.system"))).isEqualTo("mysql");
    assertThat(span.getAttributes().get(url)).isEqualTo("REDACTED");
    assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(exported).hasSize(2);
    SpanData data = exported.get(0);
    assertThat(data.getAttributes().asMap())
        .isEqualTo(
            Attributes.of(url, "REDACTED", AttributeKey.stringKey("db.system"), "mysql").asMap());
    assertThat(data.getName()).isEqualTo("connect");
    assertThat(data.getSpanContext()).isEqualTo(span.getSpanContext());
    assertThat(seen.toString() + exported).doesNotContain("secret");
  }

  @Test
  void aFullBatchLeavesAtOnce() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    Tracer tracer = tracer(pipeline(settings(NEVER, 100, 3)));
    Thread worker = workerSince(before);
    exporter.gate = new CountDownLatch(1);
    end(tracer, 0, 3);
    Wait.until("the first batch has left", () -> exporter.batches.size() == 1);
    // The next batch begins while the worker is busy, and becomes full while it rests.
    end(tracer, 3, 4);
    exporter.gate.countDown();
    Wait.until("the worker rests", () -> worker.getState() == Thread.State.TIMED_WAITING);
    end(tracer, 4, 6);
    Wait.until("the second batch has left", () -> exporter.batches.size() == 2);
    assertThat(exporter.batches).containsExactly(names(0, 3), names(3, 6));
  }

  /** A worker that starts, or that was woken for nothing, may find half a batch. */
  @Test
  void aBatchThatTheWorkerSawUnfinishedLeavesAtOnceToo() {
    for (int i = 0; i < 300; i++) {
      Set<Thread> before = Thread.getAllStackTraces().keySet();
      SpanPipeline pipeline = pipeline(settings(NEVER, 100, 3));
      Tracer tracer = tracer(pipeline);
      end(tracer, 0, 1);
      Thread worker = workerSince(before);
      Wait.until("the worker rests", () -> worker.getState() == Thread.State.TIMED_WAITING);
      int batches = exporter.batches.size();
      end(tracer, 1, 3);
      Wait.until("the batch has left", () -> exporter.batches.size() == batches + 1);
      assertThat(exporter.batches.get(batches)).isEqualTo(names(0, 3));
      pipeline.shutdown();
    }
  }

  private static Thread workerSince(Set<Thread> before) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !before.contains(thread))
        .filter(thread -> thread.getName().equals("telemetry-span-export"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void anUnfinishedBatchLeavesAfterTheDelay() throws InterruptedException {
    Tracer tracer = tracer(pipeline(settings(Duration.ofMillis(20), 100, 50)));
    end(tracer, 0, 2);
    assertThat(exporter.exporting.await(20, TimeUnit.SECONDS)).isTrue();
    Wait.until("both have left", () -> exporter.spans().equals(names(0, 2)));
    end(tracer, 2, 3);
    Wait.until("the third has left", () -> exporter.spans().equals(names(0, 3)));
  }

  @Test
  void anUnfinishedBatchWaitsForTheDelay() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 100, 50));
    end(tracer(pipeline), 0, 49);
    assertThat(exporter.batches).isEmpty();
    assertThat(flush(pipeline)).isTrue();
    assertThat(exporter.batches).containsExactly(names(0, 49));
  }

  @Test
  void noBatchIsLargerThanItsLimit() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 1_000, 10));
    exporter.gate = new CountDownLatch(1);
    Tracer tracer = tracer(pipeline);
    end(tracer, 0, 995);
    exporter.gate.countDown();
    assertThat(flush(pipeline)).isTrue();
    assertThat(exporter.batches).allSatisfy(batch -> assertThat(batch).hasSizeBetween(1, 10));
    assertThat(exporter.spans()).isEqualTo(names(0, 995));
  }

  /** One that still goes into the queue may come there when the worker has looked and rests. */
  @Test
  void whatEndsWhileSpansBeginToBeSentDirectlyLeavesAtOnceToo() throws Exception {
    ExecutorService other = Executors.newSingleThreadExecutor();
    try {
      for (int i = 0; i < 2_000; i++) {
        SpanPipeline pipeline = pipeline(settings(NEVER, 1_000, 1_000));
        Tracer tracer = tracer(pipeline);
        CountDownLatch begun = new CountDownLatch(1);
        Future<?> ending =
            other.submit(
                () -> {
                  begun.countDown();
                  end(tracer, 0, 50);
                });
        begun.await();
        outbox.sendDirectly(Duration.ofSeconds(20));
        ending.get();
        Wait.until("all have left", () -> exporter.spans().size() == 50);
        exporter.batches.clear();
        pipeline.shutdown();
      }
    } finally {
      other.shutdown();
    }
  }

  @Test
  void aFlushWithNothingWaitingSucceeds() {
    assertThat(flush(pipeline(settings(NEVER, 10, 10)))).isTrue();
    assertThat(exporter.batches).isEmpty();
  }

  @Test
  void aFlushFailsWhenItsExportFails() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10));
    Tracer tracer = tracer(pipeline);
    exporter.answer = batch -> CompletableResultCode.ofFailure();
    end(tracer, 0, 1);
    assertThat(flush(pipeline)).isFalse();

    // What failed was told; what comes now is new.
    exporter.answer = batch -> CompletableResultCode.ofSuccess();
    end(tracer, 1, 2);
    assertThat(flush(pipeline)).isTrue();
  }

  @Test
  void aFlushFailsWhenAnExportSinceTheLastFlushFailed() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 2));
    Tracer tracer = tracer(pipeline);
    exporter.answer = batch -> CompletableResultCode.ofFailure();
    end(tracer, 0, 2);
    Wait.until("the batch has failed", () -> outbox.counts().spans().failed() == 2);
    exporter.answer = batch -> CompletableResultCode.ofSuccess();
    end(tracer, 2, 3);
    assertThat(flush(pipeline)).isFalse();
    assertThat(flush(pipeline)).isTrue();
  }

  @Test
  void aFullQueueDropsCountsAndSaysSoOnce() throws InterruptedException {
    SpanPipeline pipeline = pipeline(settings(NEVER, 4, 2));
    Tracer tracer = tracer(pipeline);
    exporter.gate = new CountDownLatch(1);
    end(tracer, 0, 2);
    assertThat(exporter.exporting.await(20, TimeUnit.SECONDS)).isTrue();
    // The worker is away with the first two: four have room, three have not.
    end(tracer, 2, 9);
    exporter.gate.countDown();

    assertThat(flush(pipeline)).isFalse();
    assertThat(exporter.spans()).isEqualTo(names(0, 6));
    assertThat(log.warnings())
        .containsExactly(
            "3 spans were dropped: no more may wait for their delivery (OTEL_BSP_MAX_QUEUE_SIZE)");
    assertThat(outbox.counts().spans()).isEqualTo(new Delivery.Counts(9, 6, 0, 3, 0, 0, 0));
    assertThat(flush(pipeline)).isTrue();
  }

  @Test
  void laterDropsAreToldAtTheEndAtTheLatest() throws InterruptedException {
    SpanPipeline pipeline = pipeline(settings(NEVER, 1, 1));
    Tracer tracer = tracer(pipeline);
    for (int i = 0; i < 2; i++) {
      exporter.gate = new CountDownLatch(1);
      int exports = exporter.batches.size();
      end(tracer, 0, 1);
      Wait.until("the worker is away", () -> exporter.batches.size() == exports + 1);
      // One has room.
      end(tracer, 1, 4 + i);
      exporter.gate.countDown();
      assertThat(flush(pipeline)).isFalse();
    }
    assertThat(log.warnings()).singleElement().asString().startsWith("2 spans were dropped");
    pipeline.shutdown().join(20, TimeUnit.SECONDS);
    assertThat(log.warnings()).hasSize(2);
    assertThat(log.warnings().get(1)).startsWith("3 spans were dropped");
  }

  @Test
  void aThrowingExporterIsGuardedAndAskedAgain() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10));
    Tracer tracer = tracer(pipeline);
    exporter.answer =
        batch -> {
          throw new NoClassDefFoundError("of another version");
        };
    for (int i = 0; i < 3; i++) {
      end(tracer, i, i + 1);
      assertThat(flush(pipeline)).isFalse();
    }
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith("SpanExporter.export threw in dev.throughline.telemetry.delivery");

    exporter.answer = batch -> CompletableResultCode.ofSuccess();
    end(tracer, 3, 4);
    assertThat(flush(pipeline)).isTrue();
    assertThat(exporter.spans()).isEqualTo(names(0, 4));
  }

  @Test
  void anExporterWithoutAnAnswerIsGuarded() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10));
    exporter.answer = batch -> null;
    end(tracer(pipeline), 0, 1);
    assertThat(flush(pipeline)).isFalse();
    assertThat(log.warnings()).hasSize(1);
  }

  @Test
  void aCallbackThatThrowsDoesNotEndTheWorker() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10));
    Tracer tracer = tracer(pipeline);
    exporter.gate = new CountDownLatch(1);
    end(tracer, 0, 1);
    CompletableResultCode flushed = pipeline.forceFlush();
    flushed.whenComplete(
        () -> {
          throw new IllegalStateException("of a callback");
        });
    exporter.gate.countDown();
    // Not join: what waits behind the callback is not called either.
    Wait.until("the flush is answered", flushed::isSuccess);
    end(tracer, 1, 2);
    assertThat(flush(pipeline)).isTrue();
    assertThat(exporter.spans()).isEqualTo(names(0, 2));
    assertThat(log.warnings()).hasSize(1);
  }

  /**
   * The error is for whoever watches over the process; the thread's work is done by nobody else.
   */
  @Test
  void aVirtualMachineErrorReachesItsHandlerAndExportsGoOn() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10));
    Tracer tracer = tracer(pipeline);
    List<Throwable> seen = new CopyOnWriteArrayList<>();
    OutOfMemoryError error = new OutOfMemoryError("of the test");
    exporter.answer =
        batch -> {
          Thread.currentThread().setUncaughtExceptionHandler((thread, thrown) -> seen.add(thrown));
          throw error;
        };
    end(tracer, 0, 1);
    assertThat(flush(pipeline)).isFalse();
    assertThat(seen).containsExactly(error);

    exporter.answer = batch -> CompletableResultCode.ofSuccess();
    end(tracer, 1, 2);
    assertThat(flush(pipeline)).isTrue();
    assertThat(exporter.spans()).isEqualTo(names(0, 2));
  }

  @Test
  void aHangingExporterCostsItsTimeoutAndItsBatch() {
    SpanPipeline pipeline = pipeline(new BatchSettings(NEVER, 10, 10, Duration.ofMillis(50)));
    Tracer tracer = tracer(pipeline);
    List<Collection<SpanData>> given = new CopyOnWriteArrayList<>();
    CompletableResultCode late = new CompletableResultCode();
    exporter.answer =
        batch -> {
          given.add(batch);
          return late;
        };
    end(tracer, 0, 2);
    assertThat(flush(pipeline)).isFalse();

    exporter.answer = batch -> CompletableResultCode.ofSuccess();
    end(tracer, 2, 3);
    assertThat(flush(pipeline)).isTrue();
    assertThat(exporter.batches).containsExactly(names(0, 2), names(2, 3));
    // It may still be at it.
    assertThat(given.get(0)).extracting(SpanData::getName).isEqualTo(names(0, 2));
    late.succeed();
    assertThat(flush(pipeline)).isTrue();
  }

  @Test
  void anExportTimeoutOfZeroIsNone() {
    SpanPipeline pipeline = pipeline(new BatchSettings(NEVER, 10, 10, Duration.ZERO));
    CompletableResultCode late = new CompletableResultCode();
    exporter.answer = batch -> late;
    end(tracer(pipeline), 0, 1);
    CompletableResultCode flushed = pipeline.forceFlush();
    Wait.until("the exporter is asked", () -> !exporter.batches.isEmpty());
    assertThat(flushed.isDone()).isFalse();
    late.succeed();
    assertThat(flushed.join(20, TimeUnit.SECONDS).isSuccess()).isTrue();
  }

  @Test
  void tapsSeeRecordedSpansThatTheExporterDoesNot() {
    TestTap tap = new TestTap();
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10), tap);
    Sampler sampler =
        new Sampler() {
          @Override
          public SamplingResult shouldSample(
              Context parentContext,
              String traceId,
              String name,
              io.opentelemetry.api.trace.SpanKind spanKind,
              io.opentelemetry.api.common.Attributes attributes,
              List<io.opentelemetry.sdk.trace.data.LinkData> parentLinks) {
            return SamplingResult.create(
                switch (name) {
                  case "sampled" -> SamplingDecision.RECORD_AND_SAMPLE;
                  case "recorded" -> SamplingDecision.RECORD_ONLY;
                  default -> SamplingDecision.DROP;
                });
          }

          @Override
          public String getDescription() {
            return "by name";
          }
        };
    Tracer tracer =
        SdkTracerProvider.builder().setSampler(sampler).addSpanProcessor(pipeline).build().get("t");
    for (String name : List.of("sampled", "recorded", "dropped")) {
      tracer.spanBuilder(name).startSpan().end();
    }
    assertThat(flush(pipeline)).isTrue();
    assertThat(tap.calls)
        .containsExactly("start sampled", "end sampled", "start recorded", "end recorded", "flush");
    assertThat(exporter.spans()).containsExactly("sampled");
  }

  @Test
  void tapsSeeOnlyWhatTheyRequire() {
    TestTap starts = new TestTap();
    starts.endRequired = false;
    TestTap ends = new TestTap();
    ends.startRequired = false;
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10), starts, ends);
    assertThat(pipeline.isStartRequired()).isTrue();
    end(tracer(pipeline), 0, 1);
    assertThat(starts.calls).containsExactly("start s0");
    assertThat(ends.calls).containsExactly("end s0");

    assertThat(pipeline(settings(NEVER, 10, 10), ends).isStartRequired()).isFalse();
  }

  @Test
  void aThrowingTapIsGuardedAndLaterTapsStillRun() {
    TestTap throwing = new TestTap();
    throwing.thrown = new NoSuchMethodError("of another version");
    TestTap later = new TestTap();
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10), throwing, later);
    Tracer tracer = tracer(pipeline);
    end(tracer, 0, 2);

    assertThat(later.calls).containsExactly("start s0", "end s0", "start s1", "end s1");
    // Whatever that tap still held is not known to be delivered.
    assertThat(flush(pipeline)).isFalse();
    assertThat(exporter.spans()).isEqualTo(names(0, 2));
    assertThat(pipeline.shutdown().join(20, TimeUnit.SECONDS).isSuccess()).isFalse();
    assertThat(later.calls).endsWith("flush", "shutdown");
    assertThat(exporter.shutdowns).hasValue(1);
    assertThat(log.warnings())
        .extracting(line -> line.substring(0, line.indexOf(' ')))
        .containsExactly(
            "SpanProcessor.onStart",
            "SpanProcessor.onEnd",
            "SpanProcessor.forceFlush",
            "SpanProcessor.shutdown");
  }

  @Test
  void aTapWithoutAnAnswerIsGuarded() {
    TestTap tap = new TestTap();
    tap.result = null;
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10), tap);
    end(tracer(pipeline), 0, 1);
    assertThat(flush(pipeline)).isFalse();
    assertThat(pipeline.shutdown().join(20, TimeUnit.SECONDS).isDone()).isTrue();
    assertThat(exporter.spans()).isEqualTo(names(0, 1));
    assertThat(exporter.shutdowns).hasValue(1);
  }

  @Test
  void aVirtualMachineErrorOfATapPasses() {
    TestTap tap = new TestTap();
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10), tap);
    Tracer tracer = tracer(pipeline);
    Span span = tracer.spanBuilder("work").startSpan();
    tap.thrown = new OutOfMemoryError("of the test");
    assertThatThrownBy(span::end).isSameAs(tap.thrown);
    assertThatThrownBy(() -> tracer.spanBuilder("work").startSpan()).isSameAs(tap.thrown);
    assertThat(log.warnings()).isEmpty();
    tap.thrown = null;
  }

  @Test
  void goesWithoutAnExporter() {
    TestTap tap = new TestTap();
    SpanPipeline pipeline = outbox().spanPipeline(List.of(tap), null, settings(NEVER, 10, 10));
    end(tracer(pipeline), 0, 1);
    assertThat(flush(pipeline)).isTrue();
    assertThat(pipeline.shutdown().join(20, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(tap.calls).containsExactly("start s0", "end s0", "flush", "shutdown");
  }

  @Test
  void aShutdownExportsWhatWaitsAndEndsTheWorker() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    SpanPipeline pipeline = pipeline(settings(NEVER, 100, 10));
    end(tracer(pipeline), 0, 25);
    assertThat(pipeline.shutdown().join(20, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(exporter.spans()).isEqualTo(names(0, 25));
    assertThat(exporter.shutdowns).hasValue(1);
    Wait.until(
        "the worker has ended",
        () ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(
                    thread ->
                        !before.contains(thread)
                            && thread.getName().equals("telemetry-span-export")));
  }

  @Test
  void aShutdownFailsWhereSomethingWasNotDelivered() {
    SpanPipeline undelivered = pipeline(settings(NEVER, 10, 10));
    exporter.answer = batch -> CompletableResultCode.ofFailure();
    end(tracer(undelivered), 0, 1);
    assertThat(undelivered.shutdown().join(20, TimeUnit.SECONDS).isSuccess()).isFalse();

    SpanPipeline notClosed = pipeline(settings(NEVER, 10, 10));
    exporter.shutdownResult = CompletableResultCode.ofFailure();
    assertThat(notClosed.shutdown().join(20, TimeUnit.SECONDS).isSuccess()).isFalse();
    assertThat(exporter.shutdowns).hasValue(2);
  }

  @Test
  void aFlushAfterTheShutdownTellsWhetherSomethingWaits() {
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10));
    Tracer tracer = tracer(pipeline);
    Span late = tracer.spanBuilder("late").startSpan();
    assertThat(pipeline.shutdown().join(20, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(flush(pipeline)).isTrue();
    late.end();
    assertThat(flush(pipeline)).isFalse();
    assertThat(exporter.spans()).isEmpty();
  }

  /** A flush that comes while the worker ends is answered by one of the two. */
  @Test
  void aFlushDuringTheShutdownIsAnswered() throws InterruptedException {
    for (int i = 0; i < 300; i++) {
      SpanPipeline pipeline = outbox().spanPipeline(List.of(), exporter, settings(NEVER, 10, 10));
      List<CompletableResultCode> results = new CopyOnWriteArrayList<>();
      CountDownLatch ready = new CountDownLatch(1);
      Thread flusher =
          new Thread(
              () -> {
                ready.countDown();
                for (int j = 0; j < 200; j++) {
                  results.add(pipeline.forceFlush());
                }
              });
      flusher.start();
      ready.await();
      results.add(pipeline.shutdown());
      flusher.join();
      for (CompletableResultCode result : results) {
        assertThat(result.join(20, TimeUnit.SECONDS).isDone()).isTrue();
      }
    }
  }

  @Test
  void concurrentFlushesAllComplete() throws InterruptedException {
    SpanPipeline pipeline = pipeline(settings(NEVER, 100_000, 50));
    Tracer tracer = tracer(pipeline);
    List<CompletableResultCode> results = new CopyOnWriteArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      int first = t * 1_000;
      Thread thread =
          new Thread(
              () -> {
                for (int i = 0; i < 1_000; i++) {
                  end(tracer, first + i, first + i + 1);
                  if (i % 5 == 0) {
                    results.add(pipeline.forceFlush());
                  }
                }
              });
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(results).hasSize(800);
    for (CompletableResultCode result : results) {
      assertThat(result.join(20, TimeUnit.SECONDS).isSuccess()).isTrue();
    }
    assertThat(flush(pipeline)).isTrue();
    assertThat(exporter.spans()).hasSize(4_000);
    assertThat(new TreeSet<>(exporter.spans())).isEqualTo(new TreeSet<>(names(0, 4_000)));
  }

  /** Some servers interrupt every thread that an application leaves behind. */
  @Test
  void anInterruptDoesNotKeepTheWorkerFromItsWork() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    SpanPipeline pipeline = pipeline(settings(NEVER, 10, 10));
    Thread worker = workerSince(before);
    worker.interrupt();
    // It would not rest, nor wait for an export, with the flag up.
    Wait.until("it rests again", () -> !worker.isInterrupted());
    CompletableResultCode late = new CompletableResultCode();
    exporter.answer = batch -> late;
    end(tracer(pipeline), 0, 1);
    CompletableResultCode flushed = pipeline.forceFlush();
    Wait.until("the exporter is asked", () -> !exporter.batches.isEmpty());
    late.succeed();
    assertThat(flushed.join(20, TimeUnit.SECONDS).isSuccess()).isTrue();
  }

  private static final class TestTap implements SpanProcessor {

    final List<String> calls = new CopyOnWriteArrayList<>();
    boolean startRequired = true;
    boolean endRequired = true;
    Error thrown;
    CompletableResultCode result = CompletableResultCode.ofSuccess();

    @Override
    public void onStart(Context parentContext, ReadWriteSpan span) {
      call("start " + span.getName());
    }

    @Override
    public boolean isStartRequired() {
      return startRequired;
    }

    @Override
    public void onEnd(ReadableSpan span) {
      call("end " + span.getName());
    }

    @Override
    public boolean isEndRequired() {
      return endRequired;
    }

    @Override
    public CompletableResultCode forceFlush() {
      call("flush");
      return result;
    }

    @Override
    public CompletableResultCode shutdown() {
      call("shutdown");
      return result;
    }

    private void call(String call) {
      if (thrown != null) {
        throw thrown;
      }
      calls.add(call);
    }
  }
}
