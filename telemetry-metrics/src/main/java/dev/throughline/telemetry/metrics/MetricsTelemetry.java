// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import com.sun.net.httpserver.HttpHandler;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.MetricsModule;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.instrumentation.runtimetelemetry.RuntimeTelemetry;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import jakarta.servlet.http.HttpServlet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Metrics that Prometheus pulls from the service's own server or from a port of their own, beside
 * whatever {@code OTEL_METRICS_EXPORTER} pushes.
 *
 * <pre>{@code
 * MetricsTelemetry metrics = MetricsTelemetry.create();
 * Telemetry telemetry = Telemetry.init("bmc-gateway", metrics);
 * server.createContext("/metrics", metrics.createHttpHandler());
 * }</pre>
 *
 * <p>They are those of the service's OpenTelemetry instruments and of the collectors that are
 * registered with the Prometheus client; as text, OpenMetrics or protobuf, as the request asks.
 *
 * <p>Thread-safe. Belongs to one {@code Telemetry}.
 */
public final class MetricsTelemetry implements MetricsModule {

  static final String SCOPE = "dev.throughline.telemetry.metrics";

  private static final String PROMETHEUS = "prometheus";
  private static final int DEFAULT_PORT = 9464;
  private static final int DEFAULT_CARDINALITY_LIMIT = 2000;

  private final boolean mounted;
  private final Guard guard = new Guard(SCOPE);
  private final CardinalityWatch cardinality = new CardinalityWatch();
  private final PrometheusRegistry shown = new PrometheusRegistry();
  private final ExistingCollectors existing;
  private final PulledMetrics pulled;
  private final AtomicBoolean added = new AtomicBoolean();
  private boolean jvmMetrics;
  private @Nullable MetricsServer server;
  private @Nullable RuntimeTelemetry jvm;

  MetricsTelemetry(MetricsTelemetryBuilder builder) {
    mounted = builder.mounted;
    existing = new ExistingCollectors(builder.registry, guard);
    pulled = new PulledMetrics(existing, cardinality, guard, this::stop);
    shown.register(pulled);
  }

  /** Metrics with all defaults. */
  public static MetricsTelemetry create() {
    return builder().build();
  }

  /** A builder where a default does not fit. */
  public static MetricsTelemetryBuilder builder() {
    return new MetricsTelemetryBuilder();
  }

  /**
   * A handler of the JDK's HTTP server that answers with the metrics.
   *
   * @throws IllegalStateException after {@code setMounted(false)}
   */
  public HttpHandler createHttpHandler() {
    checkMounted();
    return new MetricsHttpHandler(shown, guard);
  }

  /**
   * A servlet that answers with the metrics; it is to be mapped to {@code /metrics}.
   *
   * @throws IllegalStateException after {@code setMounted(false)}
   */
  public HttpServlet createServlet() {
    checkMounted();
    return MetricsServlet.create(shown);
  }

  private void checkMounted() {
    if (!mounted) {
      throw new IllegalStateException("setMounted(false) says that nothing is mounted");
    }
  }

  @Override
  public String exporterName() {
    return PROMETHEUS;
  }

  @Override
  public boolean isMounted() {
    return mounted;
  }

  @Override
  public MetricExporter watch(MetricExporter exporter) {
    return new WatchedExporter(exporter, cardinality, guard);
  }

  @Override
  public void addTo(
      SdkMeterProviderBuilder meterProvider, ConfigProperties settings, boolean named) {
    if (!added.compareAndSet(false, true)) {
      throw new IllegalStateException("This MetricsTelemetry belongs to another Telemetry");
    }
    jvmMetrics = settings.getBoolean("telemetry.jvm.metrics", true);
    int limit = settings.getInt("otel.java.metrics.cardinality.limit", DEFAULT_CARDINALITY_LIMIT);
    cardinality.setLimit(limit);
    if (named) {
      server =
          new MetricsServer(
              settings.getString("otel.exporter.prometheus.host", "localhost"),
              settings.getInt("otel.exporter.prometheus.port", DEFAULT_PORT),
              new MetricsHttpHandler(shown, guard));
    }
    if (named || mounted) {
      pulled.setNames(Names.of(settings.getString("telemetry.prometheus.names", "kept")));
      meterProvider.registerMetricReader(pulled, instrument -> limit);
    }
    meterProvider.registerMetricProducer(new CollectorBridge(existing, pulled, guard));
  }

  @Override
  public void start(OpenTelemetry openTelemetry, Guard telemetrys) {
    OwnHealth.record(openTelemetry.getMeter(SCOPE), pulled::scrapes, telemetrys, guard);
    if (jvmMetrics) {
      try {
        jvm = RuntimeTelemetry.create(openTelemetry);
      } catch (Throwable t) {
        guard.caught("RuntimeTelemetry.create", t);
      }
    }
    if (server != null) {
      server.start();
    }
  }

  /** What is mounted goes on answering, with what there was. */
  private void stop() {
    if (server != null) {
      server.stop();
    }
    RuntimeTelemetry running = jvm;
    jvm = null;
    if (running != null) {
      running.close();
    }
  }
}
