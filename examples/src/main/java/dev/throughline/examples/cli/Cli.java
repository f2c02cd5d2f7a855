// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.auth.Secrets;
import dev.throughline.examples.service.Arguments;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.JsonClient;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import io.opentelemetry.api.trace.SpanContext;
import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/** What an operator types: opens a console of a server, or switches its power. */
public final class Cli {

  /** What the line with the trace id begins with. */
  public static final String TRACE = "trace ";

  private static final String SERVICE = "bmc-cli";
  private static final String USAGE =
      "cli --manager=URI [--user=NAME] vnc SERVER | sol SERVER | power SERVER ACTION";
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final Telemetry telemetry;
  private final JsonClient client;
  private final URI manager;
  private final String user;
  private final String password;
  private final PrintStream out;

  /** A client of the Manager at this address. */
  public Cli(Telemetry telemetry, URI manager, String user, String password, PrintStream out) {
    this.telemetry = telemetry;
    client =
        new JsonClient(
            HttpTelemetry.create(telemetry).wrap(JsonClient.http(CONNECT_TIMEOUT)), TIMEOUT);
    this.manager = manager;
    this.user = user;
    this.password = password;
    this.out = out;
  }

  /** Does what the command line says; ends with 0 where that worked, else 1. */
  public static void main(String[] args) {
    Arguments arguments = new Arguments(args, "manager", "user");
    String password = Secrets.require(Secrets.PASSWORD);
    boolean done;
    try (Telemetry telemetry = Telemetry.init(SERVICE)) {
      Cli cli =
          new Cli(
              telemetry,
              URI.create(arguments.require("manager")),
              arguments.get("user", "ada"),
              password,
              System.out);
      done = cli.run(arguments.words());
    }
    System.exit(done ? 0 : 1);
  }

  /**
   * Runs a command, and prints what came of it and the id of its trace.
   *
   * @return whether it worked
   */
  public boolean run(List<String> command) {
    String name = command.isEmpty() ? "" : command.get(0);
    try {
      switch (name + command.size()) {
        case "vnc2" -> telemetry.span("cli.vnc").run(span -> vnc(span, command.get(1)));
        case "sol2" -> telemetry.span("cli.sol").run(span -> sol(span, command.get(1)));
        case "power3" ->
            telemetry.span("cli.power").run(span -> power(span, command.get(1), command.get(2)));
        default -> throw new IllegalArgumentException(USAGE);
      }
      return true;
    } catch (Refusal e) {
      out.println("Failed: " + e.getMessage());
      return false;
    }
  }

  private void vnc(ActiveSpan span, String server) throws Refusal {
    printTrace(span);
    ObjectNode session = createSession("/CreateVNCSession", server);
    out.printf(
        "Session %s shows \"%s\", %d x %d pixels%n",
        session.path("session_id").asText(),
        session.at("/console/screen").asText(),
        session.at("/console/width").asInt(),
        session.at("/console/height").asInt());
  }

  private void sol(ActiveSpan span, String server) throws Refusal {
    printTrace(span);
    ObjectNode session = createSession("/CreateSOLSession", server);
    out.printf(
        "Session %s says \"%s\"%n",
        session.path("session_id").asText(), session.at("/console/greeting").asText());
  }

  private void power(ActiveSpan span, String server, String action) throws Refusal {
    printTrace(span);
    ObjectNode answer =
        client.post(
            manager.resolve("/servers/" + server + "/power"),
            Json.object().put("action", action),
            "Authorization",
            signIn());
    out.printf("The power of %s is %s%n", server, answer.path("power").asText());
  }

  private ObjectNode createSession(String path, String server) throws Refusal {
    String authorization = signIn();
    ObjectNode known =
        client.post(
            manager.resolve("/fleet.v1.FleetService/GetServer"),
            Json.object().put("id", server),
            "Authorization",
            authorization,
            "Connect-Protocol-Version",
            "1");
    return client.post(
        URI.create(known.at("/server/gateway").asText()).resolve(path),
        Json.object().put("server_id", server),
        "Authorization",
        authorization);
  }

  private String signIn() throws Refusal {
    ObjectNode answer =
        client.post(
            manager.resolve("/auth"), Json.object().put("user", user).put("password", password));
    return "Bearer " + answer.path("token").asText();
  }

  private void printTrace(ActiveSpan span) {
    SpanContext context = span.span().getSpanContext();
    out.println(context.isSampled() ? TRACE + context.getTraceId() : "not traced");
  }
}
