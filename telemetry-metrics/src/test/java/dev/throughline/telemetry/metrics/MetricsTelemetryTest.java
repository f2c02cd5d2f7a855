// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import jakarta.servlet.http.HttpServlet;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPInputStream;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The door of the module: formats, servers, the port, and what throws. */
class MetricsTelemetryTest {

  private static final AttributeKey<String> BMC_TYPE = AttributeKey.stringKey("bmc.type");
  private static final Attributes IPMI = Attributes.of(BMC_TYPE, "ipmi");
  private static final String PROTOBUF =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

  @RegisterExtension static final TelemetryExtension log = TelemetryExtension.create();

  @Test
  void showsInstrumentsAndPushesThemToo() {
    try (MountedService service = new MountedService()) {
      LongCounter sessions = service.telemetry.meter().counterBuilder("vnc.sessions").build();
      sessions.add(2, IPMI);
      sessions.add(1, IPMI);

      assertThat(service.scrape().value("vnc_sessions_total{bmc_type=\"ipmi\"}")).isEqualTo(3);
      assertThat(service.pushed.collectAllMetrics())
          .filteredOn(metric -> metric.getName().equals("vnc.sessions"))
          .singleElement()
          .satisfies(
              metric ->
                  assertThat(metric.getLongSumData().getPoints())
                      .singleElement()
                      .satisfies(point -> assertThat(point.getValue()).isEqualTo(3)));
    }
  }

  @Test
  void answersInTheFormatThatIsAskedFor() throws Exception {
    try (MountedService service = new MountedService()) {
      service.telemetry.meter().counterBuilder("vnc.sessions").build().add(1);
      checkFormats(service.uri());
    }
  }

  @Test
  void answersAsAServletToo() throws Exception {
    MetricsTelemetry metrics =
        MetricsTelemetry.builder().setRegistry(new PrometheusRegistry()).build();
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    try (Telemetry telemetry = telemetry(metrics)) {
      HttpServlet servlet = metrics.createServlet();
      ServletContextHandler context = new ServletContextHandler();
      context.addServlet(new ServletHolder(servlet), "/metrics");
      server.setHandler(context);
      server.start();
      telemetry.meter().counterBuilder("vnc.sessions").build().add(1);

      checkFormats(URI.create("http://127.0.0.1:" + connector.getLocalPort() + "/metrics"));
    } finally {
      server.stop();
    }
  }

