// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.instrument.Guard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A spool is closed while a thread writes to it. */
@Timeout(60)
class SpoolCloseTest {

  private static final int TIMES = 20;
  private static final byte[] MESSAGE = new byte[8 << 20];

  private final Guard guard = new Guard("test");
  @TempDir Path folder;

  @Test
  void whoeverComesNextFindsWhatWasBeingWritten() throws Exception {
    ExecutorService writer = Executors.newSingleThreadExecutor();
    try {
      for (int i = 0; i < TIMES; i++) {
        Spool spool = open();
        Future<Spool.@Nullable Entry> written =
            writer.submit(() -> spool.write("spans", 1, false, MESSAGE, 0, MESSAGE.length));
        while (!isBeingWritten() && !written.isDone()) {
          Thread.onSpinWait();
        }
        spool.close();

        Spool next = open();
        CompletableFuture<List<Spool.Entry>> left = new CompletableFuture<>();
        next.takeOver(new Ledger("spans", "", guard), left::complete);
        List<Spool.Entry> found = left.get();
        assertThat(written.get()).isNotNull();
        assertThat(found).hasSize(1);
        assertThat(found.get(0).read().message().remaining()).isEqualTo(MESSAGE.length);
        found.get(0).remove();
        next.close();
      }
    } finally {
      writer.shutdown();
    }
  }

  private boolean isBeingWritten() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("spool-0"))) {
      return files.anyMatch(file -> file.toString().endsWith(".part"));
    }
  }

  private Spool open() throws IOException {
    return Spool.open(folder, 1 << 30, Duration.ofHours(1), guard);
  }
}
