// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.metrics.data.MetricData;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestWatcher;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.slf4j.LoggerFactory;

/** What the extension records, and what it fails a test for. */
class TelemetryExtensionTest {

  private static final ContextKey<String> KEY = ContextKey.named("key");

  @Test
  void failsForWhatATestLeaves() {
    JUnitRun run = JUnitRun.of(Leaving.class);

    Map<String, String> left = run.failures();
    // OpenTelemetry's strict storage, where it is on, takes the close of another thread for itself.
    assertThat(left.remove("aScopeThatAnotherThreadClosed"))
        .startsWith("The test left behind:\n  scope not closed: opened on thread main");
    assertThat(left)
        .containsOnly(
            entry("aSpanThatWasNotTaken", "The test left behind:\n  span not taken: left"),
            entry("aSpanThatWasNotEnded", "The test left behind:\n  span not ended: running"),
            entry("aScope", "The test left behind:\n  scope not closed: opened on thread main"),
            entry(
                "scopesThatWereClosedInTheWrongOrder",
                "The test left behind:\n  scope not closed: opened on thread main, closed while"
                    + " another context was current"),
            entry(
                "aScopeOnAnotherThread",
                "The test left behind:\n  scope not closed: opened on thread opener"),
            entry(
                "aScopeOnAThreadThatInheritsNothing",
                "The test left behind:\n  scope not closed: opened on thread stranger"),
            entry(
                "aWarning",
                "The test left behind:\n  log line not expected: WARN dev.throughline.Anything:"
                    + " oops 1"),
            entry("aFailureAndASpan", "the first"));
    assertThat(run.containerFailures()).isEmpty();
    assertThat(run.tests()).hasSize(12);
    assertThat(run.failure("aFailureAndASpan").getSuppressed())
        .singleElement()
        .extracting(Throwable::getMessage)
        .isEqualTo("The test left behind:\n  span not taken: left");
    assertThat(run.tests().get("anAssumptionThatDoesNotHold").getStatus())
        .isEqualTo(Status.ABORTED);
    assertThat(run.failure("aScope").getSuppressed()[0].getStackTrace()[0].getMethodName())
        .isEqualTo("aScope");
  }

  static class Leaving {

    @RegisterExtension
    static final TelemetryExtension telemetry =
        TelemetryExtension.builder().setTimeout(Duration.ofMillis(100)).build();

    @Test
    void aSpanThatWasNotTaken() {
      telemetry.telemetry().span("left").run(() -> {});
    }

