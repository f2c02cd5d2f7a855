// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.internals.Suppression;
import io.opentelemetry.sdk.common.CompletableResultCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Exports what was recorded in batches, on one thread of its own.
 *
 * @param <T> what was recorded
 * @param <D> its data, as exporters take it
 */
final class BatchExport<T, D> {

  private static final String TOO_LATE = "there was no time left to send it";

  private static final Duration LONGEST_PATIENCE = Duration.ofDays(1);

  private final BatchTarget<T, D> target;
  private final BatchSettings settings;
  private final Ledger ledger;
  private final Guard guard;
  private final ItemQueue<T> queue;
  private final Queue<CompletableResultCode> flushes = new ConcurrentLinkedQueue<>();
  private final Thread worker;
  private volatile boolean closing;
  private volatile boolean stopping;
  private volatile boolean ended;
  private volatile boolean waiting;
  private volatile boolean direct;
  private volatile long patienceNanos;
  // How many were delivered when a thread that sends directly had waited in vain; -1 for none.
  private volatile long silentAt = -1;
  // Exporters need not bear two threads at once. The application's take it only while telemetry
  // stops.
  private final ReentrantLock exporting = new ReentrantLock();

  // Of the worker alone.
  private List<D> batch = new ArrayList<>();
  private long nextExport;

  BatchExport(
      String threadName,
      BatchTarget<T, D> target,
      BatchSettings settings,
      Ledger ledger,
      Guard guard) {
    this.target = target;
    this.settings = settings;
    this.ledger = ledger;
    this.guard = guard;
    queue = ledger.newQueue(settings.maxQueueSize());
    worker = new Thread(this::work, threadName);
    worker.setDaemon(true);
    worker.start();
  }

  /**
   * Never waits, unless {@link #sendDirectly} says so: a full queue drops the item and counts it.
   */
  void add(T item) {
    if (stopping) {
      ledger.late();
    } else if (direct && !isSilent()) {
      sendNow(item);
    } else if (!queue.offer(item)) {
      ledger.turnedAway(1);
    } else if (direct || (waiting && queue.size() >= settings.maxExportBatchSize())) {
      waiting = false;
      LockSupport.unpark(worker);
    }
  }

  /**
   * From now on whatever thread adds an item sends it, and waits for the answer: the JVM stops, and
   * nobody may be there later to do it.
   *
   * @param patience how long each waits; once one has waited in vain, the others don't wait until
   *     something is delivered
   */
  void sendDirectly(Duration patience) {
    patienceNanos =
        patience.compareTo(LONGEST_PATIENCE) < 0 ? patience.toNanos() : LONGEST_PATIENCE.toNanos();
    direct = true;
    LockSupport.unpark(worker);
  }

  private boolean isSilent() {
    return silentAt >= 0 && silentAt == ledger.delivered();
  }

