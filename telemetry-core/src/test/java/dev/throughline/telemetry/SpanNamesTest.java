// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SpanNamesTest {

  private final LogCapture log = new LogCapture();
  private final Telemetry telemetry = recording();

  private static Telemetry recording() {
    return Telemetry.builder()
        .ignoreEnvironment()
        .addProperty("otel.traces.exporter", "none")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .build();
  }

  @AfterEach
  void close() {
    telemetry.close();
    log.close();
  }

  private static void spans(Telemetry telemetry, int from, int to) {
    for (int i = from; i < to; i++) {
      telemetry.span("session " + i).run(() -> {});
    }
  }

  @Test
  void aThousandNamesAreFineHoweverOftenTheyCome() {
    for (int round = 0; round < 3; round++) {
      spans(telemetry, 0, 1_000);
    }
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void aNameOfAStrangerIsCutAndEscaped() {
    spans(telemetry, 0, 1_000);
    telemetry.span("x\nFORGED" + "y".repeat(10_000)).run(() -> {});
    assertThat(log.warnings())
        .containsExactly(
            "More than 1000 distinct span names, the latest is \"x\\u000aFORGED"
                + "y".repeat(248)
                + "\": put what varies into attributes");
  }

  @Test
  void oneMoreIsNamedOnce() {
    spans(telemetry, 0, 1_000);
    spans(telemetry, 0, 10);
    spans(telemetry, 1_000, 1_001);
    assertThat(log.warnings())
        .containsExactly(
            "More than 1000 distinct span names, the latest is \"session 1000\": put what varies"
                + " into attributes");
    spans(telemetry, 1_001, 4_000);
    assertThat(log.warnings()).hasSize(1);
  }

  @Test
  void eachInstanceCountsItsOwn() {
    try (Telemetry other = recording()) {
      spans(telemetry, 0, 600);
      spans(other, 600, 1_200);
      assertThat(log.warnings()).isEmpty();
      spans(other, 1_200, 1_601);
      assertThat(log.warnings()).singleElement().asString().contains("\"session 1600\"");
    }
  }

  @Test
  void threadsSayItOnceTogether() throws InterruptedException {
    CountDownLatch start = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      int from = t * 1_000;
      Thread thread =
          new Thread(
              () -> {
                try {
                  start.await();
                } catch (InterruptedException e) {
                  return;
                }
                spans(telemetry, from, from + 1_000);
              });
      threads.add(thread);
      thread.start();
    }
    start.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(log.warnings()).hasSize(1);
  }

  @Test
  void aLoggingBackEndThatThrowsDoesNotFailTheWork() {
    try (ThrowingLog throwing = new ThrowingLog()) {
      spans(telemetry, 0, 1_001);
      assertThat(throwing.thrown()).isEqualTo(1);
    }
  }

  @Test
  void offCountsNothing() {
    Telemetry off =
        Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", "true").build();
    spans(off, 0, 2_000);
    assertThat(log.warnings()).isEmpty();
  }

  /** Off or on, a mistake in a name is no reason to fail the work. */
  @Test
  void aNameThatIsNullDoesNotThrow() {
    assertThat(telemetry.span(null).<String, RuntimeException>call(() -> "done")).isEqualTo("done");
    assertThat(Telemetry.noop().span(null).<String, RuntimeException>call(() -> "done"))
        .isEqualTo("done");
  }
}
