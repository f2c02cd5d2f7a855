// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The metrics of telemetry itself. */
class OwnHealthTest {

  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  @RegisterExtension static final TelemetryExtension log = TelemetryExtension.create();

  private final InMemoryMetricReader reader = InMemoryMetricReader.create();

  @Test
  void countsWhatBecomesOfSpans() throws Exception {
    AtomicInteger status = new AtomicInteger(200);
    HttpServer collector = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          exchange.sendResponseHeaders(status.get(), -1);
          exchange.close();
        });
    collector.start();
    try (Telemetry telemetry = telemetry(collector, 10)) {
      assertThat(counts(reader)).containsEntry("throughline.spans.ended", 0L);
      end(telemetry, 3);
      assertThat(counts(reader))
          .containsEntry("throughline.spans.ended", 3L)
          .containsEntry("throughline.spans.waiting", 3L)
          .containsEntry("throughline.spans.exported", 0L);
      assertThat(telemetry.flush(MountedService.PATIENCE).complete()).isTrue();
      assertThat(counts(reader))
          .containsEntry("throughline.spans.ended", 3L)
          .containsEntry("throughline.spans.waiting", 0L)
          .containsEntry("throughline.spans.exported", 3L);

      status.set(400);
      end(telemetry, 2);
      assertThat(telemetry.flush(Duration.ofSeconds(10)).complete()).isFalse();
      assertThat(counts(reader))
          .containsEntry("throughline.spans.exported", 3L)
          .containsEntry("throughline.spans.failed", 2L)
          .containsEntry("throughline.spans.dropped", 0L);
    } finally {
      collector.stop(0);
    }
    log.expectWarn("Delivery of spans to .* failed for 2 of them: HTTP status 400");
    log.expectWarn("Telemetry closed, and not all was delivered: 2 of 5 spans lost");
  }

  @Test
  void countsGuardHitsByModuleAndScrapes() {
    try (MountedService service = new MountedService()) {
      Guard guard = service.telemetry.guard("dev.throughline.test");
      guard.caught("Test.hook", new IllegalStateException("as asked"));
      Telemetry.noop()
          .guard("dev.throughline.test")
          .caught("Test.hook", new IllegalStateException());
      log.expectWarn("Test.hook threw in dev.throughline.test");
      log.expectWarn("Test.hook threw in dev.throughline.test");
      service.scrape();
      Exposition scraped = service.scrape();
      assertThat(scraped.value("throughline_scrapes_total")).isEqualTo(2);
      assertThat(
              scraped.value(
                  "throughline_guard_hits_total{throughline_module=\"dev.throughline.test\"}"))
          .isEqualTo(1);
      assertThat(scraped.series("throughline_guard_hits_total"))
          .containsKey(
              "throughline_guard_hits_total{throughline_module=\"dev.throughline.telemetry.metrics\"}");
    }
  }

  @Test
  void eachSaysWhatItCounts() {
    try (MountedService service = new MountedService("otel.sdk.disabled", "true")) {
      service.scrape();
      String scraped = service.scrape().toString();
      List<String> names =
          new Exposition(scraped)
              .names().stream().filter(name -> name.startsWith("throughline_")).toList();
      assertThat(names)
          .contains("throughline_spans_ended_total", "throughline_scrapes_total")
          .allSatisfy(
              name ->
                  assertThat(scraped).containsPattern("# HELP " + name + " (?!Recorded by)\\S"));
    }
  }

  private Telemetry telemetry(HttpServer collector, int queueSize) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .addProperty(
            "otel.exporter.otlp.endpoint",
            "http://127.0.0.1:" + collector.getAddress().getPort() + "/v1/traces")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .addProperty("otel.bsp.schedule.delay", "1h")
        .addProperty("otel.bsp.max.queue.size", String.valueOf(queueSize))
        .addProperty("otel.bsp.max.export.batch.size", String.valueOf(queueSize))
        .addProperty("telemetry.jvm.metrics", "false")
        .addMetricReader(reader)
        .setMetrics(MetricsTelemetry.builder().setRegistry(new PrometheusRegistry()).build())
        .build();
  }

  private static void end(Telemetry telemetry, int count) {
    for (int i = 0; i < count; i++) {
      telemetry.span("work").run(() -> {});
    }
  }

  private static Map<String, Long> counts(InMemoryMetricReader reader) {
    Map<String, Long> counts = new HashMap<>();
    reader
        .collectAllMetrics()
        .forEach(
            metric -> {
              if (metric.getName().startsWith("throughline.spans.")) {
                metric
                    .getLongSumData()
                    .getPoints()
                    .forEach(point -> counts.put(metric.getName(), point.getValue()));
              }
            });
    return counts;
  }
}
