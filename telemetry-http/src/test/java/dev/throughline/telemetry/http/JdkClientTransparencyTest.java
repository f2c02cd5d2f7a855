// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TransparencyKit;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;

/** The JDK's client does the same with our wrapper around it. */
class JdkClientTransparencyTest extends TransparencyKit<HttpClient> {

  private static final List<String> ADDED =
      List.of("traceparent", "tracestate", "baggage", REQUEST_ID.toLowerCase());

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server = server();

  private HttpServer server() {
    try {
      HttpServer made =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      made.setExecutor(threads);
      made.createContext("/echo", JdkClientTransparencyTest::echo);
      made.createContext("/missing", exchange -> answer(exchange, 404, "missing"));
      made.createContext("/empty", exchange -> exchange.sendResponseHeaders(204, -1));
      made.createContext("/large", exchange -> answer(exchange, 200, "0123456789".repeat(200_000)));
      made.createContext("/gone", HttpExchange::close);
      made.createContext("/held", exchange -> {});
      made.createContext(
          "/moved",
          exchange -> {
            exchange.getResponseHeaders().set("Location", "/echo");
            exchange.sendResponseHeaders(302, -1);
          });
      made.start();
      return made;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterAll
  void stopServer() {
    server.stop(0);
    threads.shutdownNow();
  }

  @Override
  protected HttpClient start(@Nullable Telemetry telemetry, Mode mode) {
    HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();
    // A client excludes nothing; declared as an RPC it is looked at instead.
    return telemetry == null
        ? client
        : HttpTelemetry.builder(telemetry)
            .addConnectProcedure(mode.equals(EXCLUDED) ? "/echo/kit.v1.Kit" : "/kit.v1.Kit/None")
            .build()
            .wrap(client);
  }

  @Override
  protected void stop(HttpClient client) {}

  @Override
  protected List<Scenario<HttpClient>> scenarios() {
    List<Scenario<HttpClient>> scenarios = new ArrayList<>();
    for (String path :
        List.of("/echo", "/echo/kit.v1.Kit", "/missing", "/empty", "/large", "/moved")) {
      scenarios.add(both("GET " + path, get(path), BodyHandlers.ofString()));
      scenarios.add(both("HEAD " + path, request(path, "HEAD", null), BodyHandlers.ofString()));
      scenarios.add(both("POST " + path, request(path, "POST", "grün"), BodyHandlers.ofString()));
      scenarios.add(both(path + " discarded", get(path), BodyHandlers.discarding()));
    }
    scenarios.add(both("a stream", get("/echo"), streaming()));
    scenarios.add(
        both(
            "100-continue",
            HttpRequest.newBuilder(uri("/echo"))
                .expectContinue(true)
                .POST(BodyPublishers.ofString("continue"))
                .build(),
            BodyHandlers.ofString()));
    scenarios.add(
        both(
            "a handler that throws",
            get("/echo"),
            info -> {
              throw new IllegalStateException("of the handler");
            }));
    scenarios.add(both("a handler that returns null", get("/empty"), info -> null));
    scenarios.add(
        new Scenario<>(
            "a handler that returns null for a body",
            client ->
                answered(client.sendAsync(get("/echo"), info -> (BodySubscriber<String>) null))));
    scenarios.add(
        both(
            "a body that throws",
            get("/echo"),
            info ->
                BodySubscribers.mapping(
                    BodySubscribers.ofString(UTF_8),
                    text -> {
                      throw new IllegalStateException("of the body");
                    })));
    scenarios.add(both("no answer", request("/gone", "POST", "x"), BodyHandlers.ofString()));
    scenarios.add(both("no request", null, BodyHandlers.ofString()));
    scenarios.add(both("no handler", get("/echo"), null));
    scenarios.add(both("neither", null, null));
    scenarios.add(
        new Scenario<>(
            "interrupted",
            client -> {
              Thread.currentThread().interrupt();
              String seen = outcome(() -> seen(client.send(get("/held"), BodyHandlers.ofString())));
              return seen + Thread.interrupted();
            }));
    return scenarios;
  }

  /** Both ways to send, one after the other. */
  private <T> Scenario<HttpClient> both(
      String name, @Nullable HttpRequest request, @Nullable BodyHandler<T> handler) {
    return new Scenario<>(
        name,
        client ->
            outcome(() -> seen(client.send(request, handler)))
                + "\n"
                + outcome(() -> seen(client.sendAsync(request, handler, null).get())));
  }

  @FunctionalInterface
  private interface Call {
    String run() throws Exception;
  }

  private static String outcome(Call call) {
    try {
      return call.run();
    } catch (Exception e) {
      // Further causes are the transport's matter, and differ by chance.
      Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
      String message = cause instanceof IOException ? "" : cause.getMessage();
      return e.getClass().getName() + " " + cause.getClass().getName() + " " + message;
    }
  }

  /** From JDK 25 on the client may also lose such a request in a thread of its own. */
  private static String answered(CompletableFuture<HttpResponse<String>> sent) throws Exception {
    try {
      return "" + sent.get(1, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return "no response";
    }
  }

  private String seen(HttpResponse<?> response) {
    Map<String, List<String>> headers = new TreeMap<>(response.headers().map());
    headers.remove("date");
    Map<String, List<String>> sent = new TreeMap<>(response.request().headers().map());
    sent.keySet().removeIf(name -> ADDED.contains(name.toLowerCase()));
    return String.join(
        " ",
        "" + response.statusCode(),
        headers.toString(),
        "" + response.body(),
        response.uri().getPath(),
        response.request().method(),
        response.request().uri().getPath(),
        sent.toString(),
        "" + response.previousResponse().map(HttpResponse::statusCode),
        "" + response.version(),
        "" + response.sslSession());
  }

  private static BodyHandler<String> streaming() {
    return info ->
        BodySubscribers.mapping(
            BodySubscribers.ofInputStream(),
            in -> {
              try (InputStream stream = in) {
                return stream == null ? "none" : "a stream";
              } catch (IOException e) {
                return e.toString();
              }
            });
  }

  private HttpRequest get(String path) {
    return request(path, "GET", null);
  }

  private HttpRequest request(String path, String method, @Nullable String body) {
    return HttpRequest.newBuilder(uri(path))
        .header("X-Kit", "a")
        .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
        .build();
  }

  private URI uri(String path) {
    return URI.create("http://localhost:" + server.getAddress().getPort() + path);
  }

  /** Answers with what came, but for what the wrapper may add. */
  private static void echo(HttpExchange exchange) throws IOException {
    String headers =
        new TreeMap<>(exchange.getRequestHeaders())
            .entrySet().stream()
                .filter(entry -> !ADDED.contains(entry.getKey().toLowerCase()))
                .map(Object::toString)
                .collect(Collectors.joining(", "));
    String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    answer(exchange, 200, exchange.getRequestMethod() + " " + headers + " " + body);
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, head ? -1 : bytes.length);
    if (!head) {
      exchange.getResponseBody().write(bytes);
    }
    exchange.close();
  }
}
