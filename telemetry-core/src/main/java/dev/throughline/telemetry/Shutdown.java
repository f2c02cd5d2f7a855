// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import dev.throughline.telemetry.delivery.Delivery;
import dev.throughline.telemetry.delivery.Outbox;
import dev.throughline.telemetry.instrument.Segments;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Flushes and stops an SDK within a deadline, also when the JVM stops. Then the SDK stays open for
 * as long as other shutdown hooks run, which may wait for requests that are still recorded.
 */
final class Shutdown {

  private static final Logger logger = LoggerFactory.getLogger(Telemetry.class);

  private final OpenTelemetrySdk sdk;
  private final Outbox outbox;
  private final Duration timeout;
  private final @Nullable Segments segments;
  private final JvmStop stop = new JvmStop(this::beginStop, this::endStop);
  private final boolean isWatching;
  private final Part spans;
  private final Part logRecords;
  private final Part metrics;
  private volatile boolean closed;
  // Whether all was answered as the JVM began to stop.
  private boolean begun;

  /** The delivery of one signal, and how many of its items are delivered. */
  private static final class Part {

    final Supplier<CompletableResultCode> flush;
    private final LongSupplier delivered;
    private CompletableResultCode last = CompletableResultCode.ofSuccess();
    private long deliveredThen;

    Part(Supplier<CompletableResultCode> flush, LongSupplier delivered) {
      this.flush = flush;
      this.delivered = delivered;
    }

    CompletableResultCode flush() {
      deliveredThen = delivered.getAsLong();
      last = flush.get();
      return last;
    }

    /** Whether its receiver has answered nothing since the last flush began, which waits. */
    boolean isStuck() {
      return !last.isDone() && delivered.getAsLong() == deliveredThen;
    }
  }

  Shutdown(OpenTelemetrySdk sdk, Outbox outbox, Duration timeout, @Nullable Segments segments) {
    this.sdk = sdk;
    this.outbox = outbox;
    this.timeout = timeout;
    this.segments = segments;
    spans =
        new Part(sdk.getSdkTracerProvider()::forceFlush, () -> outbox.counts().spans().delivered());
    logRecords =
        new Part(
            sdk.getSdkLoggerProvider()::forceFlush, () -> outbox.counts().logRecords().delivered());
    metrics =
        new Part(
            sdk.getSdkMeterProvider()::forceFlush,
            () -> outbox.counts().metricPoints().delivered());
    isWatching = stop.register();
  }

  static boolean flush(OpenTelemetrySdk sdk, Duration timeout) {
    return within(
        timeout,
        "telemetry-flush",
        List.of(sdk.getSdkTracerProvider()::forceFlush, sdk.getSdkLoggerProvider()::forceFlush),
        List.of(sdk.getSdkMeterProvider()::forceFlush));
  }

  Delivery flush(Duration timeout) {
    // Once closed, OpenTelemetry's own processors would never answer.
    boolean wasClosed = closed;
    boolean complete =
        wasClosed
            ? within(
                timeout,
                "telemetry-flush",
                List.of(sdk.getSdkTracerProvider()::forceFlush),
                List.of())
            : flush(sdk, timeout);
    Delivery counts = outbox.counts();
    // Nobody was told by a flush of all that was lost as it closed.
    return counts.withComplete(complete && (!wasClosed || counts.complete()));
  }

  Delivery delivery() {
    return outbox.counts();
  }

