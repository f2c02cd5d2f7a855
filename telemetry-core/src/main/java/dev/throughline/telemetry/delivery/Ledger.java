// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.Throttle;
import dev.throughline.telemetry.internals.Suppression;
import io.opentelemetry.api.metrics.BatchCallback;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import io.opentelemetry.sdk.common.CompletableResultCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The books of one signal: what became of its items, and the memory that they hold. */
final class Ledger {

  private static final Logger logger = LoggerFactory.getLogger(Delivery.class);
  static final String METRIC_POINTS = "metric points";
  static final String NO_ANSWER = "no answer came before the end";

  // The limit of a gRPC server unless told otherwise; it refuses the whole of a larger message.
  private static final int MAX_MESSAGE_BYTES = 4 << 20;
  private static final int SMALLEST_MESSAGE_BYTES = 1 << 18;
  // Held by an ended span beside as many bytes as it takes on the wire: with eight attributes
  // about 780 in all, 322 of them on the wire.
  private static final int OBJECT_BYTES = 460;
  private static final int FIRST_WIRE_BYTES = 320;

  private final String items;
  private final String queueVariable;
  private final Guard guard;
  private final LongAdder arrived = new LongAdder();
  // The first of those that never arrived, the others of those that had: what once counts as
  // created is never taken back, or a counter would fall.
  private final LongAdder turnedAway = new LongAdder();
  private final LongAdder displaced = new LongAdder();
  private final LongAdder evicted = new LongAdder();
  private final LongAdder delivered = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder repeated = new LongAdder();
  private final LongAdder spooled = new LongAdder();
  private final AtomicBoolean lateLogged = new AtomicBoolean();
  private final AtomicLong heldBytes = new AtomicLong();
  private final AtomicLong lostAtFlush = new AtomicLong();
  private final Set<Request> open = ConcurrentHashMap.newKeySet();
  private volatile long share = Long.MAX_VALUE;
  private volatile @Nullable Memory memory;
  private volatile long itemBytes = OBJECT_BYTES + FIRST_WIRE_BYTES;
  private volatile @Nullable ItemQueue<?> queue;
  private volatile @Nullable String reason;
  private volatile boolean limitedByMemory = true;
  private volatile boolean used;
  private volatile boolean takingOver;

  // Of whoever calls logDropped, one thread at a time.
  private long evictedLogged;
  private long turnedAwayLogged;
  private final Throttle throttle = new Throttle();

  /**
   * @param items what they are called, e.g. {@code spans}
   * @param queueVariable what says how many may wait
   */
  Ledger(String items, String queueVariable, Guard guard) {
    this.items = items;
    this.queueVariable = queueVariable;
    this.guard = guard;
  }

  /** The name for files. */
  String signal() {
    return items.replace(' ', '-');
  }

  String items() {
    return items;
  }

  /** Whether what is counted are points of metrics. */
  boolean isOfPoints() {
    return items.equals(METRIC_POINTS);
  }

  /**
   * @param share bytes that this may hold while others hold theirs
   * @param memory what this has together with others
   */
  void limit(long share, Memory memory) {
    this.share = share;
    this.memory = memory;
    memory.add(this);
  }

  long share() {
    return share;
  }

  /** Bytes that all that waits here holds now, encoded or not. */
  long usedBytes() {
    ItemQueue<?> waiting = queue;
    return heldBytes.get() + (waiting == null ? 0 : waiting.size() * itemBytes);
  }

  private long maxBytes() {
    Memory ofAll = memory;
    return ofAll == null ? share : ofAll.limit(this);
  }

  /** Bytes that one message may take, so that few of them at once fill the memory. */
  int maxMessageBytes() {
    return (int) Math.max(SMALLEST_MESSAGE_BYTES, Math.min(MAX_MESSAGE_BYTES, share / 2));
  }

  /** A queue whose items count as created, and whose capacity follows the memory that is left. */
  <T> ItemQueue<T> newQueue(int maxItems) {
    use();
    limitedByMemory = maxItems == Integer.MAX_VALUE;
    long mostThatFit = Math.min(maxBytes() / OBJECT_BYTES, 1 << 24);
    ItemQueue<T> made = new ItemQueue<>((int) Math.max(1, Math.min(maxItems, mostThatFit)));
    queue = made;
    adjust();
    return made;
  }

  /** Something is exported that this counts. */
  void use() {
    used = true;
  }

