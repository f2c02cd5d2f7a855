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
import dev.throughline.telemetry.websocket.WebSocketTelemetry;
import io.opentelemetry.api.trace.SpanContext;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What an operator types: opens a console of a server, or switches its power. */
public final class Cli {

  /** What the line with the trace id begins with. */
  public static final String TRACE = "trace ";

  private static final String GET_SERVER = "/fleet.v1.FleetService/GetServer";
  private static final String SERVICE = "bmc-cli";
  private static final String USAGE =
      "cli --manager=URI [--user=NAME] vnc SERVER | sol SERVER | power SERVER ACTION";
  private static final Map<String, Integer> WORDS = Map.of("vnc", 2, "sol", 2, "power", 3);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int FRAMES = 3;
  private static final String PROBE = "are you there";

  private final Telemetry telemetry;
  private final HttpClient http = JsonClient.http(CONNECT_TIMEOUT);
  private final JsonClient client;
  private final WebSocketTelemetry webSockets;
  private final URI manager;
  private final String user;
  private final String password;
  private final PrintStream out;

  /** A client of the Manager at this address. */
  public Cli(Telemetry telemetry, URI manager, String user, String password, PrintStream out) {
    this.telemetry = telemetry;
    HttpTelemetry httpTelemetry =
        HttpTelemetry.builder(telemetry).addConnectProcedure(GET_SERVER).build();
    client = new JsonClient(httpTelemetry.wrap(http), TIMEOUT);
    // A line that is typed has a span; frames, which may be thousands a second, have none.
    webSockets =
        WebSocketTelemetry.builder(telemetry)
            .setMessageSpans((sent, text, bytes) -> sent && text != null)
            .build();
    this.manager = manager;
    this.user = user;
    this.password = password;
    this.out = out;
  }

  /** Does what the command line says; ends with 0 where that worked, 1 or 2 where not. */
  public static void main(String[] args) {
    System.exit(run(args, System.out));
  }

  private static int run(String[] args, PrintStream out) {
    try {
      Arguments arguments = new Arguments(args, "manager", "user");
      URI manager = URI.create(arguments.require("manager"));
      String password = Secrets.require(Secrets.PASSWORD);
      try (Telemetry telemetry = Telemetry.init(SERVICE)) {
        Cli cli = new Cli(telemetry, manager, arguments.get("user", "ada"), password, out);
        return cli.run(arguments.words()) ? 0 : 1;
      }
    } catch (IllegalArgumentException e) {
      out.println(e.getMessage());
      return 2;
    }
  }

  /**
   * Runs a command, and prints what came of it and the id of its trace.
   *
   * @return whether it worked
   * @throws IllegalArgumentException if there is no such command
   */
  public boolean run(List<String> command) {
    String name = command.isEmpty() ? "" : command.get(0);
    if (command.size() != WORDS.getOrDefault(name, -1)) {
      throw new IllegalArgumentException(USAGE);
    }
    try {
      String outcome =
          telemetry
              .span("cli." + name)
              .call(
                  span -> {
                    printTrace(span);
                    return perform(command);
                  });
      out.println(outcome);
      return true;
    } catch (Refusal e) {
      out.println("Failed: " + e.getMessage());
      return false;
    }
  }

  private String perform(List<String> command) throws Refusal {
    String server = command.get(1);
    return switch (command.get(0)) {
      case "vnc" -> viewScreen(server);
      case "sol" -> viewSerialConsole(server);
      default -> switchPower(server, command.get(2));
    };
  }

  private String viewScreen(String server) throws Refusal {
    ObjectNode session = createSession("/CreateVNCSession", server);
    return view(
        session,
        "vnc.view",
        console -> {
          RfbViewer viewer = new RfbViewer(console.input(), console.output());
          RfbViewer.Screen screen = viewer.shakeHands();
          for (int frame = 0; frame < FRAMES; frame++) {
            viewer.awaitFrame();
          }
          return "Session %s shows \"%s\", %d x %d pixels, and sent %d frames"
              .formatted(id(session), screen.name(), screen.width(), screen.height(), FRAMES);
        });
  }

  private String viewSerialConsole(String server) throws Refusal {
    ObjectNode session = createSession("/CreateSOLSession", server);
    return view(
        session,
        "sol.view",
        console -> {
          String greeting = console.readLine();
          console.writeLine(PROBE);
          return "Session %s says \"%s\", and echoes \"%s\""
              .formatted(id(session), greeting, console.readLine());
        });
  }

  /** What is done with a console. */
  @FunctionalInterface
  private interface Viewing {
    String view(ConsoleSocket console) throws IOException;
  }

  private String view(ObjectNode session, String span, Viewing viewing) throws Refusal {
    URI uri = URI.create(session.path("viewer").asText());
    try (ConsoleSocket console = new ConsoleSocket(webSockets.newBuilder(http), uri, TIMEOUT)) {
      return telemetry.span(span).call(() -> viewing.view(console));
    } catch (IOException e) {
      throw new Refusal(502, "The console broke off: " + e.getMessage());
    }
  }

  private static String id(ObjectNode session) {
    return session.path("session_id").asText();
  }

  private String switchPower(String server, String action) throws Refusal {
    String authorization = signIn();
    ObjectNode answer =
        client.post(
            manager.resolve("/servers/" + server + "/power"),
            Json.object().put("action", action),
            "Authorization",
            authorization);
    return "The power of " + server + " is " + answer.path("power").asText();
  }

  private ObjectNode createSession(String path, String server) throws Refusal {
    String authorization = signIn();
    ObjectNode known =
        client.post(
            manager.resolve(GET_SERVER),
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
