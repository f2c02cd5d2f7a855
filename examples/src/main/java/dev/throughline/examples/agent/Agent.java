// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.agent.HardwareConsole.Kind;
import dev.throughline.examples.agent.RedfishClient.ComputerSystem;
import dev.throughline.examples.ipmi.IpmiResponse;
import dev.throughline.examples.rpc.Command;
import dev.throughline.examples.service.Arguments;
import dev.throughline.examples.service.ErrorStyle;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.JsonClient;
import dev.throughline.examples.service.JsonRequest;
import dev.throughline.examples.service.JsonServer;
import dev.throughline.examples.service.Lifetime;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import dev.throughline.telemetry.logging.LoggingTelemetry;
import dev.throughline.telemetry.metrics.MetricsTelemetry;
import io.opentelemetry.api.trace.SpanKind;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens a server's consoles and switches its power, over Redfish, IPMI, VNC and serial lines, as
 * its Gateway commands. It stands beside the hardware, where nobody can call in: it dials out, and
 * commands come back on the stream that it holds.
 */
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
  private final ConsoleClient consoles;
  private final Map<String, Work> works =
      Map.of(
          "vnc.open", arguments -> openConsole(Kind.VNC, arguments),
          "sol.open", arguments -> openConsole(Kind.SOL, arguments),
          "power.switch", this::power);
  private final GatewayLink gateway;

  /**
   * An Agent that dials its Gateway.
   *
   * @param answerTimeout how long the hardware may take for one answer
   * @param gateway where that takes calls of Agents
   */
  public Agent(
      Telemetry telemetry,
      String agentId,
      ManagedServer server,
      Duration answerTimeout,
      URI gateway) {
    this.telemetry = telemetry;
    this.agentId = agentId;
    this.server = server;
    HttpTelemetry httpTelemetry = HttpTelemetry.create(telemetry);
    redfish =
        new RedfishClient(
            new JsonClient(httpTelemetry.wrap(JsonClient.http(CONNECT_TIMEOUT)), answerTimeout));
    ipmi = new IpmiClient(telemetry, answerTimeout);
    consoles =
        new ConsoleClient(telemetry, new TcpDialer(telemetry, CONNECT_TIMEOUT, answerTimeout));
    this.gateway = new GatewayLink(telemetry, gateway, this::carryOut);
  }

  /** Runs until it is stopped. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Arguments arguments = new Arguments(args, "id", "server", "gateway");
    ManagedServer server = ManagedServer.parse(arguments.require("server"));
    MetricsTelemetry metrics = MetricsTelemetry.create();
    try (Telemetry telemetry = Telemetry.init(SERVICE, metrics)) {
      LoggingTelemetry.create(telemetry).install(); // each line of the log names its trace
      try (Agent agent =
              new Agent(
                  telemetry,
                  arguments.get("id", "agent-1"),
                  server,
                  ANSWER_TIMEOUT,
                  URI.create(arguments.require("gateway")));
          JsonServer http = new JsonServer(HttpTelemetry.create(telemetry), 0, ErrorStyle.PLAIN)) {
        http.mount("/metrics", metrics.createHttpHandler());
        http.start();
        Lifetime.run(SERVICE, Map.of("http", http.port()));
      }
    }
  }

  /** What a command asks for. */
  @FunctionalInterface
  private interface Work {
    ObjectNode perform(ObjectNode arguments) throws Exception;
  }

  /**
   * The span of a command is a child of the request that caused it, whatever else travels on the
   * stream. Whatever is called in here, the hardware's own Redfish spans included, can be found by
   * Agent and type of BMC.
   */
  private ObjectNode carryOut(Command command) throws Exception {
    Work work = works.get(command.name());
    if (work == null) {
      throw new Refusal(501, "There is no command " + command.name());
    }
    return telemetry
        .span(command.name())
        .kind(SpanKind.SERVER)
        .parent(telemetry.extract(command.context()))
        .baggage("agent_id", agentId)
        .baggage("bmc_type", server.bmcType().word())
        .call(
            () -> {
              LOGGER.info("Calling the hardware for {}", command.name());
              return onHardware(work, command.arguments());
            });
  }

  /** The console stays open: what it says goes to the Gateway, on a stream of its own. */
  private ObjectNode openConsole(Kind kind, ObjectNode arguments) throws Exception {
    String sessionId = JsonRequest.text(arguments, "session_id");
    ComputerSystem system = system();
    InetSocketAddress address =
        kind == Kind.VNC ? system.graphicalConsole() : system.serialConsole();
    gateway.relay(sessionId, consoles.connect(kind, address, server.bmcType()));
    return Json.object();
  }

  private ObjectNode power(ObjectNode arguments) throws Exception {
    String word = JsonRequest.text(arguments, "action");
    PowerAction action =
        PowerAction.of(word).orElseThrow(() -> new Refusal(400, "There is no action " + word));
    return Json.object().put("power", switchPower(action) ? "on" : "off");
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

  private ObjectNode onHardware(Work work, ObjectNode arguments) throws Exception {
    checkServer(JsonRequest.text(arguments, "server_id"));
    try {
      return work.perform(arguments);
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
    gateway.close();
  }
}
