// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Names, labels and values that one of the formats can't write, in each format and escaping scheme:
 * what can't be written costs itself, and no scrape fails.
 */
class FormatsTest {

  private static final String TEXT = "text/plain;version=0.0.4";
  private static final String OPEN_METRICS = "application/openmetrics-text;version=1.0.0";
  private static final String PROTOBUF =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

  @RegisterExtension static final TelemetryExtension log = TelemetryExtension.create();

  private MountedService service;

  @BeforeEach
  void record() {
    service = new MountedService("otel.resource.attributes", "team=acme,-=nothing");
    Meter meter = service.telemetry.meter();
    meter.counterBuilder("good").build().add(1);
    meter.counterBuilder("my-requests").build().add(2);
    meter.counterBuilder("my/errors-total").build().add(3);
    meter.counterBuilder("x_total_total").build().add(4);
    meter.histogramBuilder("my-latency").setUnit("s").build().record(1);
    meter.histogramBuilder("io.rate").setUnit("By/s").build().record(1);
    meter.gaugeBuilder("odd.values").build().set(Double.POSITIVE_INFINITY);
    meter.gaugeBuilder("infinite").build().set(Double.NEGATIVE_INFINITY);
    meter.gaugeBuilder("build_info").build().set(1);
    meter.gaugeBuilder("jobs_created").build().set(1);
    meter
        .counterBuilder("labels")
        .build()
        .add(
            1,
            Attributes.builder()
                .put("a-b", "one")
                .put("a_b", "two")
                .put("__name__", "reserved")
                .put("schlüssel", "non-ASCII")
                .put("1st", "digit")
                .put("control", "tab\t, CR\r, LF\n, NUL\0, bell\u0007, quote\", backslash\\")
                .put("lone", "a\uD83D b")
                .put("emoji", "\uD83D\uDE00")
                .put("empty", "")
                .build());
    DoubleHistogram withLe = meter.histogramBuilder("with_le").build();
    withLe.record(1, Attributes.of(AttributeKey.stringKey("le"), "0.5"));
    withLe.record(1, Attributes.of(AttributeKey.stringKey("kind"), "fits"));
    LongCounter noLabel = meter.counterBuilder("no_label").build();
    noLabel.add(1, Attributes.of(AttributeKey.stringKey("ключ"), "v"));
    noLabel.add(2);
    Gauge.builder()
        .name("utf.8-gauge")
        .labelNames("a.b")
        .register(service.registry)
        .labelValues("v")
        .set(1);
    Counter.builder().name("héllo").register(service.registry).inc();
    Gauge.builder()
        .name("old_underscored")
        .labelNames("_id")
        .register(service.registry)
        .labelValues("1")
        .set(1);
    Histogram.builder().name("old-latency").register(service.registry).observe(1);
    Info.builder().name("old-build").labelNames("v").register(service.registry).setLabelValues("1");
  }

  @AfterEach
  void close() {
    service.close();
    log.expectWarn(
        "^with_le of bmc-gateway is left out of .*, points with the attribute \"le\": P");
    log.expectWarn(
        "^no_label of bmc-gateway is left out .*, points with the attribute \"ключ\": P");
  }

  private HttpResponse<byte[]> scrape(String accept) {
    HttpResponse<byte[]> answer =
        MountedService.get(service.uri(), BodyHandlers.ofByteArray(), "Accept", accept);
    assertThat(answer.statusCode()).as(new String(answer.body(), UTF_8)).isEqualTo(200);
    return answer;
  }

  private static String accept(String format, String escaping) {
    return escaping.isEmpty() ? format : format + ";escaping=" + escaping;
  }

