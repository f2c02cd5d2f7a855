// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What becomes of names and labels when instruments move from the Prometheus client. */
class NamesTest {

  private static final List<Double> BOUNDARIES = List.of(0.1, 0.5, 2.5);

  @RegisterExtension static final TelemetryExtension log = TelemetryExtension.create();

  @Test
  void movedInstrumentsKeepEverySeries() {
    Map<String, Double> before;
    try (MountedService service = new MountedService()) {
      registerWithPrometheus(service);
      before = service.scrape().series();
    }
    Map<String, Double> after;
    try (MountedService service = new MountedService()) {
      recordWithOpenTelemetry(service.telemetry.meter());
      after = service.scrape().series();
    }

    assertThat(own(after)).isNotEmpty().isEqualTo(own(before));
    assertThat(own(before))
        .containsKeys(
            "vnc_sessions_total{bmc_type=\"ipmi\"}",
            "power_actions_total",
            "active_sessions{datacenter=\"ber1\"}",
            "vnc_connect_seconds_bucket{bmc_type=\"ipmi\",le=\"+Inf\"}",
            "agent_latency_count",
            "queue__depth",
            "bmcs_total",
            "x_total_total",
            "x_total");
  }

  private static Map<String, Double> own(Map<String, Double> series) {
    Map<String, Double> own = new TreeMap<>(series);
    own.keySet().removeIf(name -> name.matches("(throughline_|target_info).*"));
    return own;
  }

  private static void registerWithPrometheus(MountedService service) {
    Counter sessions =
        Counter.builder()
            .name("vnc_sessions_total")
            .help("Sessions")
            .labelNames("bmc_type")
            .register(service.registry);
    sessions.labelValues("ipmi").inc(3);
    sessions.labelValues("redfish").inc();
    Counter.builder().name("power_actions").register(service.registry).inc(2);
    Gauge.builder()
        .name("active_sessions")
        .labelNames("datacenter")
        .register(service.registry)
        .labelValues("ber1")
        .set(4);
    Histogram.builder()
        .name("vnc_connect_seconds")
        .unit(Unit.SECONDS)
        .classicUpperBounds(0.1, 0.5, 2.5)
        .labelNames("bmc_type")
        .register(service.registry)
        .labelValues("ipmi")
        .observe(0.25);
    Histogram.builder()
        .name("agent_latency")
        .classicUpperBounds(0.1, 0.5, 2.5)
        .register(service.registry)
        .observe(2);
    Gauge.builder().name("queue__depth").register(service.registry).set(7);
    Gauge.builder().name("bmcs_total").register(service.registry).set(12);
    Counter.builder().name("x_total_total").register(service.registry).inc(8);
    Counter.builder().name("x_total").register(service.registry).inc(9);
  }

  private static void recordWithOpenTelemetry(Meter meter) {
    AttributeKey<String> bmcType = AttributeKey.stringKey("bmc_type");
    var sessions = meter.counterBuilder("vnc_sessions_total").setDescription("Sessions").build();
    sessions.add(3, Attributes.of(bmcType, "ipmi"));
    sessions.add(1, Attributes.of(bmcType, "redfish"));
    meter.counterBuilder("power_actions").setUnit("{action}").build().add(2);
    meter
        .upDownCounterBuilder("active_sessions")
        .build()
        .add(4, Attributes.of(AttributeKey.stringKey("datacenter"), "ber1"));
    meter
        .histogramBuilder("vnc_connect_seconds")
        .setUnit("s")
        .setExplicitBucketBoundariesAdvice(BOUNDARIES)
        .build()
        .record(0.25, Attributes.of(bmcType, "ipmi"));
    meter
        .histogramBuilder("agent_latency")
        .setUnit("s")
        .setExplicitBucketBoundariesAdvice(BOUNDARIES)
        .build()
        .record(2);
    meter.gaugeBuilder("queue__depth").build().set(7);
    meter.upDownCounterBuilder("bmcs_total").build().add(12);
    meter.counterBuilder("x_total_total").build().add(8);
    meter.counterBuilder("x_total").build().add(9);
  }

  @Test
  void namesWithDotsAreTranslated() {
    try (MountedService service = new MountedService()) {
      Meter meter = service.telemetry.meter();
      meter.histogramBuilder("http.server.request.duration").setUnit("s").build().record(1);
      meter.counterBuilder("http.server.bytes").setUnit("By").build().add(1);
      assertThat(service.scrape().names())
          .contains("http_server_request_duration_seconds", "http_server_bytes_total");
    }
  }

