// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Recorded items on their way to the exporting thread: a bounded queue for many producers and one
 * consumer. A producer never waits and allocates nothing, which no queue of the JDK offers at once.
 *
 * <p>A ring of segments: those that are not in use are not there, but for one to spare.
 */
final class ItemQueue<T> {

  private static final int SEGMENT_LENGTH = 1024;

  private final AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable T>> segments;
  private final AtomicReference<@Nullable AtomicReferenceArray<@Nullable T>> spare =
      new AtomicReference<>();
  private final int limit;
  private volatile int capacity;
  private final AtomicLong tail = new AtomicLong();
  private final AtomicLong head = new AtomicLong();

  /**
   * @param limit the largest capacity, and the first
   */
  ItemQueue(int limit) {
    this.limit = limit;
    capacity = limit;
    // One more than can be in use, so that a segment is free before its place comes round again.
    int needed = limit / SEGMENT_LENGTH + 2;
    segments = new AtomicReferenceArray<>(Integer.highestOneBit(needed - 1) << 1);
  }

  /** Items that may wait from now on; those that already do stay. */
  void setCapacity(int capacity) {
    this.capacity = Math.min(capacity, limit);
  }

  /** Adds an item; false where the queue is full. */
  boolean offer(T item) {
    while (true) {
      long position = tail.get();
      if (position - head.get() >= capacity) {
        return false;
      }
      // Before the place is taken: where there is no memory for it, nothing has happened.
      AtomicReferenceArray<@Nullable T> segment = segment(position);
      if (tail.compareAndSet(position, position + 1)) {
        segment.lazySet(slot(position), item);
        return true;
      }
    }
  }

  /** Takes an item; null where there is none yet. For the one consumer alone. */
  @Nullable T poll() {
    long position = head.get();
    AtomicReferenceArray<@Nullable T> segment = segments.get(index(position));
    T item = segment == null ? null : segment.get(slot(position));
    if (segment == null || item == null) {
      return null;
    }
    segment.lazySet(slot(position), null);
    if (slot(position) == SEGMENT_LENGTH - 1) {
      segments.set(index(position), null);
      spare.set(segment);
    }
    head.lazySet(position + 1);
    return item;
  }

  private AtomicReferenceArray<@Nullable T> segment(long position) {
    int index = index(position);
    while (true) {
      AtomicReferenceArray<@Nullable T> segment = segments.get(index);
      if (segment != null) {
        return segment;
      }
      AtomicReferenceArray<@Nullable T> added = spare.getAndSet(null);
      if (added == null) {
        added = new AtomicReferenceArray<>(SEGMENT_LENGTH);
      }
      if (!segments.compareAndSet(index, null, added)) {
        spare.set(added);
      }
    }
  }

  private int index(long position) {
    return (int) (position / SEGMENT_LENGTH) & (segments.length() - 1);
  }

  private static int slot(long position) {
    return (int) position & (SEGMENT_LENGTH - 1);
  }

  /** How many items were ever added. */
  long added() {
    return tail.get();
  }

  int size() {
    return (int) Math.max(0, tail.get() - head.get());
  }
}
