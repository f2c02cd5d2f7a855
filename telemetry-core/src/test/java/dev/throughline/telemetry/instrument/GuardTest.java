// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.LogCapture;
import dev.throughline.telemetry.ThrowingLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GuardTest {

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final LogCapture log = new LogCapture();
  private final Guard guard = new Guard("com.example.module");

  @AfterEach
  void close() {
    log.close();
  }

  static Stream<Throwable> notFatal() {
    return Stream.of(
        new IllegalStateException("of the test"),
        new Exception("checked, and thrown all the same"),
        new AssertionError("of the test"),
        new NoClassDefFoundError("of another version"),
        new NoSuchMethodError("of another version"),
        new ExceptionInInitializerError("of the test"));
  }

  @ParameterizedTest
  @MethodSource("notFatal")
  void takesWhatIsNotFatal(Throwable thrown) {
    guard.caught("Convention.spanName", thrown);
    assertThat(guard.hits()).isEqualTo(1);
    assertThat(log.warnings())
        .containsExactly(
            "Convention.spanName threw in com.example.module; the application goes on without it (0"
                + " more since the last such line)");
    assertThat(log.everything()).contains(thrown.getClass().getName());
  }

  static Stream<VirtualMachineError> fatal() {
    return Stream.of(new OutOfMemoryError("of the test"), new InternalError("of the test"));
  }

  @ParameterizedTest
  @MethodSource("fatal")
  void throwsOnWhatIsFatal(VirtualMachineError fatal) {
    assertThatThrownBy(() -> guard.caught("Convention.spanName", fatal)).isSameAs(fatal);
    assertThat(guard.hits()).isZero();
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void aHooksRecursionIsNotFatal() {
    guard.run("Convention.spanName", GuardTest::recurse);
    assertThat(guard.hits()).isEqualTo(1);
    assertThat(log.warnings()).singleElement().asString().startsWith("Convention.spanName threw");
  }

  @SuppressWarnings("InfiniteRecursion") // that is the fault
  private static void recurse() {
    recurse();
  }

  @Test
  void countsEveryHitAndSaysOneOfThem() {
    for (int i = 0; i < 1_000; i++) {
      guard.caught("Convention.spanName", new IllegalStateException());
    }
    assertThat(guard.hits()).isEqualTo(1_000);
    assertThat(log.warnings()).hasSize(1);
  }

  @Test
  void saysOneForEachHook() {
    for (int i = 0; i < 10; i++) {
      guard.caught("Convention.spanName", new IllegalStateException());
      guard.caught("Convention.onEnd", new IllegalStateException());
    }
    assertThat(guard.hits()).isEqualTo(20);
    assertThat(log.warnings())
        .hasSize(2)
        .anyMatch(line -> line.startsWith("Convention.spanName threw"))
        .anyMatch(line -> line.startsWith("Convention.onEnd threw"));
  }

  @Test
  void saysOneAgainAfterAMinuteWithWhatWasNotSaid() {
    // The clock is one of intervals: it may begin anywhere, and wrap.
    long start = Long.MAX_VALUE - 30 * SECOND;
    guard.caught("Hook", new IllegalStateException(), start);
    guard.caught("Hook", new IllegalStateException(), start + SECOND);
    guard.caught("Hook", new IllegalStateException(), start + 59 * SECOND);
    assertThat(log.warnings()).hasSize(1);

    guard.caught("Hook", new IllegalStateException(), start + 60 * SECOND);
    guard.caught("Hook", new IllegalStateException(), start + 61 * SECOND);
    assertThat(log.warnings()).hasSize(2);
    assertThat(log.warnings().get(1)).endsWith("(2 more since the last such line)");

    guard.caught("Hook", new IllegalStateException(), start + 120 * SECOND);
    assertThat(log.warnings()).hasSize(3);
    assertThat(log.warnings().get(2)).endsWith("(1 more since the last such line)");
    assertThat(guard.hits()).isEqualTo(6);
  }

  @Test
  void isSharedByThreads() throws InterruptedException {
    CountDownLatch start = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  start.await();
                } catch (InterruptedException e) {
                  return;
                }
                for (int i = 0; i < 1_000; i++) {
                  guard.caught("Hook", new IllegalStateException());
                }
              });
      threads.add(thread);
      thread.start();
    }
    start.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(guard.hits()).isEqualTo(4_000);
    assertThat(log.warnings()).hasSize(1);
  }

  @Test
  void aLoggingBackEndThatThrowsStaysInside() {
    try (ThrowingLog throwing = new ThrowingLog()) {
      guard.caught("Hook", new IllegalStateException());
      assertThat(throwing.thrown()).isEqualTo(1);
    }
    assertThat(guard.hits()).isEqualTo(1);
  }

  @Test
  void anExceptionThatCantBePrintedStaysInside() {
    guard.caught(
        "Hook",
        new RuntimeException() {
          private static final long serialVersionUID = 1;

          @Override
          public String getMessage() {
            throw new IllegalStateException("of the message");
          }
        });
    assertThat(guard.hits()).isEqualTo(1);
  }

  @Test
  void theGuardsOfOneTelemetryCountTogether() {
    Guard http = guard.of("com.example.http");
    Guard more = http.of("com.example.http");
    Guard others = new Guard("com.example.http");
    http.caught("Hook", new IllegalStateException());
    more.caught("Hook", new IllegalStateException());
    others.caught("Hook", new IllegalStateException());
    Map<String, Long> counts = Map.of("com.example.module", 0L, "com.example.http", 2L);
    assertThat(guard.hitsByModule()).isEqualTo(counts);
    assertThat(more.hitsByModule()).isEqualTo(counts);
    assertThat(others.hitsByModule()).isEqualTo(Map.of("com.example.http", 1L));
    // Each with its own throttle.
    assertThat(log.warnings()).hasSize(3);
  }

  @Test
  void hasAModule() {
    assertThatThrownBy(() -> new Guard(null)).isInstanceOf(NullPointerException.class);
  }
}
