// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.instrument.Guard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several threads write at once, and there is room for two requests alone. */
@Timeout(60)
class SpoolEvictionTest {

  private static final int WRITERS = 4;
  private static final int REQUESTS = 500;
  private static final int ITEMS = 3;
  private static final byte[] MESSAGE = new byte[10_000];

  private final Guard guard = new Guard("test");
  private final Ledger ledger = new Ledger("spans", "", guard);
  @TempDir Path folder;

  @Test
  void whatIsEvictedLeavesTheDiskAlsoWhereItWasStillBeingWritten() throws Exception {
    Spool spool = Spool.open(folder, 25_000, Duration.ofMillis(100), guard);
    try {
      List<Spool.Entry> written;
      try (Books books = new Books()) {
        written = writtenAtOnce(spool);
        books.assertSound();
      }

      assertThat(files()).hasSize(2);
      assertThat(written.stream().filter(entry -> !entry.isGone())).hasSize(2);
      assertThat(ledger.counts())
          .isEqualTo(
              new Delivery.Counts(
                  WRITERS * REQUESTS * ITEMS,
                  0,
                  0,
                  (WRITERS * REQUESTS - 2) * ITEMS,
                  2 * ITEMS,
                  0,
                  0));
    } finally {
      spool.close();
    }
  }

  private List<Spool.Entry> writtenAtOnce(Spool spool) throws Exception {
    ExecutorService writers = Executors.newFixedThreadPool(WRITERS);
    try {
      Callable<List<Spool.Entry>> writer =
          () -> {
            List<Spool.Entry> entries = new ArrayList<>();
            for (int i = 0; i < REQUESTS; i++) {
              Request request = new Request(ledger, ITEMS, false);
              ledger.arrived(ITEMS);
              Spool.Entry entry =
                  spool.write(ledger.signal(), ITEMS, false, MESSAGE, 0, MESSAGE.length);
              assertThat(entry).isNotNull();
              assertThat(request.spooled()).isTrue();
              entry.countedBy(ledger);
              entries.add(entry);
            }
            return entries;
          };
      List<Future<List<Spool.Entry>>> all = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        all.add(writers.submit(writer));
      }
      List<Spool.Entry> written = new ArrayList<>();
      for (Future<List<Spool.Entry>> one : all) {
        written.addAll(one.get());
      }
      return written;
    } finally {
      writers.shutdown();
      assertThat(writers.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  /** Reads the counts all the while: none is below zero, and what only grows never falls. */
  private final class Books implements AutoCloseable {

    private final Thread reader = new Thread(this::read);
    private final AtomicReference<String> fault = new AtomicReference<>();
    private volatile boolean closed;

    Books() {
      reader.start();
    }

    private void read() {
      Delivery.Counts last = Delivery.Counts.NONE;
      while (!closed) {
        Delivery.Counts now = ledger.counts();
        if (now.created() < last.created() || now.dropped() < last.dropped() || now.pending() < 0) {
          fault.compareAndSet(null, last + ", then " + now);
        }
        last = now;
      }
    }

    void assertSound() {
      assertThat(fault.get()).isNull();
    }

    @Override
    public void close() throws InterruptedException {
      closed = true;
      reader.join();
    }
  }

  /** Its items went elsewhere meanwhile, so that nobody counts them here. */
  @Test
  void whatWasEvictedBeforeItCountedIsNoOnesLoss() throws Exception {
    Spool spool = Spool.open(folder, 25_000, Duration.ofMillis(100), guard);
    try {
      for (int i = 0; i < 5; i++) {
        spool.write(ledger.signal(), ITEMS, false, MESSAGE, 0, MESSAGE.length);
      }
      assertThat(files()).hasSize(2);
      assertThat(ledger.counts()).isEqualTo(new Delivery.Counts(0, 0, 0, 0, 0, 0, 0));
    } finally {
      spool.close();
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".otlp")).toList();
    }
  }
}
