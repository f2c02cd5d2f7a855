// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

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
import org.jspecify.annotations.Nullable;
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
  private final Queue<CompletableResultCode> flushes = new ConcurrentLinkedQueue<>();
  private final Thread worker;
  private volatile boolean stopping;
  private volatile boolean waiting;

  // Of the worker alone.
  private List<SpanData> batch = new ArrayList<>();
  private boolean allDelivered = true;
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

  /**
   * Exports what has ended by now.
   *
   * @return fails where an export failed or a span was dropped since the last flush
   */
  CompletableResultCode flush() {
    CompletableResultCode result = new CompletableResultCode();
    flushes.add(result);
    LockSupport.unpark(worker);
    if (!worker.isAlive()) {
      completeFlushes(true);
    }
    return result;
  }

  /** Exports what has ended by now, then ends the worker and shuts the exporter down. */
  CompletableResultCode shutdown() {
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
      return exporter.shutdown();
    } catch (Throwable t) {
      guard.caught("SpanExporter.shutdown", t);
      return CompletableResultCode.ofFailure();
    }
  }

  private void work() {
    long nextExport = System.nanoTime() + settings.scheduleDelay().toNanos();
    while (!stopping) {
      if (!flushes.isEmpty()) {
        exportWaiting();
      } else {
        drain();
        if (batch.size() >= settings.maxExportBatchSize() || System.nanoTime() >= nextExport) {
          export();
          nextExport = System.nanoTime() + settings.scheduleDelay().toNanos();
        }
      }
      logDropped();
      if (queue.size() + batch.size() < settings.maxExportBatchSize()) {
        waiting = true;
        // Asked again after the flag is up, so that no wake-up falls between.
        if (flushes.isEmpty()
            && !stopping
            && queue.size() + batch.size() < settings.maxExportBatchSize()) {
          LockSupport.parkNanos(this, Math.max(1, nextExport - System.nanoTime()));
        }
        waiting = false;
      }
    }
    completeFlushes(true);
  }

  private void exportWaiting() {
    // Only flushes that were asked for before the count below are answered by it.
    int asked = flushes.size();
    long count = queue.size();
    while (count > 0) {
      int before = batch.size();
      drain();
      count -= batch.size() - before;
      if (batch.size() >= settings.maxExportBatchSize()) {
        export();
      } else if (batch.size() == before) {
        Thread.onSpinWait();
      }
    }
    export();
    boolean delivered = allDelivered && dropped.sum() == droppedAtLastFlush;
    allDelivered = true;
    droppedAtLastFlush = dropped.sum();
    for (int i = 0; i < asked; i++) {
      complete(flushes.poll(), delivered);
    }
  }

  private long droppedAtLastFlush;

  private void drain() {
    while (batch.size() < settings.maxExportBatchSize()) {
      ReadableSpan span = queue.poll();
      if (span == null) {
        return;
      }
      batch.add(span.toSpanData());
    }
  }

  private void export() {
    if (batch.isEmpty()) {
      return;
    }
    List<SpanData> exported = batch;
    CompletableResultCode result;
    try {
      result = exporter.export(exported);
      result.join(settings.exportTimeout().toNanos(), TimeUnit.NANOSECONDS);
    } catch (Throwable t) {
      guard.caught("SpanExporter.export", t);
      result = CompletableResultCode.ofFailure();
    }
    if (!result.isSuccess()) {
      allDelivered = false;
    }
    if (result.isDone()) {
      exported.clear();
    } else {
      // An exporter that is late may still read the list.
      batch = new ArrayList<>();
    }
  }

  private void logDropped() {
    long now = dropped.sum();
    if (now == droppedLogged
        || (droppedLogged != 0 && System.nanoTime() - droppedLoggedAtNanos < QUIET_NANOS)) {
      return;
    }
    logger.warn(
        "{} spans were dropped: more than {} waited for their export (OTEL_BSP_MAX_QUEUE_SIZE)",
        now - droppedLogged,
        settings.maxQueueSize());
    droppedLogged = now;
    droppedLoggedAtNanos = System.nanoTime();
  }

  private void completeFlushes(boolean delivered) {
    CompletableResultCode flush;
    while ((flush = flushes.poll()) != null) {
      complete(flush, delivered);
    }
  }

  private static void complete(@Nullable CompletableResultCode flush, boolean delivered) {
    if (flush == null) {
      return;
    }
    if (delivered) {
      flush.succeed();
    } else {
      flush.fail();
    }
  }

  @Override
  public String toString() {
    return "BatchExport{exporter=" + exporter + ", settings=" + settings + "}";
  }
}