  private void sendNow(T item) {
    ledger.arrived(1);
    long deadline = System.nanoTime() + patienceNanos;
    Request request = new Request(ledger, 1, false);
    String reason = TOO_LATE;
    boolean delivered = false;
    try {
      List<D> data = List.of(target.data(item));
      CompletableResultCode result = CompletableResultCode.ofFailure();
      boolean taken = false;
      if (exporting.tryLock(patienceNanos, TimeUnit.NANOSECONDS)) {
        try {
          request.begin();
          result = Suppression.call(() -> target.export(data));
        } finally {
          taken = request.end();
          exporting.unlock();
        }
      }
      CompletableResultCode answer = taken ? request.settled() : result;
      answer.join(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      delivered = answer.isSuccess();
      if (!answer.isDone()) {
        silentAt = ledger.delivered();
      }
      if (taken) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable t) {
      reason = "the exporter threw " + t;
      guard.caught(target.type() + ".export", t);
    }
    request.settle(delivered ? 0 : 1, reason);
  }

  /**
   * Exports what was recorded by now; done once a receiver has answered.
   *
   * @return fails where an export failed or an item was dropped since the last flush, and where
   *     some were recorded after the shutdown
   */
  CompletableResultCode flush() {
    CompletableResultCode result = new CompletableResultCode();
    flushes.add(result);
    LockSupport.unpark(worker);
    // Asked after the flush is in the queue: it is answered here, or by the worker as it ends.
    if (ended) {
      answer(asked(flushes.size()), ledger.flush().isSuccess() && queue.size() == 0);
    }
    return result;
  }

  /** Exports what was recorded by now, then ends the worker and shuts the exporter down. */
  CompletableResultCode shutdown() {
    closing = true;
    CompletableResultCode flushed = flush();
    CompletableResultCode result = new CompletableResultCode();
    flushed.whenComplete(
        () -> {
          stop();
          CompletableResultCode closed = closeExporter();
          closed.whenComplete(
              () -> {
                if (flushed.isSuccess() && closed.isSuccess()) {
                  result.succeed();
                } else {
                  result.fail();
                }
              });
        });
    return result;
  }

  /** Ends the worker; what waits then has failed. */
  void stop() {
    stopping = true;
    LockSupport.unpark(worker);
  }

  /** Waits for the worker to end. */
  void join(long millis) throws InterruptedException {
    worker.join(Math.max(1, millis));
  }

  private CompletableResultCode closeExporter() {
    try {
      return requireNonNull(target.shutdown());
    } catch (Throwable t) {
      guard.caught(target.type() + ".shutdown", t);
      return CompletableResultCode.ofFailure();
    }
  }

  private void work() {
    nextExport = System.nanoTime() + settings.scheduleDelay().toNanos();
    try {
      while (!stopping) {
        try {
          exportWhatIsDue();
          ledger.logDropped(closing);
        } catch (Throwable t) {
          caught(t);
        }
        rest();
      }
    } finally {
      ended = true;
      giveUp();
      answer(asked(flushes.size()), ledger.flush().isSuccess() && queue.size() == 0);
    }
  }

  private void giveUp() {
    long count = 0;
    while (queue.size() > 0 && queue.poll() != null) {
      count++;
    }
    if (count > 0) {
      String reason = ledger.reason();
      ledger.failed(count, reason == null ? Ledger.NO_ANSWER : reason);
    }
  }

  /** A fatal error goes to the uncaught exception handler; nobody but this thread exports. */
  private void caught(Throwable thrown) {
    try {
      guard.caught("BatchExport.work", thrown);
    } catch (VirtualMachineError fatal) {
      worker.getUncaughtExceptionHandler().uncaughtException(worker, fatal);
    }
  }

  private void exportWhatIsDue() {
    if (!flushes.isEmpty()) {
      exportAllThatWait();
    } else if (isBatchFull() || System.nanoTime() >= nextExport || isLate()) {
      exportBatch();
      nextExport = System.nanoTime() + settings.scheduleDelay().toNanos();
    }
  }

  private boolean isBatchFull() {
    return queue.size() >= settings.maxExportBatchSize();
  }

  /** Whether items came into the queue while the others began to be sent directly. */
  private boolean isLate() {
    return direct && queue.size() > 0;
  }

  private void rest() {
    waiting = true;
    // Asked again after the flag is up, so that no wake-up falls between.
    if (flushes.isEmpty() && !stopping && !isBatchFull() && !isLate()) {
      LockSupport.parkNanos(this, Math.max(1, nextExport - System.nanoTime()));
    }
    waiting = false;
    // Someone else's interrupt would let this thread neither rest nor wait for an export.
    Thread.interrupted();
  }

  private void exportAllThatWait() {
    // Only flushes that were asked for before the count below are answered by it.
    int asked = flushes.size();
    long count = queue.size();
    while (count > 0 && !stopping) {
      int taken = exportBatch();
      count -= taken;
      if (taken == 0) {
        // A producer has its place in the queue, and not yet put its item there.
        Thread.onSpinWait();
      }
    }
    ledger.logDropped(closing);
    List<CompletableResultCode> answered = asked(asked);
    CompletableResultCode settled = ledger.flush();
    settled.whenComplete(() -> answer(answered, settled.isSuccess()));
  }

  /** How many items there were to export, up to a batch. */
  private int exportBatch() {
    int taken = 0;
    for (; taken < settings.maxExportBatchSize(); taken++) {
      T item = queue.poll();
      if (item == null) {
        break;
      }
      try {
        batch.add(target.data(item));
      } catch (Throwable t) {
        ledger.failed(1, "its data could not be read: " + t);
        guard.caught("toData", t);
      }
    }
    export();
    return taken;
  }

  private void export() {
    if (batch.isEmpty()) {
      return;
    }
    List<D> exported = batch;
    // Until the exporter has answered, it may read the list, however late that is.
    batch = new ArrayList<>();
    if (export(exported)) {
      exported.clear();
      batch = exported;
    }
  }

  /** False where the exporter may still read the list. */
  private boolean export(List<D> exported) {
    Request request = new Request(ledger, exported.size(), exported.size() > 1);
    boolean delivered = false;
    boolean done = false;
    String reason = "the exporter did not deliver it";
    request.begin();
    exporting.lock();
    try {
      CompletableResultCode result = Suppression.call(() -> target.export(exported));
      result.join(settings.exportTimeout().toNanos(), TimeUnit.NANOSECONDS);
      delivered = result.isSuccess();
      done = result.isDone();
    } catch (Throwable t) {
      reason = "the exporter threw " + t;
      guard.caught(target.type() + ".export", t);
    } finally {
      if (!request.end() && !request.isTooLarge()) {
        request.settle(delivered ? 0 : request.items(), reason);
      }
      exporting.unlock();
    }
    if (request.isTooLarge() && request.withdraw()) {
      int half = exported.size() / 2;
      boolean unused = export(new ArrayList<>(exported.subList(0, half)));
      unused = export(new ArrayList<>(exported.subList(half, exported.size())));
    }
    return done;
  }

  private List<CompletableResultCode> asked(int count) {
    List<CompletableResultCode> asked = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      CompletableResultCode flush = flushes.poll();
      if (flush != null) {
        asked.add(flush);
      }
    }
    return asked;
  }

  private static void answer(List<CompletableResultCode> asked, boolean delivered) {
    for (CompletableResultCode flush : asked) {
      if (delivered) {
        flush.succeed();
      } else {
        flush.fail();
      }
    }
  }

  @Override
  public String toString() {
    return "BatchExport{target=" + target + ", settings=" + settings + "}";
  }
}
