// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.manager;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.examples.auth.Tokens;
import dev.throughline.examples.service.JsonClient;
import dev.throughline.telemetry.Telemetry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The Connect protocol, as its specification words it. */
class FleetServiceTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Tokens TOKENS = new Tokens("k".repeat(32), Clock.systemUTC());
  private static final HttpClient HTTP = JsonClient.http(TIMEOUT);

  private static Manager manager;

  @BeforeAll
  static void start() {
    KnownServer server = KnownServer.parse("srv-1,ber1,http://127.0.0.1:8081");
    Operator operator = new Operator("ada", "secret", "acme");
    manager = new Manager(Telemetry.noop(), TOKENS, operator, server, 0);
  }

  @AfterAll
  static void stop() {
    manager.close();
  }

  @Test
  void givesTheServer() throws Exception {
    HttpResponse<String> response = send(call().POST(body("{\"id\":\"srv-1\"}")));

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/json");
    assertThat(response.body())
        .isEqualTo(
            "{\"server\":{\"id\":\"srv-1\",\"datacenter\":\"ber1\","
                + "\"gateway\":\"http://127.0.0.1:8081\"}}");
  }

  @Test
  void takesTheHeadersOfOtherClients() throws Exception {
    assertThat(
            send(
                call()
                    .setHeader("Content-Type", "application/json; charset=UTF-8")
                    .setHeader("Content-Encoding", "identity")
                    .setHeader("Connect-Timeout-Ms", "500")
                    .POST(body("{\"id\":\"srv-1\"}"))))
        .matches(response -> response.statusCode() == 200);
  }

  @Test
  void answersErrorsWithCodes() throws Exception {
    assertError(call().POST(body("{\"id\":\"srv-2\"}")), 404, "not_found");
    assertError(call().POST(body("{}")), 400, "invalid_argument");
    assertError(call().POST(body("{")), 400, "invalid_argument");
    assertError(
        call().setHeader("Authorization", "Bearer x").POST(body("{}")), 401, "unauthenticated");
    assertError(
        call().setHeader("Connect-Protocol-Version", "2").POST(body("{}")),
        400,
        "invalid_argument");
    assertError(
        call().setHeader("Content-Encoding", "gzip").POST(body("{}")), 501, "unimplemented");
    assertError(
        call().setHeader("Content-Type", "application/proto").POST(body("")), 415, "unknown");
    assertError(call().GET(), 405, "unknown");
  }

  @Test
  void answersOtherPathsInTheirOwnWords() throws Exception {
    HttpRequest.Builder signIn =
        HttpRequest.newBuilder(manager.uri().resolve("/auth"))
            .POST(body("{\"user\":\"ada\",\"password\":\"wrong\"}"));
    HttpResponse<String> response = send(signIn);

    assertThat(response.statusCode()).isEqualTo(401);
    assertThat(response.body()).isEqualTo("{\"error\":\"The user or the password is wrong\"}");
  }

  @Test
  void keepsThePasswordToItself() {
    assertThat(new Operator("ada", "secret", "acme").toString()).doesNotContain("secret");
  }

  private static void assertError(HttpRequest.Builder request, int status, String code)
      throws Exception {
    HttpResponse<String> response = send(request);
    assertThat(response.body()).startsWith("{\"code\":\"" + code + "\",\"message\":\"");
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/json");
  }

  private static HttpRequest.Builder call() {
    URI uri = manager.uri().resolve("/fleet.v1.FleetService/GetServer");
    return HttpRequest.newBuilder(uri)
        .header("Content-Type", "application/json")
        .header("Connect-Protocol-Version", "1")
        .header("Authorization", "Bearer " + TOKENS.sign("ada", "acme"));
  }

  private static HttpRequest.BodyPublisher body(String json) {
    return BodyPublishers.ofString(json);
  }

  private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return HTTP.send(request.timeout(TIMEOUT).build(), BodyHandlers.ofString());
  }
}
