// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** Every span that was recorded since the test began: running, or finished and not yet taken. */
final class Spans implements SpanProcessor {

  /** Also the lock of what moves from running to finished. */
  private final Inbox<SpanData> finished = new Inbox<>();

  private final Map<String, ReadableSpan> running = new ConcurrentHashMap<>();
  private final Set<String> started = ConcurrentHashMap.newKeySet();
  private final Set<String> givenUp = ConcurrentHashMap.newKeySet();

  @Override
  public void onStart(Context parentContext, ReadWriteSpan span) {
    String id = span.getSpanContext().getSpanId();
    started.add(id);
    running.put(id, span);
  }

  @Override
  public boolean isStartRequired() {
    return true;
  }

  @Override
  public void onEnd(ReadableSpan span) {
    String id = span.getSpanContext().getSpanId();
    SpanData data = span.toSpanData();
    synchronized (finished) {
      running.remove(id);
      // A test has failed for it already; the next one is not to blame.
      if (!givenUp.remove(id)) {
        finished.add(data);
      }
    }
  }

  @Override
  public boolean isEndRequired() {
    return true;
  }

  /** Whether this span was started here since the test began. */
  boolean hasStarted(String spanId) {
    return started.contains(spanId);
  }

  /**
   * Forgets what was before the test. A span that still runs may end, and be taken, in the test.
   */
  void begin() {
    finished.takeAll();
    started.retainAll(running.keySet());
  }

  List<SpanData> take(int count, Duration timeout) {
    if (finished.await(timeout, spans -> spans.size() >= count) == null) {
      throw tooLate(timeout, count == 1 ? "a finished span" : count + " finished spans");
    }
    return finished.take(count);
  }

  List<SpanData> take(Predicate<? super List<SpanData>> until, Duration timeout) {
    List<SpanData> spans = finished.await(timeout, until);
    if (spans == null) {
      throw tooLate(timeout, "finished spans that are as asked for");
    }
    return finished.take(spans.size());
  }

  /**
   * Takes all that has finished, once nothing runs and it is as asked for.
   *
   * @return what there is in the end, whether or not it is as asked for
   */
  List<SpanData> takeWhole(Predicate<? super List<SpanData>> until, Duration timeout) {
    finished.await(timeout, spans -> running.isEmpty() && until.test(spans));
    return finished.takeAll();
  }

  /** Whether a span ends in this time, or has ended before. */
  boolean endWithin(Duration time) {
    return finished.await(time, spans -> !spans.isEmpty()) != null;
  }

  List<SpanData> takeLeftovers() {
    return finished.takeAll();
  }

  /** Names of the spans that have not ended in time, and are not looked at again. */
  List<String> giveUpRunning(Duration timeout) {
    finished.await(timeout, spans -> running.isEmpty());
    synchronized (finished) {
      List<String> names = running();
      givenUp.addAll(running.keySet());
      running.clear();
      return names;
    }
  }

  List<String> running() {
    return running.values().stream().map(ReadableSpan::getName).toList();
  }

  static List<String> names(List<SpanData> spans) {
    return spans.stream().map(SpanData::getName).toList();
  }

  private AssertionError tooLate(Duration timeout, String what) {
    return new AssertionError(
        "Waited %s ms for %s. Finished: %s. Started and not ended: %s."
            .formatted(timeout.toMillis(), what, names(finished.peek()), running()));
  }
}
