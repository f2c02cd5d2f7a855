// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Shows open-ended requests, such as streams, before they end: each that outlives a limit has its
 * span ended as a segment, and the next one started.
 *
 * <p>One for each {@code Telemetry}. Its daemon thread starts with the first such request, and
 * stops once it finds none.
 */
public final class Segments {

  private final long limitNanos;

  // All have the same limit, so that whoever joins last is due last.
  private @Nullable SegmentedRequest<?, ?> first;
  private @Nullable SegmentedRequest<?, ?> last;
  private @Nullable Thread thread;
  private boolean closed;

  /**
   * Segments of this length.
   *
   * @param limit how long a span lasts at the most; zero or less is for as long as its request
   */
  public Segments(Duration limit) {
    limitNanos = TimeUnit.NANOSECONDS.convert(limit);
  }

  /** Ends the open segments, so that they are exported, and stops; what goes on is not recorded. */
  public void close() {
    SegmentedRequest<?, ?> request;
    synchronized (this) {
      closed = true;
      notifyAll();
      request = first;
      for (SegmentedRequest<?, ?> r = first; r != null; r = r.after) {
        r.listed = false;
      }
      first = null;
      last = null;
    }
    for (; request != null; request = request.after) {
      request.endForGood();
    }
  }

  synchronized void add(SegmentedRequest<?, ?> request) {
    if (closed || limitNanos <= 0) {
      return;
    }
    append(request);
    if (thread == null) {
      startThread();
    }
  }

  /** Where the thread still waits for this one, it finds another or none when it wakes. */
  synchronized void remove(SegmentedRequest<?, ?> request) {
    if (request.listed) {
      unlink(request);
    }
  }

  private void append(SegmentedRequest<?, ?> request) {
    request.dueNanos = System.nanoTime() + limitNanos;
    request.listed = true;
    request.before = last;
    if (last == null) {
      first = request;
    } else {
      last.after = request;
    }
    last = request;
  }

  private void unlink(SegmentedRequest<?, ?> request) {
    SegmentedRequest<?, ?> before = request.before;
    SegmentedRequest<?, ?> after = request.after;
    if (before == null) {
      first = after;
    } else {
      before.after = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.before = before;
    }
    request.before = null;
    request.after = null;
    request.listed = false;
  }

  private void startThread() {
    try {
      Thread started = new Thread(this::work, "telemetry-segments");
      started.setDaemon(true);
      // That of the application's thread that happens to be the first would never be let go.
      started.setContextClassLoader(null);
      started.start();
      thread = started;
    } catch (Throwable t) {
      // No thread to be had: the next request tries again.
    }
  }

  private void work() {
    try {
      for (SegmentedRequest<?, ?> due = nextDue(); due != null; due = nextDue()) {
        due.rollOver();
      }
    } finally {
      leave();
    }
  }

  private synchronized void leave() {
    if (thread == Thread.currentThread()) {
      thread = null;
    }
  }

  /** Waits for a request that is due, and lines it up again; null where there are no more. */
  private synchronized @Nullable SegmentedRequest<?, ?> nextDue() {
    while (first != null) {
      SegmentedRequest<?, ?> next = first;
      long left = next.dueNanos - System.nanoTime();
      if (left <= 0) {
        unlink(next);
        append(next);
        return next;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException e) {
        // Nobody's business but ours: close() empties the list.
      }
    }
    thread = null;
    return null;
  }
}
