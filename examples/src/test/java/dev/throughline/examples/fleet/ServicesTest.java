// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.examples.agent.Agent;
import dev.throughline.examples.agent.BmcType;
import dev.throughline.examples.agent.ManagedServer;
import dev.throughline.examples.auth.Tokens;
import dev.throughline.examples.bmc.Bmc;
import dev.throughline.examples.cli.Cli;
import dev.throughline.examples.gateway.Gateway;
import dev.throughline.examples.manager.KnownServer;
import dev.throughline.examples.manager.Manager;
import dev.throughline.examples.manager.Operator;
import dev.throughline.telemetry.Telemetry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All services in this process, each with telemetry of its own that goes out over OTLP. */
class ServicesTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final String PASSWORD = "a-password-that-no-span-may-have";

  private static final Map<BmcType, String> HARDWARE =
      Map.of(
          BmcType.IPMI,
          """
          GET of bmc-agent
            GET /redfish/v1/Systems/1 of bmc
          ipmi.chassis_control of bmc-agent
          ipmi.get_chassis_status of bmc-agent
          """,
          BmcType.REDFISH,
          """
          POST of bmc-agent
            POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset of bmc
          GET of bmc-agent
            GET /redfish/v1/Systems/1 of bmc
          """);

  private final Tokens tokens = new Tokens("k".repeat(32), Clock.systemUTC());
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private OtlpReceiver receiver;
  private Bmc bmc;
  private Gateway gateway;
  private Agent agent;
  private Cli cli;

  @BeforeEach
  void startReceiver() throws IOException {
    receiver = opened(new OtlpReceiver());
  }

  private void start(BmcType type) throws IOException {
    start(type, TIMEOUT);
  }

  private void start(BmcType type, Duration hardwareTimeout) throws IOException {
    bmc = opened(new Bmc(telemetry(Role.BMC), Duration.ZERO));
    gateway = opened(new Gateway(telemetry(Role.GATEWAY), tokens, "ber1", 0));
    startAgent(type, hardwareTimeout);
    Manager manager =
        opened(
            new Manager(
                telemetry(Role.MANAGER),
                tokens,
                new Operator("ada", PASSWORD, "acme"),
                new KnownServer("srv-1", "ber1", gateway.uri()),
                0));
    cli = cli(manager.uri(), PASSWORD);
  }

  private void startAgent(BmcType type, Duration hardwareTimeout) {
    ManagedServer server = new ManagedServer("srv-1", type, bmc.redfish());
    agent =
        opened(
            new Agent(
                telemetry(Role.AGENT), "agent-1", server, hardwareTimeout, gateway.agentUri()));
  }

  private Cli cli(URI manager, String password) {
    PrintStream out = new PrintStream(printed, true, UTF_8);
    return new Cli(telemetry(Role.CLI), manager, "ada", password, out);
  }

  @AfterEach
  void stop() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }

  @Test
  void aVncSessionIsOneTrace() throws Exception {
    start(BmcType.IPMI);
    assertThat(cli.run(List.of("vnc", "srv-1"))).isTrue();

    assertThat(printed()).contains("shows \"Simulated server\", 640 x 480 pixels");
    assertThat(tree(0))
        .isEqualTo(
            """
            cli.vnc of bmc-cli
              POST of bmc-cli
                POST /auth of bmc-manager
                  SELECT users of bmc-manager
                  jwt.sign of bmc-manager
              fleet.v1.FleetService/GetServer of bmc-cli
                fleet.v1.FleetService/GetServer of bmc-manager
                  jwt.validate of bmc-manager
                  SELECT servers of bmc-manager
              POST of bmc-cli
                POST /CreateVNCSession of bmc-gateway
                  jwt.validate of bmc-gateway
                  session.create of bmc-gateway
                  agent.open_vnc of bmc-gateway
                    vnc.open of bmc-agent
                      GET of bmc-agent
                        GET /redfish/v1/Systems/1 of bmc
                      vnc.connect of bmc-agent
                        tcp.dial of bmc-agent
                      fleet.v1.AgentService/Console of bmc-agent
                        fleet.v1.AgentService/Console of bmc-gateway
              GET of bmc-cli
                GET /sessions/{id} of bmc-gateway
                  websocket.session of bmc-gateway
                websocket.session of bmc-cli
              vnc.view of bmc-cli
            """);
  }

  @Test
  void framesPassThroughAndHaveNoSpans() throws Exception {
    start(BmcType.IPMI);
    cli.run(List.of("vnc", "srv-1"));

    assertThat(printed()).contains("and sent 3 frames");
    Map<String, String> session = find(trace(0), "websocket.session of bmc-gateway").attributes();
    assertThat(session)
        .containsEntry("throughline.websocket.close.code", "1000")
        .containsEntry("throughline.websocket.messages.received", "6");
    // A frame of 64 x 64 pixels has 16 KiB.
    assertThat(Integer.parseInt(session.get("throughline.websocket.bytes.sent")))
        .isGreaterThan(3 * 64 * 64 * 4);
  }

  @Test
  void aLineThatIsTypedHasASpanOnBothSides() throws Exception {
    start(BmcType.IPMI);
    assertThat(cli.run(List.of("sol", "srv-1"))).isTrue();

    assertThat(printed()).contains("and echoes \"are you there\"");
    assertThat(tree(1))
        .contains(
            """
              sol.view of bmc-cli
                websocket.send of bmc-cli
                  websocket.receive of bmc-gateway
            """);
  }

  @Test
  void anotherAgentMayTakeThePlaceOfOneThatLeft() throws Exception {
    start(BmcType.IPMI);
    assertThat(cli.run(List.of("power", "srv-1", "off"))).isTrue();
    agent.close();
    assertThat(cli.run(List.of("power", "srv-1", "on"))).isFalse();
    assertThat(printed()).contains("Failed: ").contains("answered 504");
    startAgent(BmcType.IPMI, TIMEOUT);
    assertThat(cli.run(List.of("power", "srv-1", "on"))).isTrue();
  }

  @Test
  void theHardwareKnowsWhoseSessionItIs() throws Exception {
    start(BmcType.REDFISH);
    cli.run(List.of("sol", "srv-1"));

    assertThat(printed()).contains("says \"Serial console, power is on\"");
    ReceivedSpan hardware = span(trace(1), "bmc");
    String sessionId = printed().replaceAll("(?s).*Session (sol-[0-9a-f]+) .*", "$1");
    assertThat(hardware.baggage())
        .isEqualTo(
            Map.of(
                "baggage.customer_id", "acme",
                "baggage.server_id", "srv-1",
                "baggage.session_id", sessionId,
                "baggage.datacenter", "ber1",
                "baggage.agent_id", "agent-1",
                "baggage.bmc_type", "redfish"));
  }

  @ParameterizedTest
  @EnumSource
  void aPowerCycleIsOneTrace(BmcType type) throws Exception {
    start(type);
    assertThat(cli.run(List.of("power", "srv-1", "cycle"))).isTrue();

    assertThat(printed()).contains("The power of srv-1 is on");
    assertThat(tree(2))
        .isEqualTo(
            """
            cli.power of bmc-cli
              POST of bmc-cli
                POST /auth of bmc-manager
                  SELECT users of bmc-manager
                  jwt.sign of bmc-manager
              POST of bmc-cli
                POST /servers/{id}/power of bmc-manager
                  jwt.validate of bmc-manager
                  SELECT servers of bmc-manager
                  gateway.power of bmc-manager
                    POST of bmc-manager
                      POST /servers/{id}/power of bmc-gateway
                        jwt.validate of bmc-gateway
                        agent.power of bmc-gateway
                          power.switch of bmc-agent
            """
                + HARDWARE.get(type).indent(16));
  }

  @Test
  void everyPowerActionWorksOnEitherProtocol() throws Exception {
    for (BmcType type : BmcType.values()) {
      start(type);
      for (String action : List.of("off", "on", "cycle", "shutdown")) {
        assertThat(cli.run(List.of("power", "srv-1", action))).as(type + " " + action).isTrue();
      }
      assertThat(printed().lines().filter(line -> line.startsWith("The power")))
          .containsExactly(
              "The power of srv-1 is off",
              "The power of srv-1 is on",
              "The power of srv-1 is on",
              "The power of srv-1 is off");
      assertThat(cli.run(List.of("power", "srv-1", "cycle"))).isFalse();
      assertThat(printed()).contains("answered 409");
      printed.reset();
    }
  }

  @Test
  void whatFailsIsMarkedOnEveryHop() throws Exception {
    start(BmcType.IPMI, Duration.ofMillis(300));
    bmc.responseDelay(Duration.ofSeconds(5));

    assertThat(cli.run(List.of("vnc", "srv-1"))).isFalse();
    assertThat(printed()).contains("Failed: ").contains("answered 504");
    List<String> expected =
        List.of(
            "GET of bmc-agent",
            "vnc.open of bmc-agent",
            "agent.open_vnc of bmc-gateway",
            "POST /CreateVNCSession of bmc-gateway",
            "cli.vnc of bmc-cli");
    assertThat(failed(awaitTrace(trace -> failed(trace).containsAll(expected))))
        .containsAll(expected);
  }

  @Test
  void wrongPasswordsAndServersAreRefused() throws Exception {
    start(BmcType.IPMI);

    assertThat(cli.run(List.of("vnc", "srv-2"))).isFalse();
    assertThat(cli.run(List.of("power", "srv-1", "explode"))).isFalse();
    assertThat(cli(URI.create("http://127.0.0.1:1"), "").run(List.of("sol", "srv-1"))).isFalse();
    assertThat(printed())
        .contains("There is no server srv-2")
        .contains("There is no action explode")
        .contains("gave no answer");
  }

  @Test
  void noSpanHasASecret() throws Exception {
    start(BmcType.IPMI);
    cli.run(List.of("vnc", "srv-1"));

    assertThat(trace(0)).noneMatch(span -> span.attributes().toString().contains(PASSWORD));
    assertThat(trace(0)).noneMatch(span -> span.attributes().toString().contains("eyJ"));
    assertThat(find(trace(0), "GET /sessions/{id} of bmc-gateway").attributes())
        .containsEntry("url.query", "ticket=REDACTED");
  }

  private Telemetry telemetry(Role role) {
    return opened(
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName(role.service())
            .addProperty("otel.exporter.otlp.endpoint", receiver.endpoint())
            .addProperty("otel.bsp.schedule.delay", "10ms")
            .build());
  }

  private <T extends AutoCloseable> T opened(T closeable) {
    open.push(closeable);
    return closeable;
  }

  private String printed() {
    return printed.toString(UTF_8);
  }

  private List<ReceivedSpan> trace(int job) throws InterruptedException {
    Expectation whole = Job.all("srv-1").get(job).trace();
    awaitTrace(whole::isMet);
    // A leaf may still be on its way: requests of one service overtake each other.
    open.stream()
        .filter(Telemetry.class::isInstance)
        .forEach(telemetry -> ((Telemetry) telemetry).flush(TIMEOUT));
    List<ReceivedSpan> spans = awaitTrace(found -> true);
    assertThat(whole.gaps(new TraceTree(spans))).isEmpty();
    return spans;
  }

  private List<ReceivedSpan> awaitTrace(Predicate<List<ReceivedSpan>> enough)
      throws InterruptedException {
    String traceId =
        printed().lines().filter(line -> line.startsWith(Cli.TRACE)).findFirst().orElseThrow();
    return receiver.store().awaitTrace(traceId.substring(Cli.TRACE.length()), enough, TIMEOUT);
  }

  private String tree(int job) throws InterruptedException {
    return Outline.of(trace(job));
  }

  private static ReceivedSpan find(List<ReceivedSpan> spans, String text) {
    return spans.stream().filter(span -> span.toString().equals(text)).findFirst().orElseThrow();
  }

  private static ReceivedSpan span(List<ReceivedSpan> spans, String service) {
    return spans.stream().filter(span -> span.service().equals(service)).findFirst().orElseThrow();
  }

  private static List<String> failed(List<ReceivedSpan> spans) {
    return spans.stream()
        .filter(span -> span.failure() != null)
        .map(ReceivedSpan::toString)
        .toList();
  }
}
