// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.manager;

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
import dev.throughline.telemetry.metrics.MetricsTelemetry;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signs operators in, knows which Gateway a server is behind, passes power commands there, and has
 * a page that shows consoles.
 */
public final class Manager implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(Manager.class);
  private static final String SERVICE = "bmc-manager";
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration GATEWAY_TIMEOUT = Duration.ofSeconds(25);

  private final Telemetry telemetry;
  private final Tokens tokens;
  private final Registry registry;
  private final JsonClient client;
  private final JsonServer http;

  /**
   * A Manager that listens.
   *
   * @param operator the one user that it has
   * @param server the one server that it knows
   * @param port 0 for a free one
   */
  public Manager(
      Telemetry telemetry, Tokens tokens, Operator operator, KnownServer server, int port) {
    this.telemetry = telemetry;
    this.tokens = tokens;
    registry = new Registry(telemetry);
    registry.add(operator);
    registry.add(server);
    HttpTelemetry httpTelemetry =
        HttpTelemetry.builder(telemetry).addConnectProcedure(FleetService.GET_SERVER).build();
    client = new JsonClient(httpTelemetry.wrap(JsonClient.http(CONNECT_TIMEOUT)), GATEWAY_TIMEOUT);
    http = new JsonServer(httpTelemetry, port, ErrorStyle.PLAIN);
    http.route("POST", "/auth", this::signIn);
    http.route("POST", "/servers/{id}/power", this::power);
    http.route("POST", "/sessions/{kind}", this::openSession);
    http.page("/console", Manager.class, "console.html");
    new FleetService(this::validate, registry).addTo(http);
    http.start();
  }

  /** Runs until it is stopped. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Arguments arguments = new Arguments(args, "server", "port");
    KnownServer server = KnownServer.parse(arguments.require("server"));
    Tokens tokens = new Tokens(Secrets.require(Secrets.TOKEN_KEY), Clock.systemUTC());
    Operator operator = new Operator("ada", Secrets.require(Secrets.PASSWORD), "acme");
    MetricsTelemetry metrics = MetricsTelemetry.create();
    try (Telemetry telemetry = Telemetry.init(SERVICE, metrics)) {
      LoggingTelemetry.create(telemetry).install(); // each line of the log names its trace
      try (Manager manager =
          new Manager(telemetry, tokens, operator, server, arguments.number("port", 0))) {
        manager.http.mount("/metrics", metrics.createHttpHandler());
        Lifetime.run(SERVICE, Map.of("http", manager.http.port()));
      }
    }
  }

  /** Where it answers, without a path. */
  public URI uri() {
    return http.uri();
  }

  private ObjectNode signIn(JsonRequest request) throws Exception {
    ObjectNode body = request.body();
    Operator operator = registry.operator(JsonRequest.text(body, "user"));
    if (operator == null || !operator.hasPassword(JsonRequest.text(body, "password"))) {
      throw new Refusal(401, "The user or the password is wrong");
    }
    String token =
        telemetry
            .span("jwt.sign")
            .baggage("customer_id", operator.customerId())
            .call(() -> tokens.sign(operator.name(), operator.customerId()));
    LOGGER
        .atInfo()
        .addKeyValue("customer_id", operator.customerId())
        .log("{} signed in", operator.name());
    return Json.object().put("token", token);
  }

  private ObjectNode power(JsonRequest request) throws Exception {
    String customerId = validate(request);
    KnownServer server = registry.server(request.variable("id"));
    String path = "/servers/" + server.id() + "/power";
    return atGateway("gateway.power", customerId, server, path, request.body(), request);
  }

  /** For pages, which may call nobody but who served them; their WebSockets may go anywhere. */
  private ObjectNode openSession(JsonRequest request) throws Exception {
    String customerId = validate(request);
    ObjectNode body = request.body();
    KnownServer server = registry.server(JsonRequest.text(body, "server_id"));
    String path =
        switch (request.variable("kind")) {
          case "vnc" -> "/CreateVNCSession";
          case "sol" -> "/CreateSOLSession";
          default -> throw new Refusal(404, "There is no console " + request.variable("kind"));
        };
    return atGateway("gateway.open_session", customerId, server, path, body, request);
  }

  private ObjectNode atGateway(
      String span,
      String customerId,
      KnownServer server,
      String path,
      ObjectNode body,
      JsonRequest request)
      throws Refusal {
    String token = request.bearerToken();
    return telemetry
        .span(span)
        .baggage("customer_id", customerId)
        .call(
            () -> {
              LOGGER.info("Passing the request for {} on", server.id());
              return client.post(
                  server.gateway().resolve(path), body, "Authorization", "Bearer " + token);
            });
  }

  private String validate(JsonRequest request) throws Refusal {
    String token = request.bearerToken();
    return telemetry.span("jwt.validate").call(() -> tokens.customerOf(token));
  }

  @Override
  public void close() {
    http.close();
    registry.close();
  }
}
