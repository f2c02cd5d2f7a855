// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class JsonServerTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final HttpClient http = JsonClient.http(TIMEOUT);
  private final JsonClient client = new JsonClient(http, TIMEOUT);
  private JsonServer server;

  @BeforeEach
  void start() {
    server = new JsonServer(HttpTelemetry.create(Telemetry.noop()), 0, ErrorStyle.PLAIN);
    server.route(
        "POST",
        "/servers/{id}/power",
        request ->
            Json.object()
                .put("id", request.variable("id"))
                .put("token", request.bearerToken())
                .put("action", JsonRequest.text(request.body(), "action")));
    server.route("GET", "/nothing", request -> null);
    server.route(
        "GET",
        "/broken",
        request -> {
          throw new IllegalStateException("a secret reason");
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void servesRoutes() throws Exception {
    assertThat(
            client.post(
                uri("/servers/srv-1/power"),
                Json.object().put("action", "on"),
                "Authorization",
                "Bearer x"))
        .isEqualTo(Json.object().put("id", "srv-1").put("token", "x").put("action", "on"));
    assertThat(client.get(uri("/nothing"))).isEqualTo(Json.object());
    assertThat(client.get(uri("/health"))).isEqualTo(Json.object().put("status", "up"));
  }

  @Test
  void refusesWhatIsNoRoute() throws Exception {
    assertThat(send("GET", "/health/more", "").statusCode()).isEqualTo(404);
    assertThat(send("POST", "/servers/srv-1", "").statusCode()).isEqualTo(404);
    assertThat(send("POST", "/servers//power", "").statusCode()).isEqualTo(404);
    assertThat(send("POST", "/servers/a%2Fb/power", "").statusCode()).isEqualTo(404);
    assertThat(send("GET", "/servers/srv-1/power", ""))
        .matches(response -> response.statusCode() == 405)
        .matches(response -> response.headers().firstValue("Allow").orElseThrow().equals("POST"));
  }

  @Test
  void refusesBodiesThatItCannotRead() throws Exception {
    assertThat(power("{")).isEqualTo("400 {\"error\":\"The body must be a JSON object\"}");
    assertThat(power("")).isEqualTo("400 {\"error\":\"The body must be a JSON object\"}");
    assertThat(power("{}"))
        .isEqualTo("400 {\"error\":\"The body must have a text field \\\"action\\\"\"}");
    assertThat(power("{\"action\":1}")).startsWith("400");
    assertThat(power("{\"action\":\"" + "x".repeat(70_000) + "\"}")).startsWith("413");
  }

  @Test
  void keepsItsOwnFailuresToItself() throws Exception {
    HttpResponse<String> response = send("GET", "/broken", "");

    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).isEqualTo("{\"error\":\"An internal error\"}");
  }

  @Test
  void theClientPassesOnWhoIsToBlame() {
    assertRefused("/missing", TIMEOUT, 404);
    assertRefused("/broken", TIMEOUT, 502);
  }

  @Test
  void theClientDoesNotWaitForEver() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      URI uri = URI.create("http://127.0.0.1:" + silent.getLocalPort());
      JsonClient impatient = new JsonClient(http, Duration.ofMillis(50));

      assertThatExceptionOfType(Refusal.class)
          .isThrownBy(() -> impatient.get(uri))
          .matches(refusal -> refusal.status() == 504);
    }
  }

  @Test
  void theClientSaysThatNobodyIsThere() {
    server.close();

    assertRefused("/health", TIMEOUT, 502);
  }

  private void assertRefused(String path, Duration timeout, int status) {
    assertThatExceptionOfType(Refusal.class)
        .isThrownBy(() -> new JsonClient(http, timeout).get(uri(path)))
        .matches(refusal -> refusal.status() == status, "status " + status);
  }

  private String power(String body) throws Exception {
    HttpResponse<String> response = send("POST", "/servers/srv-1/power", body);
    return response.statusCode() + " " + response.body();
  }

  private HttpResponse<String> send(String method, String path, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(uri(path))
            .method(method, BodyPublishers.ofString(body))
            .header("Authorization", "Bearer x")
            .timeout(TIMEOUT)
            .build();
    return http.send(request, BodyHandlers.ofString());
  }

  private URI uri(String path) {
    return server.uri().resolve(path);
  }
}
