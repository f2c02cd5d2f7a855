// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The threads of the metrics' own port. The JDK's server reads a request and writes its answer in
 * them, and knows no time limit but for all servers of a process; an interrupt closes the
 * connection that a thread waits for.
 */
final class ServerThreads implements Executor {

  private static final int THREADS = 16;

  // As long as Prometheus itself waits for a scrape, unless it is told otherwise.
  private static final Executor AT_LIMIT = CompletableFuture.delayedExecutor(10, TimeUnit.SECONDS);
  private static final Duration LIMIT_WHILE_OTHERS_WAIT = Duration.ofSeconds(2);
  private static final Executor AT_SHORT_LIMIT =
      CompletableFuture.delayedExecutor(LIMIT_WHILE_OTHERS_WAIT.toMillis(), TimeUnit.MILLISECONDS);

  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          1,
          TimeUnit.MINUTES,
          new LinkedBlockingQueue<>(),
          work -> {
            Thread thread = new Thread(work, "telemetry-metrics-server");
            thread.setDaemon(true);
            return thread;
          });

  // The oldest first; those that are cut off leave it at once.
  private final Deque<Exchange> running = new ArrayDeque<>();
  private int waiting;

  ServerThreads() {
    threads.allowCoreThreadTimeOut(true);
  }

  @Override
  public void execute(Runnable exchange) {
    synchronized (running) {
      waiting++;
    }
    threads.execute(new Exchange(exchange));
    makeRoom();
  }

  private void makeRoom() {
    synchronized (running) {
      while (waiting > THREADS - running.size() && running.element().isLong()) {
        running.element().cutOff();
      }
    }
  }

  void shutdown() {
    threads.shutdownNow();
  }

  private final class Exchange implements Runnable {

    private final Runnable exchange;
    private @Nullable Thread thread;
    private long startNanos;

    Exchange(Runnable exchange) {
      this.exchange = exchange;
    }

    @Override
    public void run() {
      synchronized (running) {
        waiting--;
        thread = Thread.currentThread();
        startNanos = System.nanoTime();
        running.add(this);
      }
      AT_SHORT_LIMIT.execute(ServerThreads.this::makeRoom);
      AT_LIMIT.execute(this::cutOff);
      try {
        exchange.run();
      } finally {
        synchronized (running) {
          running.remove(this);
          // The thread's next exchange is not the one that was cut off.
          boolean unused = Thread.interrupted();
        }
      }
    }

    boolean isLong() {
      return System.nanoTime() - startNanos >= LIMIT_WHILE_OTHERS_WAIT.toNanos();
    }

    void cutOff() {
      synchronized (running) {
        if (running.remove(this)) {
          requireNonNull(thread, "thread").interrupt();
        }
      }
    }
  }
}
