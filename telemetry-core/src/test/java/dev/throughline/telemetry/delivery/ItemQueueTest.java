// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ItemQueueTest {

  private static final AttributeKey<Long> PRODUCER = AttributeKey.longKey("producer");
  private static final AttributeKey<Long> NUMBER = AttributeKey.longKey("number");

  private final SdkTracerProvider provider = SdkTracerProvider.builder().build();

  private ReadableSpan span(long producer, long number) {
    return (ReadableSpan)
        provider
            .get("test")
            .spanBuilder("work")
            .setAttribute(PRODUCER, producer)
            .setAttribute(NUMBER, number)
            .startSpan();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 8, 100})
  void takesAsManyAsItsCapacityAndNoMore(int capacity) {
    ItemQueue<ReadableSpan> queue = new ItemQueue<>(capacity);
    // Twice around, so that every slot is used again.
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < capacity; i++) {
        assertThat(queue.offer(span(0, i))).isTrue();
      }
      assertThat(queue.size()).isEqualTo(capacity);
      assertThat(queue.offer(span(0, -1))).isFalse();
      for (int i = 0; i < capacity; i++) {
        ReadableSpan span = queue.poll();
        assertThat(span).isNotNull();
        assertThat(span.getAttribute(NUMBER)).isEqualTo(i);
      }
      assertThat(queue.poll()).isNull();
      assertThat(queue.size()).isZero();
    }
  }

  @Test
  void makesRoomOneByOne() {
    ItemQueue<ReadableSpan> queue = new ItemQueue<>(3);
    for (int i = 0; i < 3; i++) {
      queue.offer(span(0, i));
    }
    for (int i = 3; i < 100; i++) {
      assertThat(queue.offer(span(0, -1))).isFalse();
      ReadableSpan oldest = queue.poll();
      assertThat(oldest.getAttribute(NUMBER)).isEqualTo(i - 3);
      assertThat(queue.offer(span(0, i))).isTrue();
    }
  }

  /** What was accepted comes out once, in each producer's order, and what was refused does not. */
  @ParameterizedTest
  @ValueSource(ints = {3, 64, 200_000})
  void losesAndDoublesNothingUnderConcurrentProducers(int capacity) throws InterruptedException {
    int producers = 4;
    int perProducer = 25_000;
    ItemQueue<ReadableSpan> queue = new ItemQueue<>(capacity);
    CountDownLatch start = new CountDownLatch(1);
    AtomicLong refused = new AtomicLong();
    List<List<Long>> accepted = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int p = 0; p < producers; p++) {
      long producer = p;
      List<Long> own = new ArrayList<>();
      accepted.add(own);
      Thread thread =
          new Thread(
              () -> {
                List<ReadableSpan> spans = new ArrayList<>();
                for (long i = 0; i < perProducer; i++) {
                  spans.add(span(producer, i));
                }
                try {
                  start.await();
                } catch (InterruptedException e) {
                  return;
                }
                for (long i = 0; i < perProducer; i++) {
                  if (queue.offer(spans.get((int) i))) {
                    own.add(i);
                  } else {
                    refused.incrementAndGet();
                  }
                }
              });
      threads.add(thread);
      thread.start();
    }
    List<List<Long>> taken = new ArrayList<>();
    for (int p = 0; p < producers; p++) {
      taken.add(new ArrayList<>());
    }
    start.countDown();
    boolean producing = true;
    int largest = 0;
    while (true) {
      largest = Math.max(largest, queue.size());
      ReadableSpan span = queue.poll();
      if (span != null) {
        taken.get(span.getAttribute(PRODUCER).intValue()).add(span.getAttribute(NUMBER));
      } else if (!producing) {
        break;
      } else {
        producing = threads.stream().anyMatch(Thread::isAlive);
      }
    }
    assertThat(taken).isEqualTo(accepted);
    assertThat(largest).isLessThanOrEqualTo(capacity);
    if (capacity > producers * perProducer) {
      assertThat(refused).hasValue(0);
    }
  }
}
