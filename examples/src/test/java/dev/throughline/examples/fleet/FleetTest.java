// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Timeout.ThreadMode.SEPARATE_THREAD;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The fleet as a process of its own, which starts all the others. */
// A line that does not come is waited for where no interrupt helps.
@Timeout(value = 120, threadMode = SEPARATE_THREAD)
class FleetTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void killWhatAFailedTestLeaves() {
    for (Process process : started) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  @Test
  void onePrintsOneWholeTraceForEachJob() throws Exception {
    Run run = new Run(Map.of(), "--once", "--bmc-delay=10");
    String printed = run.toEnd();

    assertThat(run.exitCode()).as(printed).isZero();
    List<String> trees = trees(printed);
    assertThat(trees).hasSize(3);
    assertThat(trees.get(0))
        .startsWith("cli.vnc ")
        .contains("─ vnc.connect ", "─ websocket.session ");
    assertThat(trees.get(1))
        .startsWith("cli.sol ")
        .contains("─ sol.connect ", "─ websocket.receive ");
    assertThat(trees.get(2)).startsWith("cli.power ").contains("─ ipmi.chassis_control ");
    String readme = Files.readString(Path.of("README.md"));
    assertThat(timeless(trees.get(0))).isEqualTo(timeless(trees(readme).get(0)));
    assertThat(trees.subList(0, 2)).allMatch(tree -> tree.contains("baggage.session_id = "));
    assertThat(trees)
        .allSatisfy(
            tree ->
                assertThat(tree)
                    .contains("─ SELECT users ", "─ SELECT servers ")
                    .contains(" bmc-cli ", " bmc-manager ", " bmc-gateway ", " bmc-agent ", " bmc ")
                    .containsOnlyOnce("◀ bottleneck")
                    .doesNotContain("✗", "did not come in", "is lost here"));
    assertThat(printed)
        .contains("http.server.request.duration  bmc, bmc-gateway, bmc-manager")
        .contains("rpc.client.call.duration  bmc-agent")
        .contains("db.client.operation.duration  bmc-manager")
        .contains("db.client.connection.wait_time  bmc-manager")
        .doesNotContain("NOT WHOLE");
  }

  @Test
  void everyLineOfTheLogNamesItsTrace() throws Exception {
    Run run = new Run(Map.of("FLEET_LOG_LEVEL", "INFO"), "--once", "--bmc-delay=0");
    String printed = run.toEnd();

    assertThat(run.exitCode()).as(printed).isZero();
    List<JsonNode> lines = new ArrayList<>();
    for (MatchResult line :
        Pattern.compile("(?m)^\\[[a-z]+] (\\{.*})$").matcher(printed).results().toList()) {
      lines.add(new ObjectMapper().readTree(line.group(1)));
    }
    // At the start there is no trace yet.
    lines.removeIf(line -> line.path("message").asText().startsWith("Telemetry of "));
    // On a slow machine delivery may try again, which belongs to no trace either.
    lines.removeIf(
        line ->
            line.path("message")
                .asText()
                .matches("Delivery of [a-z ]+ to \\S+ fails and is tried again: .*"));
    assertThat(lines).allMatch(line -> line.path("trace_id").asText().length() == 32);

    String vnc = printed.replaceAll("(?s).*?A VNC session.*?trace ([0-9a-f]{32}).*", "$1");
    String session = printed.replaceAll("(?s).*Session (vnc-[0-9a-f]+) .*", "$1");
    List<JsonNode> ofVnc =
        lines.stream().filter(line -> line.path("trace_id").asText().equals(vnc)).toList();
    assertThat(ofVnc)
        .extracting(line -> line.path("component").asText())
        .contains("bmc-manager", "bmc-gateway", "bmc-agent", "bmc");
    assertThat(lines)
        .filteredOn(line -> line.path("session_id").asText().equals(session))
        .hasSizeGreaterThanOrEqualTo(3)
        .allMatch(line -> line.path("trace_id").asText().equals(vnc));
    assertThat(ofVnc)
        .filteredOn(line -> line.path("message").asText().equals("Opening the vnc console"))
        .singleElement()
        .satisfies(
            line -> {
              List<String> fields = new ArrayList<>();
              line.fieldNames().forEachRemaining(fields::add);
              assertThat(fields)
                  .startsWith("timestamp", "level", "message", "component", "trace_id", "span_id")
                  .hasSize(10)
                  .contains("customer_id", "server_id", "session_id", "datacenter");
              assertThat(line.path("level").asText()).isEqualTo("info");
              assertThat(line.path("timestamp").asText())
                  .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
            });
    assertThat(printed).contains("Log records came in as well:");
  }