  /** Records the counts as metrics, where there is something to count. */
  void record(Meter meter, String prefix, String created, String unit) {
    if (!used) {
      return;
    }
    String what = Character.toUpperCase(items.charAt(0)) + items.substring(1);
    ObservableLongMeasurement ended = count(meter, created, what + " to be delivered", unit);
    ObservableLongMeasurement exported =
        count(
            meter, prefix + DeliveryKeys.EXPORTED, what + " that the receiver acknowledged", unit);
    ObservableLongMeasurement refused =
        count(
            meter,
            prefix + DeliveryKeys.FAILED,
            what + " that the receiver refused, or that were given up",
            unit);
    ObservableLongMeasurement left =
        count(meter, prefix + DeliveryKeys.DROPPED, what + " for which there was no room", unit);
    ObservableLongMeasurement twice =
        count(
            meter,
            prefix + DeliveryKeys.REPEATED,
            what + " that were sent again, and may have arrived twice",
            unit);
    ObservableLongMeasurement waiting =
        level(meter, prefix + DeliveryKeys.WAITING, what + " that wait, or are on their way", unit);
    ObservableLongMeasurement stored =
        level(meter, prefix + DeliveryKeys.SPOOLED, what + " on disk", unit);
    // All at once, so that they add up in what is exported, too.
    BatchCallback unused =
        meter.batchCallback(
            () -> {
              Delivery.Counts now = counts();
              ended.record(now.created());
              exported.record(now.delivered());
              refused.record(now.failed());
              left.record(now.dropped());
              twice.record(now.repeated());
              waiting.record(now.pending());
              stored.record(now.spooled());
            },
            ended,
            exported,
            refused,
            left,
            twice,
            waiting,
            stored);
  }

  private static ObservableLongMeasurement count(
      Meter meter, String name, String description, String unit) {
    return meter.counterBuilder(name).setDescription(description).setUnit(unit).buildObserver();
  }

  private static ObservableLongMeasurement level(
      Meter meter, String name, String description, String unit) {
    return meter
        .upDownCounterBuilder(name)
        .setDescription(description)
        .setUnit(unit)
        .buildObserver();
  }

  void arrived(long count) {
    arrived.add(count);
  }

  void turnedAway(long count) {
    turnedAway.add(count);
  }

  /** Books an item that came after the close, and says so the first time. */
  void late() {
    turnedAway.increment();
    if (lateLogged.compareAndSet(false, true)) {
      guard.run(
          "Logger.warn",
          () ->
              Suppression.run(
                  () ->
                      logger.warn(
                          "{} that come after telemetry was closed are dropped: close it once all"
                              + " that records is through",
                          items)));
    }
  }

  /** How many the receiver acknowledged. */
  long delivered() {
    return delivered.sum();
  }

  void repeated(long count) {
    repeated.add(count);
  }

  void opened(Request request) {
    open.add(request);
  }

  /** Others have its items. */
  void withdrawn(Request request) {
    open.remove(request);
  }

  /** Books what became of a request's items; each request comes here once. */
  void settled(Request request, long failedItems, @Nullable String failedReason) {
    failed.add(failedItems);
    delivered.add(request.items() - failedItems);
    if (failedReason != null && failedItems > 0) {
      reason = failedReason;
    }
    open.remove(request);
  }

  /** Books the items of a request for which there was no memory. */
  void displaced(Request request) {
    displaced.add(request.items());
    open.remove(request);
  }

  /** Books the items of a request that is on disk now. */
  void spooled(Request request) {
    spooled.add(request.items());
    open.remove(request);
  }

  /** Another process may have left something on disk. */
  void awaitTakeOver() {
    takingOver = true;
  }

  /** Whether it is not known yet what another process has left. */
  boolean isTakingOver() {
    return takingOver;
  }

  /** Books what another process has left on disk. */
  void takenOver(long count) {
    spooled.add(count);
    arrived.add(count);
    takingOver = false;
  }

  /** Books what became of items that were on disk. */
  void spooledSettled(long count, long failedItems, @Nullable String failedReason) {
    // First, or they would count twice for a moment.
    spooled.add(-count);
    failed.add(failedItems);
    delivered.add(count - failedItems);
    if (failedReason != null && failedItems > 0) {
      reason = failedReason;
    }
  }

  /** Books items that had to leave the disk. */
  void evicted(long count) {
    spooled.add(-count);
    evicted.add(count);
  }

  /** Items that failed before they came into a request. */
  void failed(long count, String failedReason) {
    failed.add(count);
    reason = failedReason;
  }

