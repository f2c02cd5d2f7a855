// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.TelemetryBuilder;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A service with {@code /metrics} on its own server, and a registry of its own. */
final class MountedService implements AutoCloseable {

  static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0";

  /** How long whatever must happen may take on a slow machine. */
  static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  final PrometheusRegistry registry = new PrometheusRegistry();
  final InMemoryMetricReader pushed = InMemoryMetricReader.create();
  final MetricsTelemetry metrics;
  final Telemetry telemetry;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newFixedThreadPool(4);

  /** Exports nothing but what the settings name. */
  MountedService(String... settings) {
    this(true, settings);
  }

  MountedService(boolean mounted, String... settings) {
    metrics = MetricsTelemetry.builder().setRegistry(registry).setMounted(mounted).build();
    Map<String, String> properties = new HashMap<>();
    properties.put("otel.traces.exporter", "none");
    properties.put("otel.metrics.exporter", "none");
    properties.put("otel.logs.exporter", "none");
    properties.put("telemetry.jvm.metrics", "false");
    for (int i = 0; i < settings.length; i += 2) {
      properties.put(settings[i], settings[i + 1]);
    }
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("bmc-gateway")
            .setMetrics(metrics)
            .addMetricReader(pushed);
    properties.forEach(builder::addProperty);
    telemetry = builder.build();
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    if (mounted) {
      server.createContext("/metrics", metrics.createHttpHandler());
    }
    server.start();
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/metrics");
  }

  /** What Prometheus gets in the old text format. */
  Exposition scrape() {
    return new Exposition(get(uri()).body());
  }

  static HttpResponse<String> get(URI uri, String... headers) {
    return get(uri, BodyHandlers.ofString(), headers);
  }

  static <T> HttpResponse<T> get(URI uri, HttpResponse.BodyHandler<T> body, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    try {
      return CLIENT.send(request.build(), body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    telemetry.close();
    server.stop(0);
    threads.shutdownNow();
  }
}