  @Test
  void translatedIsWhatOpenTelemetrysExporterDoes() {
    try (MountedService service = new MountedService("telemetry.prometheus.names", "translated")) {
      Meter meter = service.telemetry.meter();
      meter.counterBuilder("vnc_sessions_total").build().add(1);
      meter.histogramBuilder("agent_latency").setUnit("s").build().record(2);
      assertThat(service.scrape().series())
          .containsEntry("vnc_sessions_total{otel_scope_name=\"bmc-gateway\"}", 1.0)
          .containsEntry("agent_latency_seconds_sum{otel_scope_name=\"bmc-gateway\"}", 2.0);
    }
  }

  @Test
  void anInstrumentJoinsTheCollectorOfItsName() {
    try (MountedService service = new MountedService()) {
      Counter sessions =
          Counter.builder()
              .name("vnc_sessions_total")
              .labelNames("bmc_type")
              .register(service.registry);
      sessions.labelValues("ipmi").inc();
      service
          .telemetry
          .meter()
          .counterBuilder("vnc_sessions_total")
          .build()
          .add(5, Attributes.of(AttributeKey.stringKey("bmc_type"), "redfish"));
      assertThat(service.scrape().series("vnc_"))
          .containsExactlyInAnyOrderEntriesOf(
              Map.of(
                  "vnc_sessions_total{bmc_type=\"ipmi\"}", 1.0,
                  "vnc_sessions_total{bmc_type=\"redfish\"}", 5.0));
    }
  }

  @Test
  void ofTwoWithTheSameLabelsOneIsShownAndBothAreTold() {
    try (MountedService service = new MountedService()) {
      service.telemetry.openTelemetry().getMeter("b").counterBuilder("requests").build().add(2);
      service.telemetry.openTelemetry().getMeter("a").counterBuilder("requests").build().add(1);
      Counter.builder().name("requests_total").register(service.registry).inc(3);
      for (int i = 0; i < 3; i++) {
        assertThat(service.scrape().series("requests")).isEqualTo(Map.of("requests_total", 1.0));
      }
      log.expectWarn(
          "requests of a and requests of b have the same labels in requests; only the first is in");
      log.expectWarn(
          "requests of a and requests_total of the Prometheus client's registry have the same");
    }
  }

  @Test
  void oneNameOfTwoTypesIsOneSeriesAndAWarning() {
    try (MountedService service = new MountedService()) {
      service.telemetry.openTelemetry().getMeter("a").counterBuilder("jobs").build().add(1);
      assertThat(service.scrape().value("jobs_total")).isEqualTo(1);
      service.telemetry.openTelemetry().getMeter("b").gaugeBuilder("jobs").build().set(9);
      for (int i = 0; i < 3; i++) {
        assertThat(service.scrape().series("jobs")).isEqualTo(Map.of("jobs_total", 1.0));
      }
      log.expectWarn(
          "jobs of b, a gauge, is left out of what is pulled: jobs of a, a counter, has the name jobs");
    }
  }

  @Test
  void oneNameOfTwoUnitsIsOneSeriesAndAWarning() {
    try (MountedService service = new MountedService()) {
      var telemetry = service.telemetry.openTelemetry();
      telemetry.getMeter("a").counterBuilder("moved").setUnit("By").build().add(1);
      telemetry.getMeter("b").counterBuilder("moved").setUnit("s").build().add(2);
      telemetry.getMeter("a").counterBuilder("io.moved").setUnit("By").build().add(1);
      telemetry.getMeter("b").counterBuilder("io.moved").setUnit("s").build().add(2);
      assertThat(service.scrape().series("moved")).isEqualTo(Map.of("moved_total", 1.0));
      assertThat(service.scrape().series("io_moved"))
          .isEqualTo(Map.of("io_moved_bytes_total", 1.0));
      log.expectWarn(
          "^moved of b, a counter in s, is left out of what is pulled: moved of a, a counter in By,"
              + " has the name moved");
      log.expectWarn(
          "io.moved of b, a counter in s, is left out of what is pulled: io.moved of a, a counter in");
    }
  }

  @Test
  void aGaugeThatLooksLikeACountersSeriesIsLeftOut() {
    try (MountedService service = new MountedService()) {
      service.telemetry.openTelemetry().getMeter("a").counterBuilder("jobs").build().add(1);
      service.telemetry.openTelemetry().getMeter("b").gaugeBuilder("jobs_total").build().set(9);
      assertThat(service.scrape().series("jobs")).isEqualTo(Map.of("jobs_total", 1.0));
      log.expectWarn(
          "jobs_total of b, a gauge, is left out of what is pulled: jobs of a, a counter, has the name"
              + " jobs_total");
    }
  }
}