  /** Why something could not be delivered, the last time. */
  void failing(String failedReason) {
    reason = failedReason;
  }

  /** Learns from a request how large items are. */
  void measured(int count, long wireBytes) {
    long now = OBJECT_BYTES + wireBytes / Math.max(1, count);
    // Larger ones count at once, smaller ones by and by.
    itemBytes = Math.max(now, (7 * itemBytes + now) / 8);
    changed();
  }

  /**
   * Takes memory for an encoded request. One always has room, however large.
   *
   * @return false where there is none
   */
  boolean hold(long bytes) {
    long before = heldBytes.getAndAdd(bytes);
    // Items of a queue held more before they were encoded.
    if (queue == null && before > 0 && before + bytes > maxBytes()) {
      heldBytes.addAndGet(-bytes);
      return false;
    }
    changed();
    return true;
  }

  /** Takes memory for what leaves it at once, whether there is room or not. */
  void overdraw(long bytes) {
    heldBytes.addAndGet(bytes);
  }

  void release(long bytes) {
    heldBytes.addAndGet(-bytes);
    changed();
  }

  private void changed() {
    Memory ofAll = memory;
    if (ofAll != null) {
      ofAll.changed();
    }
  }

  /** Has the capacity of the queue follow the memory that is left. */
  void adjust() {
    ItemQueue<?> waiting = queue;
    if (waiting != null) {
      waiting.setCapacity((int) Math.min(Integer.MAX_VALUE, room()));
    }
  }

  private long room() {
    return Math.max(0, maxBytes() - heldBytes.get()) / itemBytes;
  }

  Delivery.Counts counts() {
    // Outcomes are read before what was created: an item is never counted twice.
    long deliveredNow = delivered.sum();
    long failedNow = failed.sum();
    long turnedAwayNow = turnedAway.sum();
    long droppedNow = turnedAwayNow + displaced.sum() + evicted.sum();
    long repeatedNow = repeated.sum();
    long spooledNow = spooled.sum();
    ItemQueue<?> waiting = queue;
    long created = arrived.sum() + turnedAwayNow + (waiting == null ? 0 : waiting.added());
    return new Delivery.Counts(
        created,
        deliveredNow,
        failedNow,
        droppedNow,
        spooledNow,
        created - deliveredNow - failedNow - droppedNow - spooledNow,
        repeatedNow);
  }

  private long lost() {
    return failed.sum() + turnedAway.sum() + displaced.sum() + evicted.sum();
  }

  /**
   * Done once what is on its way now is settled; fails where any was lost since the last flush, or
   * is on disk.
   */
  CompletableResultCode flush() {
    List<CompletableResultCode> waiting = new ArrayList<>();
    for (Request request : open) {
      waiting.add(request.settled());
    }
    CompletableResultCode result = new CompletableResultCode();
    CompletableResultCode.ofAll(waiting)
        .whenComplete(
            () -> {
              long lost = lost();
              if (lostAtFlush.getAndSet(lost) == lost && spooled.sum() == 0 && !takingOver) {
                result.succeed();
              } else {
                result.fail();
              }
            });
    return result;
  }

  /** Gives up what is on its way. */
  void abandon() {
    for (Request request : open) {
      String last = reason;
      guard.run(
          "CompletableResultCode.whenComplete",
          () -> request.settle(request.items(), last == null ? NO_ANSWER : last));
    }
  }

  /** Why something was lost or waits, as far as is known. */
  @Nullable String reason() {
    return reason;
  }

  /** At most once a minute, unless it is the last time. */
  void logDropped(boolean last) {
    long ofDisk = evicted.sum();
    long ofMemory = turnedAway.sum() + displaced.sum();
    long since = ofDisk - evictedLogged + ofMemory - turnedAwayLogged;
    if (since == 0 || !(throttle.mayLog() || last)) {
      return;
    }
    List<String> limits = new ArrayList<>();
    if (ofMemory > turnedAwayLogged) {
      limits.add(limitedByMemory ? "TELEMETRY_DELIVERY_MEMORY_MB" : queueVariable);
    }
    if (ofDisk > evictedLogged) {
      limits.add("TELEMETRY_SPOOL_SIZE_MB");
    }
    evictedLogged = ofDisk;
    turnedAwayLogged = ofMemory;
    String why = reason;
    guard.run(
        "Logger.warn",
        () ->
            logger.warn(
                "{} {} were dropped: no more may wait for their delivery ({}){}",
                since,
                items,
                String.join(", ", limits),
                why == null ? "" : "; it fails: " + why));
  }
}