    @Test
    void aSpanThatWasNotEnded() {
      telemetry.telemetry().span("running").start();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void aScope() {
      Context.current().with(KEY, "aScope").makeCurrent();
    }

    @Test
    void aScopeThatAnotherThreadClosed() throws InterruptedException {
      Scope scope = Context.current().with(KEY, "closedElsewhere").makeCurrent();
      Thread closer =
          new Thread(
              () -> {
                try {
                  scope.close();
                } catch (IllegalStateException expected) {
                  // OpenTelemetry's own strict storage, where it is on.
                }
              },
              "closer");
      closer.start();
      closer.join();
    }

    @Test
    void scopesThatWereClosedInTheWrongOrder() {
      Scope outer = Context.current().with(KEY, "outer").makeCurrent();
      Scope inner = Context.current().with(KEY, "inner").makeCurrent();
      outer.close();
      inner.close();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void aScopeOnAnotherThread() throws InterruptedException {
      Thread opener =
          new Thread(() -> Context.current().with(KEY, "elsewhere").makeCurrent(), "opener");
      opener.start();
      opener.join();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void aScopeOnAThreadThatInheritsNothing() throws InterruptedException {
      Runnable leak = () -> Context.current().with(KEY, "stranger").makeCurrent();
      Thread stranger = new Thread(null, leak, "stranger", 0, false);
      stranger.start();
      stranger.join();
    }

    @Test
    void aWarning() {
      LoggerFactory.getLogger("dev.throughline.Anything").warn("oops {}", 1);
    }

    @Test
    void aFailureAndASpan() {
      telemetry.telemetry().span("left").run(() -> {});
      throw new IllegalStateException("the first");
    }

    @Test
    void anAssumptionThatDoesNotHold() {
      telemetry.telemetry().span("left").run(() -> {});
      Assumptions.abort();
    }

    @Test
    void anExpectedWarning() {
      LoggerFactory.getLogger("dev.throughline.Anything").warn("oops {}", 2);
      telemetry.expectWarn("oops \\d");
    }

    @Test
    void nothing() {
      LoggerFactory.getLogger("dev.throughline.Anything").info("fine");
      LoggerFactory.getLogger("org.example.Anything").warn("someone else's");
      assertThat(Context.current()).isSameAs(Context.root());
    }
  }

  @Test
  void aTestAfterALeakBeginsClean() {
    JUnitRun run = JUnitRun.of(LeakingFirst.class);

    assertThat(run.tests()).hasSize(2);
    assertThat(run.failures())
        .containsOnlyKeys("first")
        .hasEntrySatisfying(
            "first",
            message ->
                assertThat(message)
                    .contains("span not ended: first", "scope not closed", "span not taken: left"));
  }

  @TestMethodOrder(MethodOrderer.MethodName.class)
  static class LeakingFirst {

    @RegisterExtension
    static final TelemetryExtension telemetry =
        TelemetryExtension.builder().setTimeout(Duration.ofMillis(50)).build();

    static ActiveSpan span;

    @Test
    void first() {
      span = telemetry.telemetry().span("first").open();
      telemetry.telemetry().span("left").run(() -> {});
    }

    @Test
    void second() {
      assertThat(Context.current()).isSameAs(Context.root());
      span.end();
      telemetry.telemetry().span("second").run(() -> {});
      assertThat(telemetry.takeSpan().getName()).isEqualTo("second");
    }
  }

  @Test
  void whatWasBeforeTheTestIsNotItsOwn() {
    JUnitRun run = JUnitRun.of(SetUp.class);

    assertThat(run.tests()).hasSize(1);
    assertThat(run.failures()).isEmpty();
    assertThat(run.containerFailures()).isEmpty();
  }

  static class SetUp {

    @RegisterExtension
    static final TelemetryExtension telemetry =
        TelemetryExtension.builder().setTimeout(Duration.ofMillis(50)).build();

    static Scope scope;

    @BeforeAll
    static void setUp() {
      telemetry.telemetry().span("setup").run(() -> {});
      scope = Context.current().with(KEY, "setup").makeCurrent();
    }

    @AfterAll
    static void tearDown() {
      scope.close();
    }

    @Test
    void takesItsOwn() {
      telemetry.telemetry().span("own").run(() -> {});
      assertThat(telemetry.takeSpan().getName()).isEqualTo("own");
    }
  }

  @Test
  void classesThatRunAtOnceDoNotSeeEachOther() {
    JUnitRun run = JUnitRun.inParallel(LeakingBeside.class, CleanBeside.class);

    assertThat(run.tests()).hasSize(2);
    assertThat(run.failures()).containsOnlyKeys("leaksAll");
    assertThat(run.failures().get("leaksAll").lines())
        .containsExactly(
            "The test left behind:",
            "  span not ended: running",
            "  scope not closed: opened on thread leaker",
            "  scope not closed: opened on thread pool",
            "  span not taken: left",
            "  log line not expected: WARN dev.throughline.Anything: on leaker",
            "  log line not expected: WARN dev.throughline.Anything: on pool");
  }

  /** Both sides of {@link #classesThatRunAtOnceDoNotSeeEachOther} stand in their tests at once. */
  private static final CyclicBarrier BESIDE = new CyclicBarrier(2);

  static class LeakingBeside {

    @RegisterExtension
    static final TelemetryExtension telemetry =
        TelemetryExtension.builder().setTimeout(Duration.ofMillis(100)).build();

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void leaksAll() throws Exception {
      BESIDE.await(10, TimeUnit.SECONDS);
      telemetry.telemetry().span("left").run(() -> {});
      ActiveSpan running = telemetry.telemetry().span("running").start();
      Thread leaker =
          new Thread(
              () -> {
                Context.current().with(KEY, "leak").makeCurrent();
                LoggerFactory.getLogger("dev.throughline.Anything").warn("on leaker");
              },
              "leaker");
      leaker.start();
      leaker.join();
      // A thread of someone else's, which works for this test as its span tells.
      CleanBeside.pool
          .thenAcceptAsync(
              executor ->
                  CompletableFuture.runAsync(
                          () -> {
                            running.makeCurrent();
                            LoggerFactory.getLogger("dev.throughline.Anything").warn("on pool");
                          },
                          executor)
                      .join(),
              Runnable::run)
          .join();
      BESIDE.await(10, TimeUnit.SECONDS);
    }
  }

  static class CleanBeside {

    @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

    static final CompletableFuture<ExecutorService> pool = new CompletableFuture<>();

    @Test
    void leavesNothing() throws Exception {
      ExecutorService executor =
          Executors.newSingleThreadExecutor(work -> new Thread(work, "pool"));
      executor.submit(() -> {}).get();
      BESIDE.await(10, TimeUnit.SECONDS);
      pool.complete(executor);
      telemetry.telemetry().span("own").run(() -> {});
      BESIDE.await(10, TimeUnit.SECONDS);
      assertThat(telemetry.takeSpan().getName()).isEqualTo("own");
      executor.shutdown();
    }
  }

  @Test
  void refusesTestsOfOneClassAtOnce() {
    JUnitRun run = JUnitRun.inParallel(AtOnce.class);

    assertThat(run.failures()).hasSize(1);
    assertThat(run.failures().values()).first().asString().contains("@Execution(SAME_THREAD)");
  }

  @Execution(ExecutionMode.CONCURRENT)
  static class AtOnce {

    @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

    static final CountDownLatch began = new CountDownLatch(1);
    static final CountDownLatch refused = new CountDownLatch(1);

    @RegisterExtension
    static final TestWatcher watcher =
        new TestWatcher() {
          @Override
          public void testFailed(ExtensionContext context, Throwable cause) {
            refused.countDown();
          }
        };

    @Test
    void one() throws InterruptedException {
      assertThat(refused.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void other() throws InterruptedException {
      assertThat(refused.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Nested
  class Takes {

    @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

    @Test
    void spansOfAnotherThreadInTheOrderTheyEnded() {
      ActiveSpan first = telemetry.telemetry().span("first").start();
      CompletableFuture<Void> other =
          CompletableFuture.runAsync(
              () -> {
                telemetry.telemetry().span("second").run(() -> {});
                first.end();
              });

      assertThat(telemetry.takeSpans(2)).extracting("name").containsExactly("second", "first");
      other.join();
    }

    @Test
    void allSpansOnceAConditionHolds() {
      CompletableFuture<Void> other =
          CompletableFuture.runAsync(
              () -> {
                telemetry.telemetry().span("a").run(() -> {});
                telemetry.telemetry().span("b").run(() -> {});
              });

      assertThat(
              telemetry.takeSpans(
                  spans -> spans.stream().anyMatch(span -> span.getName().equals("b"))))
          .extracting("name")
          .containsExactly("a", "b");
      other.join();
    }

    @Test
    void metricsOnceAConditionHolds() {
      LongCounter counter = telemetry.telemetry().meter().counterBuilder("work").build();
      DoubleHistogram histogram = telemetry.telemetry().meter().histogramBuilder("took").build();
      counter.add(1);
      histogram.record(3);
      assertThat(telemetry.metrics()).extracting("name").containsOnly("work", "took");
      counter.add(2);
      histogram.record(5);

      assertThat(telemetry.metric("work", work -> total(work) == 3).getLongSumData().getPoints())
          .hasSize(1);
      assertThat(telemetry.metric("took").getHistogramData().getPoints())
          .singleElement()
          .satisfies(
              point -> {
                assertThat(point.getSum()).isEqualTo(8);
                assertThat(point.getCount()).isEqualTo(2);
                assertThat(point.getMin()).isEqualTo(3);
                assertThat(point.getMax()).isEqualTo(5);
              });
    }

    @Test
    void logRecords() {
      emit(telemetry.telemetry(), "hello");

      assertThat(telemetry.takeLog().getBodyValue().asString()).isEqualTo("hello");
    }
  }

  private static void emit(Telemetry telemetry, String body) {
    telemetry.openTelemetry().getLogsBridge().get("test").logRecordBuilder().setBody(body).emit();
  }

  private static long total(MetricData metric) {
    return metric.getLongSumData().getPoints().stream().mapToLong(point -> point.getValue()).sum();
  }

  @Test
  void tellsWhatThereIsWhenATakeWaitsInVain() {
    JUnitRun run = JUnitRun.of(Impatient.class);

    assertThat(run.failures())
        .containsOnly(
            entry(
                "spans",
                "Waited 20 ms for 2 finished spans. Finished: [one]. Started and not ended:"
                    + " [other]."),
            entry("metric", "Waited 20 ms for the metric none. Recorded: [some]."),
            entry("warning", "Waited 20 ms for a WARN with \"x+\". Logged: []."),
            entry("log", "Waited 20 ms for 1 log records. Emitted: []."));
  }

  static class Impatient {

    @RegisterExtension
    static final TelemetryExtension telemetry =
        TelemetryExtension.builder().setTimeout(Duration.ofMillis(20)).build();

    @Test
    void spans() {
      telemetry.telemetry().span("one").run(() -> {});
      telemetry.telemetry().span("other").start();
      telemetry.takeSpans(2);
    }

    @Test
    void metric() {
      telemetry.telemetry().meter().counterBuilder("some").build().add(1);
      telemetry.metric("none");
    }

    @Test
    void warning() {
      telemetry.expectWarn("x+");
    }

    @Test
    void log() {
      telemetry.takeLog();
    }
  }

  @Test
  void clearsMetricsAndLogsBeforeEachTest() {
    JUnitRun run = JUnitRun.of(Counting.class);

    assertThat(run.tests()).hasSize(2);
    assertThat(run.failures()).isEmpty();
  }

  static class Counting {

    @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

    static LongCounter counter;

    @Test
    void one(TestInfo test) {
      count(test.getDisplayName());
    }

    @Test
    void other(TestInfo test) {
      count(test.getDisplayName());
    }

    private static void count(String test) {
      emit(telemetry.telemetry(), test);
      emit(telemetry.telemetry(), "left behind");
      assertThat(telemetry.takeLog().getBodyValue().asString()).isEqualTo(test);
      if (counter == null) {
        counter = telemetry.telemetry().meter().counterBuilder("work").build();
      }
      counter.add(1);
      assertThat(total(telemetry.metric("work"))).isEqualTo(1);
    }
  }
}
