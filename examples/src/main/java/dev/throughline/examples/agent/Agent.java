// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.agent.RedfishClient.ComputerSystem;
import dev.throughline.examples.agent.VncClient.Screen;
import dev.throughline.examples.ipmi.IpmiResponse;
import dev.throughline.examples.service.Arguments;
import dev.throughline.examples.service.ErrorStyle;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.JsonClient;
import dev.throughline.examples.service.JsonRequest;
import dev.throughline.examples.service.JsonServer;
import dev.throughline.examples.service.Lifetime;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.SpanBuilder;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import dev.throughline.telemetry.logging.LoggingTelemetry;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens a server's consoles and switches its power, over Redfish, IPMI, VNC and serial lines. */
public final class Agent implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(Agent.class);
  private static final String SERVICE = "bmc-agent";
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);

  private final Telemetry telemetry;
  private final String agentId;
  private final ManagedServer server;
  private final RedfishClient redfish;
  private final IpmiClient ipmi;
  private final VncClient vnc;
  private final SolClient sol;
  private final JsonServer http;

  /**
   * An Agent that listens.
   *
   * @param answerTimeout how long the hardware may take for one answer
   * @param port 0 for a free one
   */
  public Agent(
      Telemetry telemetry, String agentId, ManagedServer server, Duration answerTimeout, int port) {
    this.telemetry = telemetry;
    this.agentId = agentId;
    this.server = server;
    HttpTelemetry httpTelemetry = HttpTelemetry.create(telemetry);
    redfish =
        new RedfishClient(
            new JsonClient(httpTelemetry.wrap(JsonClient.http(CONNECT_TIMEOUT)), answerTimeout));
    ipmi = new IpmiClient(telemetry, answerTimeout);
    TcpDialer dialer = new TcpDialer(telemetry, CONNECT_TIMEOUT, answerTimeout);
    vnc = new VncClient(telemetry, dialer);
    sol = new SolClient(telemetry, dialer);
    http = new JsonServer(httpTelemetry, port, ErrorStyle.PLAIN);
    http.route("POST", "/sessions/vnc", this::openVnc);
    http.route("POST", "/sessions/sol", this::openSol);
    http.route("POST", "/servers/{id}/power", this::power);
    http.start();
  }

  /** Runs until it is stopped. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Arguments arguments = new Arguments(args, "id", "server", "port");
    ManagedServer server = ManagedServer.parse(arguments.require("server"));
    String id = arguments.get("id", "agent-1");
    try (Telemetry telemetry = Telemetry.init(SERVICE)) {
      LoggingTelemetry.create(telemetry).install(); // each line of the log names its trace
      try (Agent agent =
          new Agent(telemetry, id, server, ANSWER_TIMEOUT, arguments.number("port", 0))) {
        Lifetime.run(SERVICE, Map.of("http", agent.http.port()));
      }
    }
  }

  /** Where it answers, without a path. */
  public URI uri() {
    return http.uri();
  }

  private ObjectNode openVnc(JsonRequest request) throws Exception {
    checkServer(JsonRequest.text(request.body(), "server_id"));
    Screen screen =
        onHardware("vnc.open", () -> vnc.connect(system().graphicalConsole(), server.bmcType()));
    return Json.object()
        .put("screen", screen.name())
        .put("width", screen.width())
        .put("height", screen.height());
  }

  private ObjectNode openSol(JsonRequest request) throws Exception {
    checkServer(JsonRequest.text(request.body(), "server_id"));
    String greeting =
        onHardware("sol.open", () -> sol.connect(system().serialConsole(), server.bmcType()));
    return Json.object().put("greeting", greeting);
  }

  private ObjectNode power(JsonRequest request) throws Exception {
    checkServer(request.variable("id"));
    String word = JsonRequest.text(request.body(), "action");
    PowerAction action =
        PowerAction.of(word).orElseThrow(() -> new Refusal(400, "There is no action " + word));
    boolean on = onHardware("power.switch", () -> switchPower(action));
    return Json.object().put("power", on ? "on" : "off");
  }

  private boolean switchPower(PowerAction action) throws Refusal, IOException {
    return switch (server.bmcType()) {
      case IPMI -> {
        ComputerSystem system = system();
        ipmi.control(system.ipmi(), action);
        yield ipmi.isPowerOn(system.ipmi());
      }
      case REDFISH -> {
        redfish.reset(server.redfish(), action);
        yield system().isOn();
      }
    };
  }

  private ComputerSystem system() throws Refusal {
    return redfish.system(server.redfish());
  }

  private void checkServer(String id) throws Refusal {
    if (!id.equals(server.id())) {
      throw new Refusal(404, "This Agent does not look after " + id);
    }
  }

  /**
   * Whatever is called in here, the hardware's own Redfish spans included, can be found by both.
   */
  private <T> T onHardware(String span, SpanBuilder.Call<T, Exception> work) throws Exception {
    try {
      return telemetry
          .span(span)
          .baggage("agent_id", agentId)
          .baggage("bmc_type", server.bmcType().word())
          .call(
              () -> {
                LOGGER.info("Calling the hardware for {}", span);
                return work.call();
              });
    } catch (SocketTimeoutException e) {
      throw new Refusal(504, "The hardware did not answer in time: " + e.getMessage());
    } catch (IpmiException e) {
      boolean wrongState = e.completionCode() == IpmiResponse.NOT_IN_PRESENT_STATE;
      throw new Refusal(wrongState ? 409 : 502, "The hardware refused: " + e.getMessage());
    } catch (IOException e) {
      throw new Refusal(502, "The hardware failed: " + e.getMessage());
    }
  }

  @Override
  public void close() {
    http.close();
  }
}
