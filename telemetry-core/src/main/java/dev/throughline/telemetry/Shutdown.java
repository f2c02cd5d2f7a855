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
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Flushes and stops an SDK within a deadline, also when the JVM stops. */
final class Shutdown {

  private static final Logger logger = LoggerFactory.getLogger(Telemetry.class);

  private final OpenTelemetrySdk sdk;
  private final Outbox outbox;
  private final Duration timeout;
  private final @Nullable Segments segments;
  private final Thread hook = new Thread(() -> close(true), "telemetry-shutdown-hook");
  private volatile boolean closed;

  Shutdown(OpenTelemetrySdk sdk, Outbox outbox, Duration timeout, @Nullable Segments segments) {
    this.sdk = sdk;
    this.outbox = outbox;
    this.timeout = timeout;
    this.segments = segments;
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException e) {
      logger.debug("The JVM is stopping already; telemetry closes when it is told to", e);
    }
  }

  // Below, metrics come last: their reader blocks its caller for as long as its receiver hangs.

  static boolean flush(OpenTelemetrySdk sdk, Duration timeout) {
    return within(timeout, "telemetry-flush", flushing(sdk));
  }

  private static List<Supplier<CompletableResultCode>> flushing(OpenTelemetrySdk sdk) {
    return List.of(
        sdk.getSdkTracerProvider()::forceFlush,
        sdk.getSdkLoggerProvider()::forceFlush,
        sdk.getSdkMeterProvider()::forceFlush);
  }

  Delivery flush(Duration timeout) {
    // Once closed, OpenTelemetry's own processors would never answer.
    boolean complete =
        closed
            ? within(timeout, "telemetry-flush", List.of(sdk.getSdkTracerProvider()::forceFlush))
            : flush(sdk, timeout);
    return outbox.counts().withComplete(complete);
  }

  Delivery delivery() {
    return outbox.counts();
  }

  void close() {
    close(false);
  }

  /**
   * A second call waits for the first: the JVM stops when its hooks are through. They run at once
   * and in no order, so the SDK stays open there, and what other hooks record is sent as it ends.
   */
  private synchronized void close(boolean jvmStops) {
    if (closed) {
      return;
    }
    closed = true;
    long deadline = System.nanoTime() + Math.min(nanos(timeout), Long.MAX_VALUE / 2);
    List<Supplier<CompletableResultCode>> parts = new ArrayList<>();
    parts.add(this::endSegments);
    // Not before the segments, which may be many: they wait for nobody, and go out in batches.
    parts.add(() -> sendDirectly(deadline));
    parts.addAll(
        jvmStops
            ? flushing(sdk)
            : List.of(
                sdk.getSdkTracerProvider()::shutdown,
                sdk.getSdkLoggerProvider()::shutdown,
                sdk.getSdkMeterProvider()::shutdown));
    boolean stopped = within(timeout, "telemetry-close", parts);
    boolean over = !jvmStops || System.nanoTime() - deadline >= 0;
    if (over) {
      outbox.abandon();
    }
    if (!jvmStops) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The JVM is stopping, its hooks stay.
      }
    }
    warnOfLoss(over, stopped || jvmStops);
  }

  /**
   * @param over whether what is pending now never arrives
   */
  private void warnOfLoss(boolean over, boolean stopped) {
    Delivery delivery = outbox.counts();
    StringBuilder lost = new StringBuilder();
    append(lost, over, delivery.spans(), "spans");
    append(lost, over, delivery.logRecords(), "log records");
    append(lost, over, delivery.metricPoints(), "metric points");
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

  /** What is on disk was not delivered either, and is not lost. */
  private static boolean isAnySpooled(Delivery delivery) {
    return delivery.spans().spooled() > 0
        || delivery.logRecords().spooled() > 0
        || delivery.metricPoints().spooled() > 0;
  }

  private static void append(
      StringBuilder lost, boolean over, Delivery.Counts counts, String items) {
    long missing = counts.lost() + (over ? counts.pending() : 0);
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

  private CompletableResultCode sendDirectly(long deadline) {
    outbox.sendDirectly(deadline);
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
   */
  private static boolean within(
      Duration timeout, String threadName, List<Supplier<CompletableResultCode>> parts) {
    CountDownLatch done = new CountDownLatch(1);
    AtomicBoolean delivered = new AtomicBoolean();
    Thread thread =
        new Thread(
            () -> {
              CompletableResultCode result = CompletableResultCode.ofAll(ask(parts, threadName));
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
