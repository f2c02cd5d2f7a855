// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.sdk.trace.ReadableSpan;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Ended spans on their way to the exporting thread: a bounded ring for many producers and one
 * consumer. A producer never waits and allocates nothing, which no queue of the JDK offers at once.
 */
final class SpanQueue {

  private final AtomicReferenceArray<@Nullable ReadableSpan> slots;
  private final int mask;
  private final int capacity;
  private final AtomicLong tail = new AtomicLong();
  private final AtomicLong head = new AtomicLong();

  SpanQueue(int capacity) {
    this.capacity = capacity;
    int length = Integer.highestOneBit(Math.max(1, capacity - 1)) << 1;
    slots = new AtomicReferenceArray<>(length);
    mask = length - 1;
  }

  /** Adds a span; false where the queue is full. */
  boolean offer(ReadableSpan span) {
    while (true) {
      long position = tail.get();
      if (position - head.get() >= capacity) {
        return false;
      }
      if (tail.compareAndSet(position, position + 1)) {
        slots.lazySet((int) position & mask, span);
        return true;
      }
    }
  }

  /** Takes a span; null where there is none yet. For the one consumer alone. */
  @Nullable ReadableSpan poll() {
    long position = head.get();
    int slot = (int) position & mask;
    ReadableSpan span = slots.get(slot);
    if (span == null) {
      return null;
    }
    slots.lazySet(slot, null);
    head.lazySet(position + 1);
    return span;
  }

  /** How many spans were ever added. */
  long added() {
    return tail.get();
  }

  int size() {
    return (int) Math.max(0, tail.get() - head.get());
  }
}
