// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.throughline.examples.agent.Agent;
import dev.throughline.examples.agent.BmcType;
import dev.throughline.examples.agent.ManagedServer;
import dev.throughline.examples.auth.Tokens;
import dev.throughline.examples.bmc.Bmc;
import dev.throughline.examples.gateway.Gateway;
import dev.throughline.examples.manager.KnownServer;
import dev.throughline.examples.manager.Manager;
import dev.throughline.examples.manager.Operator;
import dev.throughline.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser, and the traces of its clicks. */
@Timeout(120)
class PageTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  @TempDir private Path profile;
  private OtlpReceiver receiver;
  private Browser browser;

  @BeforeEach
  void openPage() throws Exception {
    Optional<Path> program = Browser.find();
    assumeTrue(program.isPresent(), "no Chromium or Chrome is on the PATH");
    receiver = opened(new OtlpReceiver());
    PageReceiver pages = opened(new PageReceiver(receiver.store()));
    Tokens tokens = new Tokens("k".repeat(32), Clock.systemUTC());
    Bmc bmc = opened(new Bmc(telemetry(Role.BMC), Duration.ofMillis(5)));
    Gateway gateway = opened(new Gateway(telemetry(Role.GATEWAY), tokens, "ber1", 0));
    ManagedServer server = new ManagedServer("srv-1", BmcType.IPMI, bmc.redfish());
    opened(new Agent(telemetry(Role.AGENT), "agent-1", server, TIMEOUT, gateway.agentUri()));
    Manager manager =
        opened(
            new Manager(
                telemetry(Role.MANAGER),
                tokens,
                new Operator("ada", "secret", "acme"),
                new KnownServer("srv-1", "ber1", gateway.uri()),
                0));
    browser = opened(new Browser(program.get(), profile));
    browser.open(
        manager.uri()
            + "/console#server=srv-1&token=%s&traces=%s"
                .formatted(tokens.sign("ada", "acme"), pages.traces()));
  }

  @AfterEach
  void stop() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }

  @Test
  void aClickReachesTheHardwareAndItsScreenIsSeen() throws Exception {
    browser.click("vnc");
    browser.await("document.getElementById('status').textContent.startsWith('trace ')");
    browser.evaluate(
        """
        pixels = () => { const c = document.getElementById('screen');
          return String(c.getContext('2d').getImageData(0, 0, c.width, 1).data); }
        first = pixels()
        """);
    browser.await("first.includes('255,255,255,255') && first.includes('0,0,0,255')");
    browser.await("pixels() !== first");
    browser.click("close");

    assertThat(tree("page.open_vnc", "vnc"))
        .isEqualTo(
            """
            page.open_vnc of bmc-page
              POST /sessions/{kind} of bmc-manager
                jwt.validate of bmc-manager
                SELECT servers of bmc-manager
                gateway.open_session of bmc-manager
                  POST of bmc-manager
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
              GET /sessions/{id} of bmc-gateway
                websocket.session of bmc-gateway
            """);
  }

  @Test
  void aSerialConsoleAnswersWhatIsTyped() throws Exception {
    browser.click("sol");
    browser.await("document.getElementById('lines').textContent.includes('power is on')");
    browser.click("line");
    browser.type("who are you");
    browser.await("document.getElementById('lines').textContent.includes('who are you')");
    browser.click("close");

    assertThat(tree("page.open_sol", "sol")).contains("sol.connect of bmc-agent");
  }

  @Test
  void saysWhyAConsoleDoesNotOpen() throws Exception {
    browser.evaluate("location.hash = 'server=srv-2'; location.reload()");
    browser.await("document.getElementById('server')?.textContent === 'srv-2'");
    browser.click("vnc");
    browser.await(
        "document.getElementById('status').textContent === 'Failed: Error: The token is not"
            + " valid'");
  }

  private String tree(String root, String kind) throws Exception {
    Expectation whole =
        new Expectation(
            root,
            Set.of("bmc-page", "bmc-manager", "bmc-gateway", "bmc-agent", "bmc"),
            Set.of(
                "websocket.session of bmc-gateway",
                "fleet.v1.AgentService/Console of bmc-gateway",
                "fleet.v1.AgentService/Console of bmc-agent"),
            Set.of("session_id", "customer_id"),
            Set.of("bmc-agent", "bmc"));
    browser.await("document.getElementById('status').textContent.startsWith('trace ')");
    String status = browser.evaluate("document.getElementById('status').textContent").asText();
    String traceId = status.substring("trace ".length());
    receiver.store().awaitTrace(traceId, whole::isMet, TIMEOUT);
    // A leaf may still be on its way: requests of one service overtake each other.
    open.stream()
        .filter(Telemetry.class::isInstance)
        .forEach(telemetry -> ((Telemetry) telemetry).flush(TIMEOUT));
    List<ReceivedSpan> spans = receiver.store().awaitTrace(traceId, found -> true, TIMEOUT);
    assertThat(whole.gaps(new TraceTree(spans))).as(kind).isEmpty();
    return Outline.of(spans);
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
}
