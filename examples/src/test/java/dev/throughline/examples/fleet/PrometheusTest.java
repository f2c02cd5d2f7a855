// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.throughline.examples.auth.Secrets;
import dev.throughline.examples.service.ReadyLine;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real Prometheus pulls the fleet's metrics, which lead to the fleet's traces. */
@Timeout(120)
class PrometheusTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What promtool finds fault with in the names that OpenTelemetry gives. */
  private static final Set<String> NOT_OURS =
      Set.of(
          "target_info no help text",
          "db_client_connection_count non-histogram and non-summary metrics should not have"
              + " \"_count\" suffix",
          "jvm_class_count non-histogram and non-summary metrics should not have \"_count\" suffix",
          "jvm_cpu_count non-histogram and non-summary metrics should not have \"_count\" suffix",
          "jvm_thread_count non-histogram and non-summary metrics should not have \"_count\""
              + " suffix");

  private final HttpClient client = HttpClient.newHttpClient();
  private final Map<String, String> secrets =
      Map.of(Secrets.TOKEN_KEY, "k".repeat(32), Secrets.PASSWORD, "a-password-of-this-test");
  private final List<Process> started = new ArrayList<>();
  private final Map<Role, ReadyLine> services = new HashMap<>();
  private Destination destination;

  @TempDir Path folder;

  @AfterEach
  void stopPrometheus() throws InterruptedException {
    for (Process process : started) {
      process.destroy();
      if (!process.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    }
  }

  @Test
  void pullsTheFleetAndLeadsToItsTraces() throws Exception {
    String prometheus = program("prometheus");
    String promtool = program("promtool");
    try (OtlpReceiver receiver = new OtlpReceiver();
        Processes processes = new Processes(System.err)) {
      startFleet(processes, receiver, Map.of());
      URI api = start(prometheus);
      await(
          api,
          "targets?state=active",
          data ->
              data.get("activeTargets").size() == services.size()
                  && data.findValuesAsText("health").stream().allMatch("up"::equals));

      // Now, since an exemplar is in the first scrape after it was recorded, and no other.
      String end = runJobs(processes, receiver);

      JsonNode counted =
          await(
              api,
              "query?query=" + encoded("sum(gateway_sessions_total)"),
              data -> data.at("/result/0/value/1").asText().equals("2"));
      assertThat(counted.get("resultType").asText()).isEqualTo("vector");
      for (Role role : services.keySet()) {
        await(
            api,
            "query?query="
                + encoded("count({job=\"" + role.word() + "\",__name__=~\".+_bucket\"})"),
            data -> data.at("/result/0/value/1").asInt() > 0);
        await(
            api,
            "query?query=" + encoded("target_info{job=\"" + role.word() + "\"}"),
            data ->
                data.at("/result/0/metric/service_name").asText().equals(role.service())
                    && data.at("/result").size() == 1);
      }
      assertThat(exemplars(api, "gateway_sessions_total", end, receiver)).isNotEmpty();
      assertThat(exemplars(api, "http_server_request_duration_seconds_bucket", end, receiver))
          .isNotEmpty();
      for (ReadyLine service : services.values()) {
        assertThat(faults(promtool, metrics(service)))
            .contains("target_info no help text")
            .isSubsetOf(NOT_OURS);
      }
    }
  }

  @Test
  void everySeriesIsStillThereWithTelemetryOff() throws Exception {
    Map<String, Set<String>> on = seriesOf(Map.of(), Map.of());
    Map<String, Set<String>> off = seriesOf(Map.of("OTEL_SDK_DISABLED", "true"), on);

    assertThat(on.get(Role.GATEWAY.service()))
        .contains("gateway_sessions_total{kind=\"vnc\"}")
        .anyMatch(series -> series.startsWith("http_server_request_duration_seconds_count{"))
        .anyMatch(series -> series.startsWith("rpc_server_call_duration_seconds_count{"))
        .anyMatch(series -> series.startsWith("jvm_memory_used_bytes{"));
    assertThat(on.get(Role.AGENT.service()))
        .anyMatch(series -> series.startsWith("http_client_request_duration_seconds_count{"));
    on.forEach((service, series) -> assertThat(off.get(service)).containsAll(series));
  }

  /**
   * What each service shows after the jobs, once that has all that is wanted: the end of a stream
   * is recorded when the command that held it may be gone.
   */
  private Map<String, Set<String>> seriesOf(
      Map<String, String> environment, Map<String, Set<String>> wanted) throws Exception {
    Map<String, Set<String>> series = new HashMap<>();
    try (OtlpReceiver receiver = new OtlpReceiver();
        Processes processes = new Processes(System.err)) {
      startFleet(processes, receiver, environment);
      runJobs(processes, receiver);
      long deadline = System.nanoTime() + TIMEOUT.toNanos();
      for (Map.Entry<Role, ReadyLine> service : services.entrySet()) {
        String name = service.getKey().service();
        Set<String> shown = lasting(metrics(service.getValue()));
        while (!shown.containsAll(wanted.getOrDefault(name, Set.of()))
            && System.nanoTime() < deadline) {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
          shown = lasting(metrics(service.getValue()));
        }
        series.put(name, shown);
      }
    }
    return series;
  }

  /** But for those of threads and the garbage collector, which come and go, and of exporters. */
  private static Set<String> lasting(String metrics) {
    Set<String> series = new HashSet<>();
    metrics
        .lines()
        .filter(line -> !line.matches("(#|otlp_exporter|jvm_(gc|memory_used_after|thread)).*"))
        .map(line -> line.replaceAll(" [^ ]+$", ""))
        .map(line -> line.replaceAll("(service_instance_id|server_port)=\"[^\"]*\"", "$1"))
        .forEach(series::add);
    return series;
  }

  private void startFleet(
      Processes processes, OtlpReceiver receiver, Map<String, String> environment)
      throws Exception {
    services.clear();
    Map<String, String> all = new HashMap<>(environment);
    all.put("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint());
    destination = Destination.of(all);
    start(processes, Role.BMC);
    start(processes, Role.GATEWAY);
    start(
        processes,
        Role.AGENT,
        "--server=srv-1,ipmi," + services.get(Role.BMC).uri("redfish"),
        "--gateway=" + services.get(Role.GATEWAY).uri("grpc"));
    start(processes, Role.MANAGER, "--server=srv-1,ber1," + services.get(Role.GATEWAY).uri("http"));
  }

  private void start(Processes processes, Role role, String... arguments) throws Exception {
    services.put(role, processes.startService(role, environment(role), arguments));
  }

  private Map<String, String> environment(Role role) {
    Map<String, String> environment = destination.environment(role, null);
    environment.putAll(secrets);
    environment.put("OTEL_BSP_SCHEDULE_DELAY", "100");
    return environment;
  }

  /** All jobs of the fleet; gives the time at their end. */
  private String runJobs(Processes processes, OtlpReceiver receiver) throws Exception {
    for (Job job : Job.all("srv-1")) {
      List<String> arguments = new ArrayList<>(job.command());
      arguments.add("--manager=" + services.get(Role.MANAGER).uri("http"));
      Processes.Result result = processes.run(Role.CLI, environment(Role.CLI), arguments);
      assertThat(result.exitCode()).as(result.lines().toString()).isZero();
    }
    return String.valueOf(Instant.now().plusSeconds(60).getEpochSecond());
  }

  /** Each of a trace that came in. */
  private Set<String> exemplars(URI api, String metric, String end, OtlpReceiver receiver)
      throws Exception {
    String start = String.valueOf(Instant.now().minusSeconds(300).getEpochSecond());
    JsonNode data =
        await(
            api,
            "query_exemplars?query=" + encoded(metric) + "&start=" + start + "&end=" + end,
            found -> found.size() > 0);
    Set<String> traceIds = new HashSet<>(data.findValuesAsText("trace_id"));
    for (String traceId : traceIds) {
      assertThat(receiver.store().awaitTrace(traceId, spans -> !spans.isEmpty(), TIMEOUT))
          .as(traceId)
          .isNotEmpty();
    }
    return traceIds;
  }

  /** Its targets are the services, each a job of its own. */
  private URI start(String prometheus) throws Exception {
    // A scrape may take as long as the interval; with one that is given up, its exemplars are gone.
    StringBuilder config = new StringBuilder("global: {scrape_interval: 5s}\nscrape_configs:\n");
    services.forEach(
        (role, service) ->
            config.append(
                "- job_name: %s\n  static_configs: [{targets: ['127.0.0.1:%s']}]\n"
                    .formatted(role.word(), port(role, service))));
    Path file = Files.writeString(folder.resolve("prometheus.yml"), config);
    int port = freePort();
    started.add(
        new ProcessBuilder(
                prometheus,
                "--config.file=" + file,
                "--storage.tsdb.path=" + folder.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port,
                "--enable-feature=exemplar-storage")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("prometheus.log").toFile())
            .start());
    return URI.create("http://127.0.0.1:" + port + "/api/v1/");
  }

  private static int port(Role role, ReadyLine service) {
    return service.uri(role == Role.BMC ? "redfish" : "http").getPort();
  }

  private String metrics(ReadyLine service) throws Exception {
    int port = service.uri(service.ports().containsKey("http") ? "http" : "redfish").getPort();
    return get(URI.create("http://127.0.0.1:" + port + "/metrics"));
  }

  /** Asks until the answer is the wanted one; Prometheus is up, and scrapes, when it can. */
  private JsonNode await(URI api, String query, Predicate<JsonNode> wanted) throws Exception {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (true) {
      String answer;
      try {
        answer = get(api.resolve(query));
        JsonNode data = JSON.readTree(answer).path("data");
        if (wanted.test(data)) {
          return data;
        }
      } catch (IOException e) {
        answer = e.toString();
      }
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            query + " gives " + answer + "\n" + Files.readString(folder.resolve("prometheus.log")));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
    }
  }

  private String get(URI uri) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(uri).timeout(TIMEOUT).build();
    return client.send(request, BodyHandlers.ofString()).body();
  }

  private static Set<String> faults(String promtool, String metrics) throws Exception {
    Process process =
        new ProcessBuilder(promtool, "check", "metrics").redirectErrorStream(true).start();
    try (var input = process.getOutputStream()) {
      input.write(metrics.getBytes(UTF_8));
    }
    return new HashSet<>(process.inputReader(UTF_8).lines().toList());
  }

  private static String encoded(String query) {
    return URLEncoder.encode(query, UTF_8);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Skips the test where there is none. */
  private static String program(String name) {
    for (String path : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      Path program = Path.of(path, name);
      if (Files.isExecutable(program)) {
        return program.toString();
      }
    }
    return Assumptions.abort("There is no " + name + " on the path: apt-get install prometheus");
  }
}