  @Test
  void saysWhyATraceIsNotWhole() throws Exception {
    Run run = new Run(Map.of(), "--once", "--bmc-delay=0", "--env=agent:OTEL_PROPAGATORS=none");
    String printed = run.toEnd();

    assertThat(run.exitCode()).as(printed).isEqualTo(1);
    assertThat(trees(printed)).hasSize(3);
    assertThat(printed)
        .contains("NOT WHOLE: there is no span of bmc\n")
        .contains("NOT WHOLE: there is no span of bmc-agent\n")
        .contains(
            "NOT WHOLE: agent.open_vnc of bmc-gateway was continued by no service: bmc-agent\n");
  }

  @Test
  void runsTheSameJobsWithTelemetryOff() throws Exception {
    Run run = new Run(Map.of("OTEL_SDK_DISABLED", "true"), "--once", "--bmc-delay=0");
    String printed = run.toEnd();

    assertThat(run.exitCode()).as(printed).isZero();
    assertThat(printed)
        .contains("Telemetry is off (OTEL_SDK_DISABLED=true).")
        .contains("shows \"Simulated server\"")
        .contains("says \"Serial console, power is on\"")
        .contains("The power of srv-1 is on");
    assertThat(trees(printed)).isEmpty();
  }

  @Test
  void sendsTracesToTheReceiverThatTheEnvironmentNames() throws Exception {
    try (OtlpReceiver receiver = new OtlpReceiver()) {
      Map<String, String> environment = Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint());
      Run run = new Run(environment, "--once", "--bmc-delay=0");
      String printed = run.toEnd();

      assertThat(run.exitCode()).as(printed).isZero();
      assertThat(printed).contains("sent to " + receiver.endpoint());
      List<String> traceIds =
          Pattern.compile("trace ([0-9a-f]{32})")
              .matcher(printed)
              .results()
              .map(found -> found.group(1))
              .toList();
      assertThat(traceIds).hasSize(3);
      for (int job = 0; job < 3; job++) {
        Expectation whole = Job.all("srv-1").get(job).trace();
        List<ReceivedSpan> spans =
            receiver.store().awaitTrace(traceIds.get(job), whole::isMet, TIMEOUT);
        assertThat(whole.gaps(new TraceTree(spans))).isEmpty();
      }
    }
  }

  @Test
  void staysAndPrintsTheTracesOfOthersUntilItIsStopped() throws Exception {
    Run run = new Run(Map.of(), "--bmc-delay=0");
    String line = run.until("/servers/srv-1/power");
    URI power = URI.create(line.replaceAll(".*(http://\\S+).*", "$1"));
    String token = run.printed().replaceAll("(?s).*Bearer ([^']+)'.*", "$1");
    List<ProcessHandle> services = run.process.descendants().toList();
    assertThat(services).hasSize(4);

    switchOff(power, token, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    String tree = "";
    // Where some of its spans are late it is printed again, and must not be taken for the next one.
    while (spans(tree) < 13) {
      run.until("trace 4bf92f3577b34da6a3ce929d0e0e4736");
      run.until("(span 00f067aa0ba902b7, which did not come in)");
      tree = run.paragraph();
    }
    assertThat(tree)
        .containsSubsequence(
            "└─ POST /servers/{id}/power ",
            "│    baggage.customer_id = c1",
            "GET /redfish/v1/Systems/1 ",
            "ipmi.get_chassis_status ");

    switchOff(power, token, "00-4bf92f3577b34da6a3ce929d0e0e4736-malformed");
    assertThat(run.until("trace ")).doesNotContain("4bf92f3577b34da6a3ce929d0e0e4736");
    run.until("POST /servers/{id}/power ");

    run.process.destroy();
    assertAllEnd(run.process, services);
  }

  @Test
  void leavesNothingBehindWhenItIsKilled() throws Exception {
    Run run = new Run(Map.of("OTEL_SDK_DISABLED", "true"), "--bmc-delay=0");
    run.until("Try it");
    List<ProcessHandle> services = run.process.descendants().toList();
    assertThat(services).hasSize(4);

    run.process.destroyForcibly();
    assertAllEnd(run.process, services);
  }

  @Test
  void saysWhichServiceDidNotStart() throws Exception {
    Run run = new Run(Map.of(), "--once", "--env=gateway:FLEET_TOKEN_KEY=short");
    String printed = run.toEnd();

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(printed)
        .contains("[gateway] ")
        .contains("The key must have at least 32 bytes")
        .contains("The fleet failed: The gateway ended before it listened");
  }

  @Test
  void saysWhatIsWrongWithItsOptions() throws Exception {
    Run run = new Run(Map.of(), "--env=gatway:A=b");
    String printed = run.toEnd();

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(printed).startsWith("There is no process gatway\n").contains("fleet [--once]");
  }

  private static void switchOff(URI power, String token, String traceparent) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(power)
            .header("traceparent", traceparent)
            .header("baggage", "customer_id=c1")
            .header("Authorization", "Bearer " + token)
            .POST(BodyPublishers.ofString("{\"action\":\"off\"}"))
            .timeout(TIMEOUT)
            .build();
    assertThat(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body())
        .isEqualTo("{\"power\":\"off\"}");
  }

  private static void assertAllEnd(Process fleet, List<ProcessHandle> services) throws Exception {
    assertThat(fleet.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    for (ProcessHandle service : services) {
      service.onExit().get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    }
  }

  /** The blocks of lines that begin with a root and its box. */
  private static List<String> trees(String printed) {
    Matcher matcher = Pattern.compile("(?m)^cli\\..*\n(?:[ │├└].*\n)+").matcher(printed);
    return matcher.results().map(MatchResult::group).toList();
  }

  private static long spans(String tree) {
    return tree.lines().filter(line -> line.matches("[ │]*[├└]─ (?!connection\\.wait ).*")).count();
  }

  private static String timeless(String tree) {
    // A wait shows where this machine was slow just then.
    return tree.replaceAll("(?m)^.*─ connection\\.wait .*\\R", "")
        .replaceAll(" +[0-9.]+ ms.*", "")
        .replaceAll("vnc-[0-9a-f]{8}", "vnc-1")
        .replaceAll("  +(bmc)", " $1");
  }

  /** A fleet, and what it has printed by now. */
  private final class Run {

    final Process process;
    private final BufferedReader output;
    private final StringBuilder printed = new StringBuilder();

    Run(Map<String, String> environment, String... arguments) throws IOException {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-cp", System.getProperty("java.class.path"), Fleet.class.getName()));
      command.addAll(List.of(arguments));
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().keySet().removeIf(name -> name.startsWith("OTEL_"));
      // On a busy machine the last spans take their time.
      builder.environment().put("TELEMETRY_CLOSE_TIMEOUT", "10s");
      builder.environment().putAll(environment);
      process = builder.start();
      started.add(process);
      output = process.inputReader(UTF_8);
    }

    /** Reads on to a line with this in it. */
    String until(String part) throws IOException {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        printed.append(line).append('\n');
        if (line.contains(part)) {
          return line;
        }
      }
      throw new AssertionError("The fleet ended without " + part + ":\n" + printed);
    }

    /** Reads on to an empty line. */
    String paragraph() throws IOException {
      int start = printed.length();
      while (!until("").isEmpty()) {}
      return printed.substring(start);
    }

    String toEnd() throws IOException {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        printed.append(line).append('\n');
      }
      return printed();
    }

    String printed() {
      return printed.toString();
    }

    int exitCode() throws InterruptedException {
      return process.waitFor();
    }
  }
}
