// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Exports ended spans in batches, on one thread of its own. */
final class BatchExport {

  private static final Logger logger = LoggerFactory.getLogger(BatchExport.class);
  private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final SpanExporter exporter;
  private final BatchSettings settings;
  private final Guard guard;
  private final SpanQueue queue;
  private final LongAdder dropped = new LongAdder();
  private final LongAdder exported = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final Queue<CompletableResultCode> flushes = new ConcurrentLinkedQueue<>();
  private final Thread worker;
  private volatile boolean closing;
  private volatile boolean stopping;
  private volatile boolean ended;
  private volatile boolean waiting;

  // Of the worker alone.
  private List<SpanData> batch = new ArrayList<>();
  private long nextExport;
  private boolean allDelivered = true;
  private long droppedAtLastFlush;
  private long droppedLogged;
  private long droppedLoggedAtNanos;

  BatchExport(SpanExporter exporter, BatchSettings settings, Guard guard) {
    this.exporter = exporter;
    this.settings = settings;
    this.guard = guard;
    queue = new SpanQueue(settings.maxQueueSize());
    worker = new Thread(this::work, "telemetry-span-export");
    worker.setDaemon(true);
    worker.start();
  }

  /** Never waits: a full queue drops the span and counts it. */
  void add(ReadableSpan span) {
    if (!queue.offer(span)) {
      dropped.increment();
    } else if (waiting && queue.size() >= settings.maxExportBatchSize()) {
      waiting = false;
      LockSupport.unpark(worker);
    }
  }

  SpanCounts counts() {
    long droppedNow = dropped.sum();
    return new SpanCounts(
        queue.added() + droppedNow, droppedNow, exported.sum(), failed.sum(), queue.size());
  }

  /**
   * Exports what has ended by now.
   *
   * @return fails where an export failed or a span was dropped since the last flush, and where
   *     spans ended after the shutdown
   */
  CompletableResultCode flush() {
    CompletableResultCode result = new CompletableResultCode();
    flushes.add(result);
    LockSupport.unpark(worker);
    // Asked after the flush is in the queue: it is answered here, or by the worker as it ends.
    if (ended) {
      answerFlushes(flushes.size(), queue.size() == 0);
    }
    return result;
  }

  /** Exports what has ended by now, then ends the worker and shuts the exporter down. */
  CompletableResultCode shutdown() {
    closing = true;
    CompletableResultCode flushed = flush();
    CompletableResultCode result = new CompletableResultCode();
    flushed.whenComplete(
        () -> {
          stopping = true;
          LockSupport.unpark(worker);
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

  private CompletableResultCode closeExporter() {
    try {
      return requireNonNull(exporter.shutdown());
    } catch (Throwable t) {
      guard.caught("SpanExporter.shutdown", t);
      return CompletableResultCode.ofFailure();
    }
  }

  private void work() {
    nextExport = System.nanoTime() + settings.scheduleDelay().toNanos();
    try {
      while (!stopping) {
        try {
          exportWhatIsDue();
          logDropped();
        } catch (Throwable t) {
          caught(t);
        }
        rest();
      }
    } finally {
      ended = true;
      answerFlushes(flushes.size(), queue.size() == 0);
    }
  }

  /** What is fatal goes to whoever watches over the process; nobody but this thread exports. */
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
    } else if (isBatchFull() || System.nanoTime() >= nextExport) {
      exportBatch();
      nextExport = System.nanoTime() + settings.scheduleDelay().toNanos();
    }
  }

  private boolean isBatchFull() {
    return queue.size() >= settings.maxExportBatchSize();
  }

  private void rest() {
    waiting = true;
    // Asked again after the flag is up, so that no wake-up falls between.
    if (flushes.isEmpty() && !stopping && !isBatchFull()) {
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
    while (count > 0) {
      int taken = exportBatch();
      count -= taken;
      if (taken == 0) {
        // A producer has its place in the queue, and not yet put its span there.
        Thread.onSpinWait();
      }
    }
    logDropped();
    long droppedNow = dropped.sum();
    boolean delivered = allDelivered && droppedNow == droppedAtLastFlush;
    allDelivered = true;
    droppedAtLastFlush = droppedNow;
    answerFlushes(asked, delivered);
  }

  /** How many spans there were to export: a batch at the most. */
  private int exportBatch() {
    int taken = 0;
    for (; taken < settings.maxExportBatchSize(); taken++) {
      ReadableSpan span = queue.poll();
      if (span == null) {
        break;
      }
      try {
        batch.add(span.toSpanData());
      } catch (Throwable t) {
        allDelivered = false;
        failed.increment();
        guard.caught("ReadableSpan.toSpanData", t);
      }
    }
    export();
    return taken;
  }

  private void export() {
    if (batch.isEmpty()) {
      return;
    }
    List<SpanData> spans = batch;
    // Until the exporter has answered, it may read the list, however late that is.
    batch = new ArrayList<>();
    int count = spans.size();
    boolean delivered = false;
    try {
      CompletableResultCode result = exporter.export(spans);
      result.join(settings.exportTimeout().toNanos(), TimeUnit.NANOSECONDS);
      delivered = result.isSuccess();
      if (result.isDone()) {
        spans.clear();
        batch = spans;
      }
    } catch (Throwable t) {
      guard.caught("SpanExporter.export", t);
    } finally {
      allDelivered &= delivered;
      (delivered ? exported : failed).add(count);
    }
  }

  /** At most once a minute, and in any case before a shutdown is answered. */
  private void logDropped() {
    long now = dropped.sum();
    boolean quiet = droppedLogged > 0 && System.nanoTime() - droppedLoggedAtNanos < QUIET_NANOS;
    if (now == droppedLogged || (quiet && !closing)) {
      return;
    }
    long since = now - droppedLogged;
    droppedLogged = now;
    droppedLoggedAtNanos = System.nanoTime();
    logger.warn(
        "{} spans were dropped: more than {} waited for their export (OTEL_BSP_MAX_QUEUE_SIZE)",
        since,
        settings.maxQueueSize());
  }

  private void answerFlushes(int count, boolean delivered) {
    for (int i = 0; i < count; i++) {
      CompletableResultCode flush = flushes.poll();
      if (flush == null) {
        return;
      }
      if (delivered) {
        flush.succeed();
      } else {
        flush.fail();
      }
    }
  }

  @Override
  public String toString() {
    return "BatchExport{exporter=" + exporter + ", settings=" + settings + "}";
  }
}
