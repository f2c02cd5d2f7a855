// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.prometheus.metrics.core.metrics.Counter;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Scrapes of a service that records at the same time. */
class ScrapeUnderLoadTest {

  private static final int THREADS = 8;
  private static final int BURST = 100;
  private static final long PAUSE_NANOS = 1_000_000;
  private static final int SCRAPES_A_SECOND = 100;
  private static final int SCRAPERS = 4;

  @RegisterExtension static final TelemetryExtension log = TelemetryExtension.create();

  @Test
  @Timeout(60)
  void losesNothingInFiveSeconds() throws Exception {
    losesNothing(Duration.ofSeconds(5));
  }

  @Test
  @Tag("full")
  @Timeout(120)
  void losesNothingInAMinute() throws Exception {
    losesNothing(Duration.ofMinutes(1));
  }

  private static void losesNothing(Duration duration) throws Exception {
    try (MountedService service = new MountedService()) {
      LongCounter counter = service.telemetry.meter().counterBuilder("work.done").build();
      DoubleHistogram histogram = service.telemetry.meter().histogramBuilder("work.time").build();
      Counter existing = Counter.builder().name("old_work_total").register(service.registry);
      AtomicBoolean stopped = new AtomicBoolean();
      AtomicLong recorded = new AtomicLong();
      List<Thread> recording = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        Attributes attributes = Attributes.of(AttributeKey.longKey("thread"), (long) i);
        Thread thread =
            new Thread(
                () -> {
                  long done = 0;
                  while (!stopped.get()) {
                    if (done % BURST == 0) {
                      // Leaves room for the scrapes on a machine of few cores.
                      LockSupport.parkNanos(PAUSE_NANOS);
                    }
                    counter.add(1, attributes);
                    histogram.record(done % 100, attributes);
                    existing.inc();
                    done++;
                  }
                  recorded.addAndGet(done);
                });
        recording.add(thread);
        thread.start();
      }
      long scrapes = scrape(service, duration);
      stopped.set(true);
      for (Thread thread : recording) {
        thread.join();
      }

      Exposition last = service.scrape();
      assertThat(recorded.get()).isPositive();
      assertThat(sum(last, "work_done_total{")).isEqualTo(recorded.get());
      assertThat(sum(last, "work_time_count{")).isEqualTo(recorded.get());
      assertThat(last.value("old_work_total")).isEqualTo(recorded.get());
      assertThat(last.value("throughline_scrapes_total")).isEqualTo(scrapes + 1);
    }
  }

  /** At a fixed rate, where a scrape that comes late is made up for. */
  private static long scrape(MountedService service, Duration duration) throws Exception {
    List<Callable<Long>> scrapers = new ArrayList<>();
    for (int i = 0; i < SCRAPERS; i++) {
      scrapers.add(() -> scrapeAQuarter(service, duration));
    }
    ExecutorService threads = Executors.newFixedThreadPool(SCRAPERS);
    long scrapes = 0;
    try {
      for (Future<Long> scraped : threads.invokeAll(scrapers)) {
        scrapes += scraped.get();
      }
    } finally {
      threads.shutdownNow();
    }
    return scrapes;
  }

  private static long scrapeAQuarter(MountedService service, Duration duration) {
    long wanted = SCRAPES_A_SECOND * duration.toSeconds() / SCRAPERS;
    long period = TimeUnit.SECONDS.toNanos(SCRAPERS) / SCRAPES_A_SECOND;
    long start = System.nanoTime();
    long counted = 0;
    for (long i = 0; i < wanted; i++) {
      String accept = i % 2 == 0 ? "text/plain" : MountedService.OPEN_METRICS;
      HttpResponse<String> answer = MountedService.get(service.uri(), "Accept", accept);
      assertThat(answer.statusCode()).isEqualTo(200);
      if (i % 2 == 0) {
        long now = sum(new Exposition(answer.body()), "work_done_total{");
        assertThat(now).isGreaterThanOrEqualTo(counted);
        counted = now;
      }
      LockSupport.parkNanos(start + i * period - System.nanoTime());
    }
    return wanted;
  }

  private static long sum(Exposition scraped, String prefix) {
    return scraped.series(prefix).values().stream().mapToLong(Double::longValue).sum();
  }
}
