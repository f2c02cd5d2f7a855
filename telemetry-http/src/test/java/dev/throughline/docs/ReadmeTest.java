// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.trace.SpanKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The README of the project, and the service that it shows. */
class ReadmeTest extends ReadmeKit {

  static final class Gateway {

    private Gateway() {}

    // region
    public static void main(String[] args) throws IOException {
      Telemetry telemetry = Telemetry.init("bmc-gateway"); // closes itself when the JVM stops
      HttpTelemetry http = HttpTelemetry.create(telemetry);

      HttpClient client = http.wrap(HttpClient.newHttpClient()); // its requests carry the trace on
      HttpServer server = HttpServer.create(new InetSocketAddress(8081), 0);
      http.addTo(
          server.createContext("/CreateVNCSession", new CreateVncSession(telemetry, client)));
      server.start();
    }
    // endregion
  }

  static final class CreateVncSession implements HttpHandler {

    private final Telemetry telemetry;
    private final HttpClient client;
    private URI agent = URI.create("http://localhost:8090/sessions/vnc");

    CreateVncSession(Telemetry telemetry, HttpClient client) {
      this.telemetry = telemetry;
      this.client = client;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
      byte[] body = telemetry.span("session.create").call(this::askAgent).getBytes(UTF_8);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    }

    private String askAgent() throws IOException {
      try {
        HttpRequest request = HttpRequest.newBuilder(agent).POST(BodyPublishers.noBody()).build();
        return client.send(request, BodyHandlers.ofString()).body();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }

    // region
    Screen connect(Bmc bmc, String sessionId) throws IOException {
      return telemetry
          .span("vnc.connect") // component.operation; what varies goes into attributes
          .kind(SpanKind.CLIENT)
          .attribute("bmc.type", bmc.type())
          .baggage("session_id", sessionId) // current inside, and on every hop below
          .call(() -> bmc.openScreen()); // what it throws is recorded and thrown on, unchanged
    }
    // endregion
  }

  // region
  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  @Test
  void connectsToTheHardware() throws IOException {
    new CreateVncSession(telemetry.telemetry(), client).connect(bmc, "s-1");

    assertThat(telemetry)
        .tree(
            """
            vnc.connect  CLIENT bmc.type=ipmi baggage.session_id=s-1
            """);
  }

  // endregion

  @Test
  void throwsWhatTheHardwareThrows() {
    CreateVncSession session = new CreateVncSession(telemetry.telemetry(), client);
    Bmc dead =
        new Bmc("ipmi") {
          @Override
          Screen openScreen() throws IOException {
            throw new IOException("no answer");
          }
        };

    assertThatThrownBy(() -> session.connect(dead, "s-1"))
        .isExactlyInstanceOf(IOException.class)
        .hasMessage("no answer");
    assertThat(telemetry).tree("vnc.connect  CLIENT ERROR error.type=java.io.IOException");
  }

  /** What {@code main()} starts, but for its port, its exporters and its Agent. */
  @Test
  void isOneTraceFromTheServerToTheClient() throws Exception {
    HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
    HttpServer agent = server();
    agent.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    HttpServer server = server();
    CreateVncSession session = new CreateVncSession(telemetry.telemetry(), http.wrap(client));
    session.agent = address(agent);
    http.addTo(server.createContext("/CreateVNCSession", session));
    agent.start();
    server.start();
    try {
      URI uri = address(server).resolve("/CreateVNCSession");
      HttpRequest request = HttpRequest.newBuilder(uri).POST(BodyPublishers.noBody()).build();
      assertThat(client.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
    } finally {
      server.stop(0);
      agent.stop(0);
    }

    assertThat(telemetry)
        .tree(
            """
            POST /CreateVNCSession  SERVER
              session.create
                POST                CLIENT http.response.status_code=204
            """);
  }

  private static HttpServer server() throws IOException {
    return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
  }

  private static URI address(HttpServer server) {
    return URI.create("http://localhost:" + server.getAddress().getPort());
  }

  private final HttpClient client = HttpClient.newHttpClient();
  private final Bmc bmc = new Bmc("ipmi");

  @Override
  protected Path readme() {
    return Pages.ROOT.resolve("README.md");
  }

  private record Screen(int width, int height) {}

  private static class Bmc {

    private final String type;

    Bmc(String type) {
      this.type = type;
    }

    String type() {
      return type;
    }

    Screen openScreen() throws IOException {
      return new Screen(800, 600);
    }
  }
}