  /** A second call waits for the first. While the JVM stops, this only flushes. */
  void close() {
    if (isWatching && JvmStop.isUnderWay()) {
      // Whatever the others still record is sent, and what is lost is told, once they are through.
      flush(timeout);
      return;
    }
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      boolean stopped =
          within(
              timeout,
              "telemetry-close",
              List.of(
                  this::endSegments,
                  // Not before the segments, which may be many: they wait for nobody, and go out in
                  // batches.
                  this::sendDirectly,
                  sdk.getSdkTracerProvider()::shutdown,
                  sdk.getSdkLoggerProvider()::shutdown),
              List.of(sdk.getSdkMeterProvider()::shutdown));
      outbox.abandon();
      stop.unregister();
      warnOfLoss(stopped);
    }
  }

  private synchronized void beginStop() {
    if (closed || begun) {
      return;
    }
    begun = true;
    boolean unused =
        within(
            timeout,
            "telemetry-close",
            List.of(this::endSegments, this::sendDirectly, spans::flush, logRecords::flush),
            List.of(metrics::flush));
  }

  private synchronized void endStop() {
    if (closed) {
      return;
    }
    closed = true;
    boolean unused =
        within(timeout, "telemetry-close", flushes(spans, logRecords), flushes(metrics));
    outbox.abandon();
    warnOfLoss(true);
  }

  /** Those whose receivers answer. */
  private static List<Supplier<CompletableResultCode>> flushes(Part... parts) {
    List<Supplier<CompletableResultCode>> flushes = new ArrayList<>();
    for (Part part : parts) {
      if (!part.isStuck()) {
        flushes.add(part::flush);
      }
    }
    return flushes;
  }

  private void warnOfLoss(boolean stopped) {
    Delivery delivery = outbox.counts();
    StringBuilder lost = new StringBuilder();
    append(lost, delivery.spans(), "spans");
    append(lost, delivery.logRecords(), "log records");
    append(lost, delivery.metricPoints(), "metric points");
    if (!lost.isEmpty()) {
      String reasons = outbox.reasons();
      warn(
          "Telemetry closed, and not all was delivered: {}; closing may take {} ms"
              + " (TELEMETRY_CLOSE_TIMEOUT){}",
          lost,
          timeout.toMillis(),
          reasons.isEmpty() ? "" : "; " + reasons);
    } else if (!stopped && !isAnySpooled(delivery)) {
      warn("Telemetry closed, but not all of it stopped within {} ms", timeout.toMillis());
    }
  }

  /** Items on disk were not delivered either, and are not lost. */
  private static boolean isAnySpooled(Delivery delivery) {
    return delivery.spans().spooled() > 0
        || delivery.logRecords().spooled() > 0
        || delivery.metricPoints().spooled() > 0;
  }

  private static void append(StringBuilder lost, Delivery.Counts counts, String items) {
    // Items that are pending now never arrive.
    long missing = counts.lost() + counts.pending();
    if (missing > 0) {
      lost.append(lost.isEmpty() ? "" : ", ")
          .append(missing)
          .append(" of ")
          .append(counts.created())
          .append(' ')
          .append(items)
          .append(" lost");
      if (counts.dropped() > 0) {
        lost.append(" (").append(counts.dropped()).append(" dropped)");
      }
    }
  }

  private CompletableResultCode sendDirectly() {
    outbox.sendDirectly(timeout);
    return CompletableResultCode.ofSuccess();
  }

  private CompletableResultCode endSegments() {
    if (segments != null) {
      segments.close();
    }
    return CompletableResultCode.ofSuccess();
  }

  /**
   * Waits for what the parts of an SDK are asked to do, on a thread of its own since some of them
   * block their caller for seconds; an interrupt does not cut the wait short, since what waits here
   * is what a stopping application has still to say.
   *
   * @param then what is asked once the first are through, or half of the time is over: metrics tell
   *     how the delivery of all else went, and their reader blocks its caller for as long as its
   *     receiver hangs
   */
  private static boolean within(
      Duration timeout,
      String threadName,
      List<Supplier<CompletableResultCode>> first,
      List<Supplier<CompletableResultCode>> then) {
    CountDownLatch done = new CountDownLatch(1);
    AtomicBoolean delivered = new AtomicBoolean();
    Thread thread =
        new Thread(
            () -> {
              List<CompletableResultCode> results = ask(first, threadName);
              CompletableResultCode.ofAll(results).join(nanos(timeout) / 2, TimeUnit.NANOSECONDS);
              results.addAll(ask(then, threadName));
              CompletableResultCode result = CompletableResultCode.ofAll(results);
              result.whenComplete(
                  () -> {
                    delivered.set(result.isSuccess());
                    done.countDown();
                  });
            },
            threadName);
    thread.setDaemon(true);
    boolean interrupted = false;
    long deadline = System.nanoTime() + nanos(timeout);
    try {
      thread.start();
      while (true) {
        try {
          return done.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS) && delivered.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (Throwable t) {
      // No thread to be had: out of memory, or of processes.
      warn("{} failed", threadName, t);
      return false;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static List<CompletableResultCode> ask(
      List<Supplier<CompletableResultCode>> parts, String threadName) {
    List<CompletableResultCode> results = new ArrayList<>();
    for (Supplier<CompletableResultCode> part : parts) {
      try {
        results.add(part.get());
      } catch (Throwable t) {
        warn("{} failed", threadName, t);
        results.add(CompletableResultCode.ofFailure());
      }
    }
    return results;
  }

  private static long nanos(Duration timeout) {
    try {
      return timeout.toNanos();
    } catch (ArithmeticException e) {
      return timeout.isNegative() ? 0 : Long.MAX_VALUE;
    }
  }

  /** A logging back end that throws does not keep an application from stopping. */
  private static void warn(String message, Object... arguments) {
    try {
      logger.warn(message, arguments);
    } catch (RuntimeException e) {
      // There is nowhere left to say it.
    }
  }
}
