// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.auth.Secrets;
import dev.throughline.examples.auth.Tokens;
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
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens sessions with the consoles of servers, and passes power commands to their Agent. */
public final class Gateway implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(Gateway.class);
  private static final String SERVICE = "bmc-gateway";
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration AGENT_TIMEOUT = Duration.ofSeconds(20);

  private final Telemetry telemetry;
  private final Tokens tokens;
  private final URI agent;
  private final String datacenter;
  private final Sessions sessions = new Sessions();
  private final JsonClient client;
  private final JsonServer http;

  /**
   * A Gateway that listens.
   *
   * @param agent where the Agent of its data centre answers
   * @param port 0 for a free one
   */
  public Gateway(Telemetry telemetry, Tokens tokens, URI agent, String datacenter, int port) {
    this.telemetry = telemetry;
    this.tokens = tokens;
    this.agent = agent;
    this.datacenter = datacenter;
    HttpTelemetry httpTelemetry = HttpTelemetry.create(telemetry);
    client = new JsonClient(httpTelemetry.wrap(JsonClient.http(CONNECT_TIMEOUT)), AGENT_TIMEOUT);
    http = new JsonServer(httpTelemetry, port, ErrorStyle.PLAIN);
    http.route("POST", "/CreateVNCSession", request -> createSession("vnc", request));
    http.route("POST", "/CreateSOLSession", request -> createSession("sol", request));
    http.route("POST", "/servers/{id}/power", this::power);
    http.start();
  }

  /** Runs until it is stopped. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Arguments arguments = new Arguments(args, "agent", "datacenter", "port");
    URI agent = URI.create(arguments.require("agent"));
    Tokens tokens = new Tokens(Secrets.require(Secrets.TOKEN_KEY), Clock.systemUTC());
    String datacenter = arguments.get("datacenter", "ber1");
    try (Telemetry telemetry = Telemetry.init(SERVICE)) {
      LoggingTelemetry.create(telemetry).install(); // each line of the log names its trace
      try (Gateway gateway =
          new Gateway(telemetry, tokens, agent, datacenter, arguments.number("port", 0))) {
        Lifetime.run(SERVICE, Map.of("http", gateway.http.port()));
      }
    }
  }

  /** Where it answers, without a path. */
  public URI uri() {
    return http.uri();
  }

  private ObjectNode createSession(String kind, JsonRequest request) throws Exception {
    String customerId = validate(request);
    String serverId = JsonRequest.text(request.body(), "server_id");
    Session session =
        new Session(
            kind + "-" + UUID.randomUUID().toString().substring(0, 8), kind, serverId, customerId);
    telemetry
        .span("session.create")
        .baggage("session_id", session.id())
        .run(() -> sessions.add(session));
    try {
      ObjectNode console = openConsole(session);
      return Json.object().put("session_id", session.id()).set("console", console);
    } catch (Refusal e) {
      sessions.remove(session);
      throw e;
    }
  }

  private ObjectNode openConsole(Session session) throws Refusal {
    return telemetry
        .span("agent.open_" + session.kind())
        .baggage("customer_id", session.customerId())
        .baggage("session_id", session.id())
        .baggage("server_id", session.serverId())
        .baggage("datacenter", datacenter)
        .call(
            () -> {
              LOGGER.info("Opening the {} console", session.kind());
              return client.post(
                  agent.resolve("/sessions/" + session.kind()),
                  Json.object().put("server_id", session.serverId()));
            });
  }

  private ObjectNode power(JsonRequest request) throws Exception {
    String customerId = validate(request);
    String serverId = request.variable("id");
    ObjectNode command = request.body();
    return telemetry
        .span("agent.power")
        .baggage("customer_id", customerId)
        .baggage("server_id", serverId)
        .baggage("datacenter", datacenter)
        .call(() -> client.post(agent.resolve("/servers/" + serverId + "/power"), command));
  }

  private String validate(JsonRequest request) throws Refusal {
    String token = request.bearerToken();
    return telemetry.span("jwt.validate").call(() -> tokens.customerOf(token));
  }

  @Override
  public void close() {
    http.close();
  }
}
