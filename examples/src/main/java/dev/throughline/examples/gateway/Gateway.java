// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.auth.Secrets;
import dev.throughline.examples.auth.Tokens;
import dev.throughline.examples.service.Arguments;
import dev.throughline.examples.service.ErrorStyle;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.JsonRequest;
import dev.throughline.examples.service.JsonServer;
import dev.throughline.examples.service.Lifetime;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.grpc.GrpcTelemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import dev.throughline.telemetry.logging.LoggingTelemetry;
import dev.throughline.telemetry.metrics.MetricsTelemetry;
import dev.throughline.telemetry.websocket.ContextSource;
import dev.throughline.telemetry.websocket.WebSocketTelemetry;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.trace.SpanKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens sessions with the consoles of servers, and passes power commands to their Agent, which
 * dials in by gRPC.
 */
public final class Gateway implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(Gateway.class);
  private static final String SERVICE = "bmc-gateway";
  private static final AttributeKey<String> KIND = AttributeKey.stringKey("kind");
  private static final Duration AGENT_TIMEOUT = Duration.ofSeconds(20);

  private final Telemetry telemetry;
  private final Tokens tokens;
  private final String datacenter;
  private final Sessions sessions = new Sessions();
  private final LongCounter sessionsCreated;
  private final AgentLink agent;
  private final Server grpc;
  private final ViewerServer viewers;
  private final JsonServer http;

  /**
   * A Gateway that listens; for its Agent and for viewers on free ports.
   *
   * @param port for HTTP, 0 for a free one
   */
  public Gateway(Telemetry telemetry, Tokens tokens, String datacenter, int port) {
    this.telemetry = telemetry;
    this.tokens = tokens;
    this.datacenter = datacenter;
    sessionsCreated =
        telemetry
            .meter()
            .counterBuilder("gateway_sessions_total")
            .setDescription("Sessions that were created")
            .build();
    agent = new AgentLink(telemetry, AGENT_TIMEOUT, sessions);
    grpc = listen(agent, GrpcTelemetry.create(telemetry));
    // A page in a browser can't set headers: its trace comes with the URL.
    viewers =
        new ViewerServer(
            WebSocketTelemetry.builder(telemetry).addContextSource(ContextSource.QUERY).build(),
            sessions);
    http = new JsonServer(HttpTelemetry.create(telemetry), port, ErrorStyle.PLAIN);
    http.route("POST", "/CreateVNCSession", request -> createSession("vnc", request));
    http.route("POST", "/CreateSOLSession", request -> createSession("sol", request));
    http.route("POST", "/servers/{id}/power", this::power);
    http.start();
  }

  /** Runs until it is stopped. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Arguments arguments = new Arguments(args, "datacenter", "port");
    Tokens tokens = new Tokens(Secrets.require(Secrets.TOKEN_KEY), Clock.systemUTC());
    MetricsTelemetry metrics = MetricsTelemetry.create();
    try (Telemetry telemetry = Telemetry.init(SERVICE, metrics)) {
      LoggingTelemetry.create(telemetry).install(); // each line of the log names its trace
      try (Gateway gateway =
          new Gateway(
              telemetry,
              tokens,
              arguments.get("datacenter", "ber1"),
              arguments.number("port", 0))) {
        gateway.http.mount("/metrics", metrics.createHttpHandler());
        Lifetime.run(
            SERVICE,
            Map.of(
                "http", gateway.http.port(),
                "grpc", gateway.grpc.getPort(),
                "websocket", gateway.viewers.port()));
      }
    }
  }

  private static Server listen(AgentLink agent, GrpcTelemetry telemetry) {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(agent);
    telemetry.configure(builder);
    try {
      return builder.build().start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where it answers, without a path. */
  public URI uri() {
    return http.uri();
  }

  /** Where its Agent dials. */
  public URI agentUri() {
    return URI.create("http://127.0.0.1:" + grpc.getPort());
  }

  private ObjectNode createSession(String kind, JsonRequest request) throws Exception {
    String customerId = validate(request);
    String serverId = JsonRequest.text(request.body(), "server_id");
    ConsoleSession session = new ConsoleSession(kind, serverId, customerId);
    telemetry
        .span("session.create")
        .baggage("session_id", session.id())
        .run(
            () -> {
              sessions.add(session);
              sessionsCreated.add(1, Attributes.of(KIND, kind));
            });
    try {
      openConsole(session);
    } catch (Refusal e) {
      sessions.end(session, "the console did not open");
      throw e;
    }
    return Json.object()
        .put("session_id", session.id())
        .put("viewer", "ws://127.0.0.1:" + viewers.port() + session.path());
  }

  private void openConsole(ConsoleSession session) throws Refusal {
    telemetry
        .span("agent.open_" + session.kind())
        .kind(SpanKind.CLIENT)
        .attribute("service.peer.name", "bmc-agent")
        .baggage("customer_id", session.customerId())
        .baggage("session_id", session.id())
        .baggage("server_id", session.serverId())
        .baggage("datacenter", datacenter)
        .run(
            () -> {
              LOGGER.info("Opening the {} console", session.kind());
              agent.open(session);
            });
  }

  private ObjectNode power(JsonRequest request) throws Exception {
    String customerId = validate(request);
    String serverId = request.variable("id");
    ObjectNode command = request.body().put("server_id", serverId);
    return telemetry
        .span("agent.power")
        .kind(SpanKind.CLIENT)
        .attribute("service.peer.name", "bmc-agent")
        .baggage("customer_id", customerId)
        .baggage("server_id", serverId)
        .baggage("datacenter", datacenter)
        .call(() -> agent.send("power.switch", command));
  }

  private String validate(JsonRequest request) throws Refusal {
    String token = request.bearerToken();
    return telemetry.span("jwt.validate").call(() -> tokens.customerOf(token));
  }

  @Override
  public void close() {
    http.close();
    viewers.close();
    grpc.shutdownNow();
  }
}