  private static Telemetry telemetry(MetricsTelemetry metrics) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .addProperty("otel.traces.exporter", "none")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .setMetrics(metrics)
        .build();
  }

  private static void checkFormats(URI uri) throws IOException {
    assertThat(MountedService.get(URI.create(uri + "?debug=text")).statusCode()).isEqualTo(200);
    assertThat(MountedService.get(URI.create(uri + "?debug=bogus")).statusCode()).isEqualTo(400);
    HttpResponse<String> text = MountedService.get(uri);
    assertThat(text.statusCode()).isEqualTo(200);
    assertThat(text.headers().firstValue("Content-Type"))
        .hasValue("text/plain; version=0.0.4; charset=utf-8");
    assertThat(text.body())
        .contains("# TYPE vnc_sessions_total counter", "\nvnc_sessions_total 1.0\n");

    HttpResponse<String> open = MountedService.get(uri, "Accept", MountedService.OPEN_METRICS);
    assertThat(open.headers().firstValue("Content-Type"))
        .hasValue("application/openmetrics-text; version=1.0.0; charset=utf-8");
    assertThat(open.body())
        .contains("# TYPE vnc_sessions counter", "\nvnc_sessions_total 1.0")
        .endsWith("# EOF\n");

    HttpResponse<byte[]> protobuf =
        MountedService.get(uri, BodyHandlers.ofByteArray(), "Accept", PROTOBUF);
    assertThat(protobuf.headers().firstValue("Content-Type").orElseThrow())
        .startsWith("application/vnd.google.protobuf");
    assertThat(new String(protobuf.body(), UTF_8)).contains("vnc_sessions_total");

    HttpResponse<byte[]> zipped =
        MountedService.get(uri, BodyHandlers.ofByteArray(), "Accept-Encoding", "gzip");
    assertThat(zipped.headers().firstValue("Content-Encoding")).hasValue("gzip");
    byte[] unzipped = new GZIPInputStream(new ByteArrayInputStream(zipped.body())).readAllBytes();
    assertThat(new String(unzipped, UTF_8)).contains("\nvnc_sessions_total 1.0\n");

    assertThat(MountedService.get(URI.create(uri + "?name[]=vnc_sessions")).body())
        .contains("\nvnc_sessions_total 1.0\n")
        .doesNotContain("target_info", "throughline_");
  }

  @Test
  void tellsTheResource() {
    try (MountedService service =
        new MountedService(
            "otel.resource.attributes",
            "service.instance.id=i-1,deployment.environment.name=dev")) {
      assertThat(service.scrape().series("target_info"))
          .containsExactlyEntriesOf(
              Map.of(
                  "target_info{deployment_environment_name=\"dev\",service_instance_id=\"i-1\","
                      + "service_name=\"bmc-gateway\",telemetry_sdk_language=\"java\","
                      + "telemetry_sdk_name=\"opentelemetry\",telemetry_sdk_version=\"1.65.0\"}",
                  1.0));
    }
  }

  @Test
  void tracesOfExemplarsAreThoseOfSpans() {
    try (MountedService service = new MountedService()) {
      LongCounter sessions = service.telemetry.meter().counterBuilder("vnc.sessions").build();
      DoubleHistogram durations =
          service.telemetry.meter().histogramBuilder("vnc.duration").setUnit("s").build();
      AtomicReference<Span> recorded = new AtomicReference<>();
      service
          .telemetry
          .span("vnc.connect")
          .run(
              span -> {
                recorded.set(span.span());
                sessions.add(1);
                durations.record(0.3);
              });
      String exemplar =
          "# {span_id=\"%s\",trace_id=\"%s\"} "
              .formatted(
                  recorded.get().getSpanContext().getSpanId(),
                  recorded.get().getSpanContext().getTraceId());

      String open = MountedService.get(service.uri(), "Accept", MountedService.OPEN_METRICS).body();
      assertThat(open.lines().filter(line -> line.contains(exemplar)))
          .anyMatch(line -> line.startsWith("vnc_sessions_total 1.0 " + exemplar + "1.0 "))
          .anyMatch(
              line ->
                  line.startsWith(
                      "vnc_duration_seconds_bucket{le=\"5.0\"} 1 " + exemplar + "0.3 "));
      assertThat(service.pushed.collectAllMetrics())
          .filteredOn(metric -> metric.getName().startsWith("vnc."))
          .hasSize(2)
          .allSatisfy(
              metric ->
                  assertThat(metric.getData().getPoints())
                      .flatExtracting(point -> point.getExemplars())
                      .singleElement()
                      .extracting("spanContext")
                      .isEqualTo(recorded.get().getSpanContext()));
    }
  }

  @Test
  void isPulledOnAPortOfItsOwnThatOnlyThisHostReaches() throws Exception {
    int port = freePort();
    try (MountedService service =
        new MountedService(
            false,
            "otel.metrics.exporter",
            "prometheus",
            "otel.exporter.prometheus.port",
            String.valueOf(port))) {
      service.telemetry.meter().counterBuilder("vnc.sessions").build().add(1);

      assertThat(MountedService.get(URI.create("http://localhost:" + port + "/metrics")).body())
          .contains("vnc_sessions_total 1.0");
      for (NetworkInterface network : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        for (InetAddress address : Collections.list(network.getInetAddresses())) {
          if (!address.isLoopbackAddress() && address instanceof Inet4Address) {
            assertThatThrownBy(() -> new Socket(address, port).close())
                .isInstanceOf(ConnectException.class);
          }
        }
      }
    }
    // Free again once telemetry is closed.
    new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
  }

  @Test
  void pushesAndIsPulledAtOnce() throws Exception {
    int port = freePort();
    CompletableFuture<String> pushed = new CompletableFuture<>();
    HttpServer collector =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/metrics",
        exchange -> {
          pushed.complete(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
    try (MountedService service =
        new MountedService(
            "otel.metrics.exporter",
            "otlp,prometheus",
            "otel.exporter.otlp.endpoint",
            "http://127.0.0.1:" + collector.getAddress().getPort() + "/v1/metrics",
            "otel.exporter.prometheus.port",
            String.valueOf(port))) {
      service.telemetry.meter().counterBuilder("vnc.sessions").build().add(1);
      Counter.builder().name("sol_sessions_total").register(service.registry).inc();

      assertThat(MountedService.get(URI.create("http://localhost:" + port + "/metrics")).body())
          .contains("vnc_sessions_total 1.0", "sol_sessions_total 1.0");
      assertThat(service.scrape().toString())
          .contains("vnc_sessions_total 1.0", "sol_sessions_total 1.0");
      service.telemetry.flush(MountedService.PATIENCE);
      assertThat(pushed.get()).contains("vnc.sessions", "sol_sessions_total");
    } finally {
      collector.stop(0);
    }
  }

  @Test
  void aTakenPortIsTold() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        MountedService service =
            new MountedService(
                "otel.metrics.exporter",
                "prometheus",
                "otel.exporter.prometheus.port",
                String.valueOf(taken.getLocalPort()))) {
      log.expectWarn(
          "Metrics can't be pulled at localhost:"
              + taken.getLocalPort()
              + " \\(OTEL_EXPORTER_PROMETHEUS_HOST and OTEL_EXPORTER_PROMETHEUS_PORT\\): .*in use");
      assertThat(service.telemetry.isEnabled()).isTrue();
      assertThat(service.scrape().names()).contains("throughline_scrapes_total");
    }
  }

  @Test
  void aHostThatDoesNotExistIsTold() {
    try (MountedService service =
        new MountedService(
            "otel.metrics.exporter",
            "prometheus",
            "otel.exporter.prometheus.host",
            "no-such-host.invalid")) {
      log.expectWarn("Metrics can't be pulled at no-such-host.invalid:9464 ");
      assertThat(service.telemetry.isEnabled()).isTrue();
    }
  }

  @Test
  void tellsWhereItWasNotGivenToTelemetry() throws Exception {
    PrometheusRegistry registry = new PrometheusRegistry();
    Counter.builder().name("old_total").register(registry).inc();
    MetricsTelemetry metrics = MetricsTelemetry.builder().setRegistry(registry).build();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/metrics", metrics.createHttpHandler());
    server.start();
    try {
      URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/metrics");
      for (int i = 0; i < 2; i++) {
        assertThat(new Exposition(MountedService.get(uri).body()).series())
            .isEqualTo(Map.of("old_total", 1.0));
      }
    } finally {
      server.stop(0);
    }
    log.expectWarn("What is pulled has no OpenTelemetry metrics: give the MetricsTelemetry to");
  }

  @Test
  void belongsToOneTelemetry() {
    MetricsTelemetry metrics =
        MetricsTelemetry.builder().setRegistry(new PrometheusRegistry()).build();
    try (Telemetry first = telemetry(metrics);
        Telemetry second = telemetry(metrics)) {
      assertThat(first.isEnabled()).isTrue();
      assertThat(second.isEnabled()).isFalse();
      log.expectWarn("This MetricsTelemetry belongs to another Telemetry");
    }
  }

  @Test
  void mountsNothingWhereItSaysSo() {
    MetricsTelemetry metrics = MetricsTelemetry.builder().setMounted(false).build();
    assertThatThrownBy(metrics::createHttpHandler).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(metrics::createServlet).isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        IllegalStateException.class,
        NoClassDefFoundError.class,
        ThreadDeath.class,
        AssertionError.class
      })
  void aCallbackThatThrowsCostsOnlyItself(Class<? extends Throwable> type) throws Exception {
    Throwable thrown = type.getDeclaredConstructor().newInstance();
    try (MountedService service = new MountedService()) {
      Meter meter = service.telemetry.meter();
      meter.gaugeBuilder("bmc.temperature").buildWithCallback(now -> sneak(thrown));
      meter.gaugeBuilder("bmc.fans").ofLongs().buildWithCallback(now -> sneak(thrown));
      meter
          .counterBuilder("bmc.reads")
          .setUnit("{read}")
          .ofDoubles()
          .setDescription("Reads")
          .buildWithCallback(now -> sneak(thrown));
      meter.upDownCounterBuilder("bmc.waiting").buildWithCallback(now -> sneak(thrown));
      ObservableLongMeasurement both = meter.counterBuilder("bmc.both").buildObserver();
      meter.batchCallback(() -> sneak(thrown), both);
      meter.gaugeBuilder("bmc.power").buildWithCallback(now -> now.record(7));
      meter.counterBuilder("vnc.sessions").build().add(1);
      for (int i = 0; i < 2; i++) {
        assertThat(service.scrape().names())
            .contains("vnc_sessions_total", "bmc_power")
            .doesNotContain("bmc_temperature", "bmc_fans", "bmc_reads_total", "bmc_waiting");
        assertThat(service.pushed.collectAllMetrics())
            .extracting(MetricData::getName)
            .contains("vnc.sessions", "bmc.power");
      }
      for (String instrument : List.of("bmc.temperature", "bmc.fans", "bmc.reads", "bmc.waiting")) {
        log.expectWarn("The callback of " + instrument + " of bmc-gateway threw in dev.through");
      }
      log.expectWarn("The callback of bmc.both of bmc-gateway threw in dev.throughline.telemetry");
    }
  }

  @SuppressWarnings("unchecked") // unchecked at run time too, which is the point
  private static <T extends Throwable> void sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  void aCollectorThatThrowsCostsOnlyItself() {
    try (MountedService service = new MountedService()) {
      Counter.builder().name("before_total").register(service.registry).inc();
      GaugeWithCallback.builder()
          .name("broken")
          .callback(
              callback -> {
                throw new NoSuchMethodError("of another version");
              })
          .register(service.registry);
      Counter.builder().name("zafter_total").register(service.registry).inc();

      assertThat(service.scrape().names())
          .contains("before_total", "zafter_total", "throughline_scrapes_total")
          .doesNotContain("broken");
      log.expectWarn("Collector.collect threw in dev.throughline.telemetry.metrics");
      assertThat(service.pushed.collectAllMetrics())
          .extracting(MetricData::getName)
          .contains("before_total", "zafter_total")
          .doesNotContain("broken");
    }
  }

  @Test
  void aCollectorOfNoNameThatThrowsCostsOnlyItself() {
    try (MountedService service = new MountedService()) {
      Counter.builder().name("before_total").register(service.registry).inc();
      service.registry.register(
          (Collector)
              () -> {
                throw new IllegalStateException("broken");
              });
      service.registry.register(
          (MultiCollector)
              () -> {
                throw new NoClassDefFoundError("broken too");
              });
      Counter.builder().name("zafter_total").register(service.registry).inc();
      assertThat(service.scrape().names())
          .contains("throughline_scrapes_total", "before_total", "zafter_total");
      assertThat(service.pushed.collectAllMetrics())
          .extracting(MetricData::getName)
          .contains("before_total", "zafter_total");
      log.expectWarn("Collector.collect threw in dev.throughline.telemetry.metrics");
    }
  }

  @Test
  void collectorsThatContradictEachOtherCostOneOfThem() {
    try (MountedService service = new MountedService()) {
      Counter.builder().name("before_total").register(service.registry).inc();
      // Collectors without names are found out only when they collect.
      service.registry.register(
          (Collector)
              () ->
                  GaugeSnapshot.builder()
                      .name("twice")
                      .dataPoint(GaugeDataPointSnapshot.builder().value(1).build())
                      .build());
      service.registry.register(
          (Collector)
              () ->
                  CounterSnapshot.builder()
                      .name("twice")
                      .dataPoint(CounterDataPointSnapshot.builder().value(2).build())
                      .build());
      assertThat(service.scrape().names())
          .contains("before_total")
          .containsAnyOf("twice", "twice_total");
      log.expectWarn("twice of the Prometheus client's registry, a .*, is left out");
    }
  }

  @Test
  void metricsOfTheJvmAreThereUnlessSwitchedOff() {
    try (MountedService service = new MountedService("telemetry.jvm.metrics", "")) {
      assertThat(service.scrape().names())
          .contains(
              "jvm_memory_used_bytes",
              "jvm_thread_count",
              "jvm_class_loaded_total",
              "jvm_cpu_time_seconds_total",
              "jvm_cpu_recent_utilization");
      assertThat(service.pushed.collectAllMetrics())
          .extracting(MetricData::getName)
          .contains("jvm.memory.used");
    }
    log.expectWarn("TELEMETRY_JVM_METRICS: \"\" can't be used");
    try (MountedService service = new MountedService("telemetry.jvm.metrics", "false")) {
      assertThat(service.scrape().names()).noneMatch(name -> name.startsWith("jvm_"));
    }
  }

  @Test
  void anUnknownSpellingOfNamesIsTold() {
    try (MountedService service = new MountedService("telemetry.prometheus.names", "short")) {
      log.expectWarn(
          "TELEMETRY_PROMETHEUS_NAMES: \"short\" can't be used; accepted: kept, translated; used"
              + " instead: kept");
      assertThat(service.scrape().names()).contains("throughline_scrapes_total");
    }
  }

  @Test
  void goesOnAnsweringAfterTheClose() {
    MountedService service = new MountedService();
    try (service) {
      service.telemetry.meter().counterBuilder("vnc.sessions").build().add(1);
      service.telemetry.close();
      assertThat(service.scrape().value("vnc_sessions_total")).isEqualTo(1);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
