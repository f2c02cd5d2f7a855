// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import static java.util.Objects.requireNonNull;

import brave.ScopedSpan;
import dev.throughline.telemetry.ActiveSpan;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshotFactory;
import io.micrometer.observation.Observation;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A task handed to an executor within a span, which is current again while the task runs. The
 * executor queues it, then runs it on the calling thread: what another thread costs is the same for
 * all.
 */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ContextLadder {

  private static final Executor DIRECT = new OneSlot();

  private final Task task = new Task();

  /** For JMH. */
  public ContextLadder() {}

  /** A queue of one; a compiler that saw through it would find that the wrapper is never needed. */
  private static final class OneSlot implements Executor {
    private final AtomicReference<Runnable> slot = new AtomicReference<>(() -> {});

    @Override
    public void execute(Runnable task) {
      slot.set(task);
      requireNonNull(slot.get()).run();
    }
  }

  private static final class Task implements Runnable {
    private int work = 1;
    int done;

    @Override
    public void run() {
      done += work;
    }
  }

  /** Where telemetry is off, there is no span; the application's code is the same. */
  @State(org.openjdk.jmh.annotations.Scope.Thread)
  public static class WithinOff {
    final Executor executor = Context.taskWrapping(DIRECT);
    private @Nullable ActiveSpan span;

    /** For JMH. */
    public WithinOff() {}

    /** On the measuring thread. */
    @Setup(Level.Iteration)
    public void open(Subjects.Off subject) {
      span = subject.telemetry.span("vnc.connect").open();
    }

    /** On the measuring thread. */
    @TearDown(Level.Iteration)
    public void close() {
      requireNonNull(span).close();
    }
  }

  /** Within a span of ours. */
  @State(org.openjdk.jmh.annotations.Scope.Thread)
  public static class WithinOn {
    final Executor executor = Context.taskWrapping(DIRECT);
    private @Nullable ActiveSpan span;

    /** For JMH. */
    public WithinOn() {}

    /** On the measuring thread. */
    @Setup(Level.Iteration)
    public void open(Subjects.On subject) {
      span = subject.telemetry.span("vnc.connect").open();
    }

    /** On the measuring thread. */
    @TearDown(Level.Iteration)
    public void close() {
      requireNonNull(span).close();
    }
  }

  /** Within a span of the SDK. */
  @State(org.openjdk.jmh.annotations.Scope.Thread)
  public static class WithinSdk {
    final Executor executor = Context.taskWrapping(DIRECT);
    private @Nullable Scope scope;

    /** For JMH. */
    public WithinSdk() {}

    /** On the measuring thread. */
    @Setup(Level.Iteration)
    @SuppressWarnings("MustBeClosedChecker") // close() closes it
    public void open(Subjects.Sdk subject) {
      Span span = subject.sdk.getTracer("benchmark").spanBuilder("vnc.connect").startSpan();
      scope = span.makeCurrent();
    }

    /** On the measuring thread. */
    @TearDown(Level.Iteration)
    public void close() {
      requireNonNull(scope).close();
    }
  }

  /** Within an observation. */
  @State(org.openjdk.jmh.annotations.Scope.Thread)
  public static class WithinMicrometer {
    final ContextSnapshotFactory snapshots;
    private @Nullable Observation observation;
    private Observation.@Nullable Scope scope;

    /** For JMH. */
    public WithinMicrometer() {
      ContextRegistry registry = new ContextRegistry();
      registry.registerThreadLocalAccessor(new ObservationThreadLocalAccessor());
      snapshots = ContextSnapshotFactory.builder().contextRegistry(registry).build();
    }

    /** On the measuring thread. */
    @Setup(Level.Iteration)
    public void open(Subjects.Micrometer subject) {
      Observation started = Observation.start("vnc.connect", subject.registry);
      observation = started;
      scope = started.openScope();
    }

    /** On the measuring thread. */
    @TearDown(Level.Iteration)
    public void close() {
      requireNonNull(scope).close();
      requireNonNull(observation).stop();
    }
  }

  /** Within a span of Brave's. */
  @State(org.openjdk.jmh.annotations.Scope.Thread)
  public static class WithinBrave {
    @Nullable Executor executor;
    private @Nullable ScopedSpan span;

    /** For JMH. */
    public WithinBrave() {}

    /** On the measuring thread. */
    @Setup(Level.Iteration)
    public void open(Subjects.Brave subject) {
      executor = subject.tracing.currentTraceContext().executor(DIRECT);
      span = subject.tracing.tracer().startScopedSpan("vnc.connect");
    }

    /** On the measuring thread. */
    @TearDown(Level.Iteration)
    public void close() {
      requireNonNull(span).finish();
    }
  }

  @Benchmark
  @Rung("bare")
  public int a_bare() {
    DIRECT.execute(task);
    return task.done;
  }

  @Benchmark
  @Rung("Throughline, off")
  public int b_off(WithinOff within) {
    within.executor.execute(task);
    return task.done;
  }

  @Benchmark
  @Rung("Throughline, on")
  public int c_on(WithinOn within) {
    within.executor.execute(task);
    return task.done;
  }

  @Benchmark
  @Rung("OpenTelemetry SDK, Context.taskWrapping()")
  public int p_sdk(WithinSdk within) {
    within.executor.execute(task);
    return task.done;
  }

  @Benchmark
  @Rung("Micrometer, a snapshot wraps the task")
  public int q_micrometer(WithinMicrometer within) {
    DIRECT.execute(within.snapshots.captureAll().wrap(task));
    return task.done;
  }

  @Benchmark
  @Rung("Brave, CurrentTraceContext.executor()")
  public int r_brave(WithinBrave within) {
    requireNonNull(within.executor).execute(task);
    return task.done;
  }
}
