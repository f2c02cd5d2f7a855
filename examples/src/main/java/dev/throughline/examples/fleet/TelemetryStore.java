// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Keeps what came in, the newest of it where it is too much, and wakes whoever waits for more. */
final class TelemetryStore {

  private static final int MOST_TRACES = 1_000;
  private static final int MOST_SPANS_OF_TRACE = 2_000;
  private static final int MOST_OTHERS = 10_000;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrival = lock.newCondition();
  private final Map<String, Trace> traces = new LinkedHashMap<>();
  private final Deque<ReceivedMetric> metrics = new ArrayDeque<>();
  private final Deque<ReceivedLog> logs = new ArrayDeque<>();

  /** A metric as it came in. */
  record ReceivedMetric(String service, String name) {}

  /**
   * A log record as it came in.
   *
   * @param traceId empty outside of a trace
   */
  record ReceivedLog(String service, String traceId, String body) {}

  private static final class Trace {
    final List<ReceivedSpan> spans = new ArrayList<>();
    long lastArrivalNanos;
    int seen;

    List<ReceivedSpan> see() {
      seen = spans.size();
      return List.copyOf(spans);
    }
  }

  void addSpans(Collection<ReceivedSpan> spans) {
    lock.lock();
    try {
      for (ReceivedSpan span : spans) {
        Trace trace = traces.computeIfAbsent(span.traceId(), id -> new Trace());
        if (trace.spans.size() < MOST_SPANS_OF_TRACE) {
          trace.spans.add(span);
        }
        trace.lastArrivalNanos = System.nanoTime();
      }
      while (traces.size() > MOST_TRACES) {
        traces.remove(traces.keySet().iterator().next());
      }
      arrival.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void addMetrics(Collection<ReceivedMetric> received) {
    add(metrics, received);
  }

  void addLogs(Collection<ReceivedLog> received) {
    add(logs, received);
  }

  private <T> void add(Deque<T> kept, Collection<T> received) {
    lock.lock();
    try {
      kept.addAll(received);
      while (kept.size() > MOST_OTHERS) {
        kept.removeFirst();
      }
      arrival.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until a trace is whole.
   *
   * @return what there is of it at the end, whole or not
   */
  List<ReceivedSpan> awaitTrace(
      String traceId, Predicate<List<ReceivedSpan>> whole, Duration timeout)
      throws InterruptedException {
    return await(
        () -> {
          Trace trace = traces.get(traceId);
          return trace == null ? List.of() : trace.see();
        },
        whole,
        timeout);
  }

  /** Waits for metrics, and gives what there is at the end. */
  List<ReceivedMetric> awaitMetrics(Predicate<List<ReceivedMetric>> enough, Duration timeout)
      throws InterruptedException {
    return await(() -> List.copyOf(metrics), enough, timeout);
  }

  /** The metrics that there are by now. */
  List<ReceivedMetric> metrics() {
    return copy(metrics);
  }

  /** The log records that there are by now. */
  List<ReceivedLog> logs() {
    return copy(logs);
  }

  private <T> List<T> copy(Collection<T> kept) {
    lock.lock();
    try {
      return List.copyOf(kept);
    } finally {
      lock.unlock();
    }
  }

  /** Waits for log records, and gives what there is at the end. */
  List<ReceivedLog> awaitLogs(Predicate<List<ReceivedLog>> enough, Duration timeout)
      throws InterruptedException {
    return await(() -> List.copyOf(logs), enough, timeout);
  }

  private <T> List<T> await(Supplier<List<T>> look, Predicate<List<T>> enough, Duration timeout)
      throws InterruptedException {
    long left = timeout.toNanos();
    lock.lock();
    try {
      List<T> found = look.get();
      while (!enough.test(found) && left > 0) {
        left = arrival.awaitNanos(left);
        found = look.get();
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for a trace that has spans which nobody has seen.
   *
   * @param quiet how long nothing more must have come in for one that is not whole
   */
  List<ReceivedSpan> nextTrace(Predicate<List<ReceivedSpan>> whole, Duration quiet)
      throws InterruptedException {
    lock.lock();
    try {
      while (true) {
        long left = Long.MAX_VALUE;
        for (Trace trace : traces.values()) {
          if (trace.seen < trace.spans.size()) {
            long rest = trace.lastArrivalNanos + quiet.toNanos() - System.nanoTime();
            if (rest <= 0 || whole.test(trace.spans)) {
              return trace.see();
            }
            left = Math.min(left, rest);
          }
        }
        arrival.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }
}
