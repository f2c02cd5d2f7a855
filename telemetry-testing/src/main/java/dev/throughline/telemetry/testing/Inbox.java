// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Things that arrive from any thread, and are taken by the test's, which waits for them. */
final class Inbox<T> {

  private final List<T> items = new ArrayList<>();

  synchronized void add(T item) {
    items.add(item);
    notifyAll();
  }

  synchronized List<T> peek() {
    return List.copyOf(items);
  }

  /** Removes the oldest items. */
  synchronized List<T> take(int count) {
    List<T> oldest = items.subList(0, count);
    List<T> taken = List.copyOf(oldest);
    oldest.clear();
    return taken;
  }

  synchronized List<T> takeAll() {
    return take(items.size());
  }

  /** Removes the first item that is asked for; null where there is none. */
  synchronized @Nullable T takeFirst(Predicate<? super T> wanted) {
    for (int i = 0; i < items.size(); i++) {
      if (wanted.test(items.get(i))) {
        return items.remove(i);
      }
    }
    return null;
  }

  /**
   * Waits for a condition on all that is here, which is looked at again whenever something arrives.
   *
   * @return what the condition held of; null where it did not in time
   */
  @Nullable List<T> await(Duration timeout, Predicate<? super List<T>> until) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      // The condition is the test's own code and does not run under the lock.
      List<T> now = peek();
      if (until.test(now)) {
        return now;
      }
      if (!awaitMoreThan(now.size(), deadline)) {
        return null;
      }
    }
  }

  private synchronized boolean awaitMoreThan(int size, long deadline) {
    while (items.size() <= size) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return true;
  }
}
