// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Flushes and stops an SDK within a deadline, also when the JVM stops. */
final class Shutdown {

  private static final Logger logger = LoggerFactory.getLogger(Telemetry.class);

  private final OpenTelemetrySdk sdk;
  private final Duration timeout;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread hook = new Thread(this::close, "telemetry-shutdown-hook");

  Shutdown(OpenTelemetrySdk sdk, Duration timeout) {
    this.sdk = sdk;
    this.timeout = timeout;
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException e) {
      logger.debug("The JVM is stopping already; telemetry closes when it is told to", e);
    }
  }

  boolean flush(Duration timeout) {
    return within(
        timeout,
        "telemetry-flush",
        () ->
            CompletableResultCode.ofAll(
                List.of(
                    sdk.getSdkTracerProvider().forceFlush(),
                    sdk.getSdkMeterProvider().forceFlush(),
                    sdk.getSdkLoggerProvider().forceFlush())));
  }

  void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    if (!within(timeout, "telemetry-close", sdk::shutdown)) {
      logger.warn(
          "Telemetry closed, but not all that had ended was delivered; closing may take {} ms"
              + " (TELEMETRY_CLOSE_TIMEOUT)",
          timeout.toMillis());
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      logger.trace("The JVM is stopping, its hooks stay", e);
    }
  }

  /**
   * Waits for an action of the SDK, on a thread of its own since some of them block their caller
   * for seconds; an interrupt does not cut the wait short, since what waits here is what a stopping
   * application has still to say.
   */
  private static boolean within(
      Duration timeout, String threadName, Supplier<CompletableResultCode> action) {
    CountDownLatch done = new CountDownLatch(1);
    AtomicBoolean delivered = new AtomicBoolean();
    Thread thread =
        new Thread(
            () -> {
              try {
                CompletableResultCode result = action.get();
                result.whenComplete(
                    () -> {
                      delivered.set(result.isSuccess());
                      done.countDown();
                    });
              } catch (Throwable t) {
                logger.warn("{} failed", threadName, t);
                done.countDown();
              }
            },
            threadName);
    thread.setDaemon(true);
    boolean interrupted = false;
    long deadline = System.nanoTime() + timeout.toNanos();
    try {
      thread.start();
      while (true) {
        try {
          if (!done.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            return false;
          }
          return delivered.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (Throwable t) {
      // No thread to be had: out of memory, or of processes.
      logger.warn("{} failed", threadName, t);
      return false;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