  @ParameterizedTest
  @CsvSource({
    "''",
    "underscores",
    "allow-utf-8",
    "values",
    "bogus",
  })
  void aNameIsTheSameInEachScheme(String escaping) {
    for (String format : List.of(TEXT, OPEN_METRICS)) {
      Exposition scraped =
          new Exposition(new String(scrape(accept(format, escaping)).body(), UTF_8));
      assertThat(scraped.series())
          .containsEntry("good_total", 1.0)
          .containsEntry("my_requests_total", 2.0)
          .containsEntry("my_errors_total", 3.0)
          .containsEntry("x_total_total", 4.0)
          .containsEntry("my_latency_sum", 1.0)
          .containsEntry("io_rate_bytes_per_second_sum", 1.0)
          .containsEntry("infinite", Double.NEGATIVE_INFINITY)
          .containsKeys("odd_values", "build_info", "jobs_created");
      assertThat(scraped.series("labels_total"))
          .hasSize(1)
          .allSatisfy(
              (series, value) ->
                  assertThat(series)
                      .contains(
                          "a_b=\"one;two\"",
                          "name_=\"reserved\"",
                          "key_1st=\"digit\"",
                          "LF\\n",
                          "quote\\\"",
                          "backslash\\\\",
                          "emoji=\"\uD83D\uDE00\""));
      assertThat(scraped.series("target_info"))
          .hasSize(1)
          .allSatisfy((series, value) -> assertThat(series).contains("team=\"acme\""));
      assertThat(scraped.series("with_le_sum"))
          .isEqualTo(Map.of("with_le_sum{kind=\"fits\"}", 1.0));
      assertThat(scraped.series("no_label")).isEqualTo(Map.of("no_label_total", 2.0));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {TEXT, OPEN_METRICS})
  void dotsDoublesUnderscores(String format) {
    assertThat(new Exposition(new String(scrape(accept(format, "dots")).body(), UTF_8)).series())
        .containsEntry("good_total", 1.0)
        .containsEntry("my__requests_total", 2.0)
        .containsEntry("x__total__total", 4.0)
        .containsEntry("io__rate__bytes__per__second_sum", 1.0);
    toldOfDots();
  }

  /** A label that begins with two underscores is Prometheus's own. */
  private static void toldOfDots() {
    log.expectWarn(
        "^labels of bmc-gateway is left out of what is pulled, in the escaping scheme dots: .*"
            + "__name__");
    log.expectWarn("^old_underscored of the Prometheus client's registry is left out of .* dots: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "underscores", "allow-utf-8", "values", "dots", "bogus"})
  void protobufHasWhatTheTextHas(String escaping) {
    String body = new String(scrape(accept(PROTOBUF, escaping)).body(), UTF_8);
    assertThat(body).contains("good_total", "x_", "team", "acme");
    if (escaping.equals("dots")) {
      toldOfDots();
    }
  }

  @Test
  void namesOfPrometheusThreeAreTheServicesOwnOnlyForItsCollectors() {
    String body = new String(scrape(accept(TEXT, "allow-utf-8")).body(), UTF_8);
    Set<String> quoted = new TreeSet<>();
    body.lines()
        .filter(line -> line.startsWith("{"))
        .forEach(line -> quoted.add(line.replaceAll("^\\{\"([^\"]*)\".*", "$1")));
    assertThat(quoted)
        .containsExactlyInAnyOrder(
            "utf.8-gauge",
            "héllo_total",
            "old-latency_bucket",
            "old-latency_count",
            "old-latency_sum",
            "old-build_info");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "underscores", "values", "dots"})
  void promtoolReadsIt(String escaping) throws Exception {
    String promtool = program("promtool");
    assertThat(faults(promtool, scrape(accept(TEXT, escaping)).body()))
        .doesNotContain("error while linting");
    if (escaping.equals("dots")) {
      toldOfDots();
    }
  }

  private static String program(String name) {
    String program =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .map(folder -> Path.of(folder, name))
            .filter(Files::isExecutable)
            .map(Path::toString)
            .findFirst()
            .orElse(null);
    Assumptions.assumeTrue(program != null, name + " is not installed");
    return program;
  }

  @Test
  void prometheusTakesIt(@TempDir Path folder) throws Exception {
    String prometheus = program("prometheus");
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Path configuration = folder.resolve("prometheus.yml");
    Files.writeString(
        configuration,
        """
        scrape_configs:
          - job_name: service
            scrape_interval: 1s
            scrape_timeout: 1s
            static_configs:
              - targets: ["%s"]
        """
            .formatted(service.uri().getAuthority()));
    Process process =
        new ProcessBuilder(
                prometheus,
                "--config.file=" + configuration,
                "--storage.tsdb.path=" + folder.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("prometheus.log").toFile())
            .start();
    try {
      for (String series :
          List.of(
              "good_total",
              "x_total_total",
              "my_requests_total",
              "labels_total{a_b=\"one;two\"}",
              "with_le_bucket{kind=\"fits\"}",
              "no_label_total",
              "utf_8_gauge")) {
        awaitSeries(URI.create("http://127.0.0.1:" + port), series);
      }
    } finally {
      process.destroy();
      process.waitFor();
    }
  }

  private static void awaitSeries(URI prometheus, String series) {
    URI query = prometheus.resolve("/api/v1/query?query=" + URLEncoder.encode(series, UTF_8));
    long deadline = System.nanoTime() + MountedService.PATIENCE.toNanos();
    String answer = "";
    while (!answer.contains("\"value\"")) {
      assertThat(System.nanoTime()).as(series + ": " + answer).isLessThan(deadline);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      try {
        answer = MountedService.get(query).body();
      } catch (UncheckedIOException e) {
        answer = "does not listen yet";
      }
    }
  }

  private static String faults(String promtool, byte[] metrics)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(promtool, "check", "metrics").redirectErrorStream(true).start();
    try (OutputStream in = process.getOutputStream()) {
      in.write(metrics);
    }
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    process.waitFor();
    return output;
  }

  @Test
  void twoNamesThatAreOneInAnEscapingSchemeAreToldBoth() {
    Meter meter = service.telemetry.meter();
    meter.gaugeBuilder("my-clash").build().set(1);
    meter.counterBuilder("my_clash").build().add(2);
    meter.counterBuilder("joined-up").build().add(1);
    meter.counterBuilder("joined_up").build().add(1);
    for (String escaping : List.of("underscores", "allow-utf-8")) {
      Map<String, Double> series =
          new Exposition(new String(scrape(accept(TEXT, escaping)).body(), UTF_8)).series();
      assertThat(series).containsEntry("good_total", 1.0).containsEntry("joined_up_total", 1.0);
    }
    log.expectWarn(
        "my.clash of bmc-gateway, a .*, is left out of what is pulled: my.clash of bmc-gateway, a");
    log.expectWarn("joined.up of bmc-gateway and joined.up of bmc-gateway have the same labels");
  }
}
