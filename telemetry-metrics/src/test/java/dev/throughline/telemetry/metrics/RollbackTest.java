// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.prometheus.metrics.core.metrics.Counter;
import java.lang.management.ManagementFactory;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Telemetry is switched off, and dashboards go on. */
class RollbackTest {

  private static final Attributes IPMI = Attributes.of(AttributeKey.stringKey("bmc_type"), "ipmi");

  @RegisterExtension static final TelemetryExtension log = TelemetryExtension.create();

  @Test
  void everySeriesThatWasMountedIsStillThere() {
    Set<String> on = seriesOf();
    Set<String> off = seriesOf("otel.sdk.disabled", "true");
    assertThat(on)
        .contains(
            "vnc_sessions_total{bmc_type=\"ipmi\"}",
            "sol_sessions_total",
            "vnc_connect_seconds_count");
    // With the series of delivery, whether something is exported otherwise or not.
    assertThat(off)
        .filteredOn(series -> !series.matches("throughline_(spans|log_records|metric_points)_.*"))
        .containsExactlyInAnyOrderElementsOf(on);
  }

  private static Set<String> seriesOf(String... settings) {
    String[] all = new String[settings.length + 2];
    System.arraycopy(settings, 0, all, 2, settings.length);
    all[0] = "otel.resource.attributes";
    all[1] = "service.instance.id=i-1";
    try (MountedService service = new MountedService(all)) {
      Meter meter = service.telemetry.meter();
      meter.counterBuilder("vnc_sessions_total").build().add(1, IPMI);
      meter.histogramBuilder("vnc_connect_seconds").build().record(1);
      Counter.builder().name("sol_sessions_total").register(service.registry).inc();
      return service.scrape().series().keySet();
    }
  }

  @Test
  void offHasNeitherThreadNorExportNorSpan() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    MetricsTelemetry metrics = MetricsTelemetry.create();
    try (Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.sdk.disabled", "true")
            .addProperty("otel.metrics.exporter", "otlp,prometheus")
            .addProperty("otel.exporter.prometheus.port", "0")
            .setMetrics(metrics)
            .build()) {
      assertThat(telemetry.meter().counterBuilder("vnc_sessions").build().isEnabled()).isTrue();
      telemetry
          .span("vnc.connect")
          .run(span -> assertThat(span.span().getSpanContext().isValid()).isFalse());
      assertThat(telemetry.openTelemetry().getLogsBridge().get("test").isEnabled(Severity.ERROR))
          .isFalse();
      assertThat(Thread.getAllStackTraces().keySet())
          .filteredOn(thread -> !before.contains(thread))
          .isEmpty();
    }
  }

  @Test
  void offIsOffWhereNothingIsMounted() {
    try (MountedService service = new MountedService(false, "otel.sdk.disabled", "true")) {
      Telemetry telemetry = service.telemetry;
      assertThat(telemetry.isEnabled()).isFalse();
      LongCounter counter = telemetry.meter().counterBuilder("vnc_sessions").build();
      DoubleHistogram histogram = telemetry.meter().histogramBuilder("vnc_connect").build();
      assertThat(counter.isEnabled()).isFalse();
      Runnable work =
          () -> {
            counter.add(1, IPMI);
            histogram.record(1, IPMI);
            telemetry.span("vnc.connect").run(() -> {});
          };
      assertThat(bytesOf(work)).isZero();
    }
  }

  private static long bytesOf(Runnable work) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 20 && least > 0; round++) {
      for (int i = 0; i < 20_000; i++) {
        work.run();
      }
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 1_000; i++) {
        work.run();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }
}
