// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The behaviour of an adapter for an HTTP client, against a server of the kit's. A subclass says
 * how requests are sent:
 *
 * <pre>{@code
 * class JdkClientTest extends HttpClientKit {
 *   @Override protected Client client(Telemetry telemetry) { ... }
 * }
 * }</pre>
 *
 * <p>The client follows redirects. Where it has no asynchronous form, the subclass overrides those
 * tests and disables them with the reason.
 */
public abstract class HttpClientKit extends ThrowingHooksKit {

  private static final String REQUEST_DURATION = "http.client.request.duration";
  private static final Duration SOON = Duration.ofMillis(250);

  private final CountDownLatch held = new CountDownLatch(1);
  private final AtomicReference<@Nullable Map<String, String>> received = new AtomicReference<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch arrived = new CountDownLatch(1);
  private @Nullable HttpServer server;

  /** A client, as the kit uses it. */
  public interface Client {

    /** Sends a request and waits for its response. */
    Response send(Request request) throws Exception;

    /** Sends a request; cancelling the result is to cancel what the client itself returned. */
    CompletableFuture<Response> sendAsync(Request request);
  }

  /**
   * A request to send.
   *
   * @param timeout for the whole request; null is the client's own
   * @param onBody to be run where the client hands the response to the application's own code, such
   *     as a body handler or a callback
   */
  public record Request(
      String method,
      URI uri,
      Map<String, String> headers,
      @Nullable Duration timeout,
      Runnable onBody) {

    Request withTimeout(Duration timeout) {
      return new Request(method, uri, headers, timeout, onBody);
    }

    Request onBody(Runnable onBody) {
      return new Request(method, uri, headers, timeout, onBody);
    }
  }

  /** A response that came. */
  public record Response(int status, String body) {}

  /**
   * A client with the adapter around it.
   *
   * @param telemetry what the adapter is made of; null is the client without the adapter
   */
  protected abstract Client client(@Nullable Telemetry telemetry);

  @BeforeEach
  void startServer() throws IOException {
    HttpServer started =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    started.setExecutor(threads);
    started.createContext("/hello", exchange -> answer(exchange, 200, "hello"));
    started.createContext("/missing", exchange -> answer(exchange, 404, "missing"));
    started.createContext("/broken", exchange -> answer(exchange, 503, "broken"));
    started.createContext(
        "/redirect",
        exchange -> {
          exchange.getResponseHeaders().set("Location", "/hello");
          answer(exchange, 302, "");
        });
    started.createContext("/held", this::hold);
    started.start();
    server = started;
  }

  @AfterEach
  void stopServer() {
    held.countDown();
    requireNonNull(server).stop(0);
    threads.shutdownNow();
  }

  @Test
  protected void sendsItsContext() throws Exception {
    Map<String, String> cameIn = new HashMap<>();
    cameIn.put("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    cameIn.put("tracestate", "vendor=1");
    cameIn.put("baggage", "customer_id=c1");
    Response response;
    try (Scope ignored = telemetry.telemetry().extract(cameIn).makeCurrent()) {
      response = client().send(get("/hello"));
    }

    assertThat(response).isEqualTo(new Response(200, "hello"));
    SpanData span = telemetry.takeSpan();
    assertThat(span.getTraceId()).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
    assertThat(span.getParentSpanId()).isEqualTo("00f067aa0ba902b7");
    assertThat(received())
        .containsEntry("traceparent", traceparent(span))
        .containsEntry("tracestate", "vendor=1")
        .containsEntry("baggage", "customer_id=c1");
    assertThat(attributes(span)).containsEntry("baggage.customer_id", "c1");
  }

  @Test
  protected void sendsItsContextAsynchronously() throws Exception {
    Response response = client().sendAsync(get("/hello")).get(10, TimeUnit.SECONDS);

    assertThat(response).isEqualTo(new Response(200, "hello"));
    assertThat(received()).containsEntry("traceparent", traceparent(telemetry.takeSpan()));
  }

  @Test
  protected void isBelowTheCurrentSpan() throws Exception {
    telemetry
        .telemetry()
        .span("work")
        .run(
            () -> {
              client().send(get("/hello"));
              client().sendAsync(get("/hello")).get(10, TimeUnit.SECONDS);
              client().send(new Request("BREW", uri("/hello"), Map.of(), null, () -> {}));
            });

    assertThat(telemetry)
        .tree(
            """
            work
              GET   CLIENT
              GET   CLIENT
              HTTP  CLIENT http.request.method=_OTHER http.request.method_original=BREW
            """);
  }

  @Test
  protected void describesTheRequestAndItsResponse() throws Exception {
    client().send(get("/hello"));

    SpanData span = telemetry.takeSpan();
    assertThat(span.getName()).isEqualTo("GET");
    assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(attributes(span))
        .containsEntry("http.request.method", "GET")
        .containsEntry("url.full", uri("/hello").toString())
        .containsEntry("server.address", uri("/hello").getHost())
        .containsEntry("server.port", (long) uri("/hello").getPort())
        .containsEntry("http.response.status_code", 200L)
        .containsEntry("network.protocol.version", "1.1")
        .doesNotContainKey("error.type");
  }

  @Test
  protected void redactsCredentialsAndTheValuesOfTheQuery() throws Exception {
    URI plain = uri("/hello");
    URI secret =
        URI.create(
            "http://user:secret@%s:%d/hello?token=secret&page=2"
                .formatted(plain.getHost(), plain.getPort()));
    client().send(new Request("GET", secret, Map.of(), null, () -> {}));

    SpanData span = telemetry.takeSpan();
    assertThat(attributes(span))
        .containsEntry(
            "url.full",
            "http://REDACTED:REDACTED@%s:%d/hello?token=REDACTED&page=REDACTED"
                .formatted(plain.getHost(), plain.getPort()));
    assertThat(span.toString()).doesNotContain("secret");
  }

  @Test
  protected void aStatusOf4xxAnd5xxIsAnError() throws Exception {
    assertThat(client().send(get("/missing"))).isEqualTo(new Response(404, "missing"));
    assertThat(client().send(get("/broken"))).isEqualTo(new Response(503, "broken"));

    assertThat(telemetry)
        .tree(
            """
            GET  CLIENT ERROR http.response.status_code=404 error.type=404
            GET  CLIENT ERROR http.response.status_code=503 error.type=503
            """);
  }

  @Test
  protected void aRefusedConnectionThrowsAsItDoesWithoutUs() throws Exception {
    // Its port is nobody else's to listen on, as long as it is bound.
    try (Socket bound = new Socket()) {
      bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      URI nobody = URI.create("http://localhost:" + bound.getLocalPort());
      assertThrowsTheSame(new Request("GET", nobody, Map.of(), null, () -> {}));
    }
  }

  @Test
  protected void aTimeoutThrowsAsItDoesWithoutUs() throws Exception {
    assertThrowsTheSame(get("/held").withTimeout(SOON));
  }

  @Test
  protected void aCancelledRequestEndsItsSpan() throws Exception {
    CompletableFuture<Response> response = client().sendAsync(get("/held"));
    assertThat(arrived.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(response.cancel(true)).isTrue();

    SpanData span = telemetry.takeSpan();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(attributes(span))
        .doesNotContainKey("http.response.status_code")
        .containsKey("error.type");
  }

  @Test
  protected void aRedirectIsOneSpan() throws Exception {
    assertThat(client().send(get("/redirect"))).isEqualTo(new Response(200, "hello"));
    assertThat(client().sendAsync(get("/redirect")).get(10, TimeUnit.SECONDS))
        .isEqualTo(new Response(200, "hello"));

    assertThat(telemetry)
        .tree(
            """
            GET  CLIENT http.response.status_code=200
            GET  CLIENT http.response.status_code=200
            """);
  }

  @Test
  protected void handsTheBodyOverInItsContext() throws Exception {
    List<SpanContext> seen = new ArrayList<>();
    Request request = get("/hello").onBody(() -> seen.add(Span.current().getSpanContext()));
    client().send(request);
    client().sendAsync(request).get(10, TimeUnit.SECONDS);

    assertThat(seen)
        .containsExactlyElementsOf(
            telemetry.takeSpans(2).stream().map(SpanData::getSpanContext).toList());
  }

  @Test
  protected void recordsTheDurationInSeconds() throws Exception {
    Client client = client();
    long before = System.nanoTime();
    client.send(get("/hello"));

    SpanData span = telemetry.takeSpan();
    MetricData metric = telemetry.metric(REQUEST_DURATION);
    double elapsed = (System.nanoTime() - before) / 1e9;
    assertThat(metric.getUnit()).isEqualTo("s");
    assertThat(metric.getHistogramData().getPoints()).hasSize(1);
    HistogramPointData point = metric.getHistogramData().getPoints().iterator().next();
    assertThat(point.getBoundaries()).containsExactly(BOUNDARIES);
    assertThat(point.getCount()).isEqualTo(1);
    assertThat(point.getAttributes())
        .isEqualTo(
            Attributes.builder()
                .put("http.request.method", "GET")
                .put("http.response.status_code", 200)
                .put("network.protocol.version", "1.1")
                .put("server.address", uri("/hello").getHost())
                .put("server.port", uri("/hello").getPort())
                .build());
    double spanSeconds = (span.getEndEpochNanos() - span.getStartEpochNanos()) / 1e9;
    assertThat(point.getSum()).isPositive().isBetween(spanSeconds / 10, elapsed);
  }

  @Test
  protected void passesTheContextOnWhenOff() throws Exception {
    Telemetry off = Telemetry.noop();
    Map<String, String> cameIn =
        Map.of(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "tracestate",
            "vendor=1",
            "baggage",
            "customer_id=c%201;p=1, other = o1");
    try (Scope ignored = off.extract(cameIn).makeCurrent()) {
      client(off).send(get("/hello"));
    }
    assertThat(received()).containsAllEntriesOf(cameIn);

    client(off).sendAsync(get("/hello")).get(10, TimeUnit.SECONDS);
    assertThat(received()).doesNotContainKeys("traceparent", "tracestate", "baggage");
  }

  @Override
  protected Exchange exchange() {
    return over -> {
      Client client = client(over);
      List<Object> outcomes = new ArrayList<>();
      try (Scope ignored =
          telemetry.telemetry().extract(Map.of("baggage", "customer_id=c1")).makeCurrent()) {
        for (String path : List.of("/hello", "/redirect", "/missing")) {
          outcomes.add(client.send(get(path)));
          outcomes.add(client.sendAsync(get(path)).get(10, TimeUnit.SECONDS));
        }
        Request late = get("/held").withTimeout(SOON);
        outcomes.add(connected(client));
        outcomes.add(types(catchThrowable(() -> client.send(late))));
        outcomes.add(connected(client));
        outcomes.add(types(catchThrowable(() -> client.sendAsync(late).get())));
      }
      return outcomes;
    };
  }

  private void assertThrowsTheSame(Request request) throws Exception {
    Client traced = client();
    List<SpanData> spans = new ArrayList<>();
    connected(traced);
    telemetry.takeSpan();
    Throwable thrown = catchThrowable(() -> traced.send(request));
    spans.add(telemetry.takeSpan());
    connected(traced);
    telemetry.takeSpan();
    Throwable asynchronously = catchThrowable(() -> traced.sendAsync(request).get());
    spans.add(telemetry.takeSpan());

    Client bare = client(null);
    connected(bare);
    assertThat(types(thrown)).isEqualTo(types(catchThrowable(() -> bare.send(request))));
    connected(bare);
    assertThat(types(asynchronously))
        .isEqualTo(types(catchThrowable(() -> bare.sendAsync(request).get())));
    assertThat(spans)
        .allSatisfy(
            span -> {
              assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
              assertThat(attributes(span))
                  .containsEntry("error.type", thrown.getClass().getName())
                  .doesNotContainKey("http.response.status_code");
              assertThat(span.getEvents())
                  .singleElement()
                  .satisfies(
                      event ->
                          assertThat(
                                  event
                                      .getAttributes()
                                      .get(AttributeKey.stringKey("exception.type")))
                              .isEqualTo(thrown.getClass().getName()));
            });
  }

  /** Leaves a connection to the server open: while one is made, another exception is thrown. */
  private Response connected(Client client) throws Exception {
    return client.send(get("/hello"));
  }

  /** What a caller can catch; further causes are the transport's matter, and differ by chance. */
  private static List<Class<?>> types(@Nullable Throwable thrown) {
    List<Class<?>> types = new ArrayList<>();
    Throwable caught = thrown;
    while (caught != null) {
      types.add(caught.getClass());
      caught = caught instanceof ExecutionException ? caught.getCause() : null;
    }
    return types;
  }

  private Client client() {
    return client(telemetry.telemetry());
  }

  private Request get(String path) {
    return new Request("GET", uri(path), Map.of(), null, () -> {});
  }

  private URI uri(String path) {
    return URI.create("http://localhost:" + requireNonNull(server).getAddress().getPort() + path);
  }

  private Map<String, String> received() {
    return requireNonNull(received.get(), "no request");
  }

  private void answer(HttpExchange exchange, int status, String body) throws IOException {
    Map<String, String> headers = new HashMap<>();
    exchange
        .getRequestHeaders()
        .forEach(
            (name, lines) -> headers.put(name.toLowerCase(Locale.ROOT), String.join(",", lines)));
    received.set(headers);
    byte[] bytes = body.getBytes(UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private void hold(HttpExchange exchange) throws IOException {
    arrived.countDown();
    try {
      held.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    exchange.close();
  }

  private static String traceparent(SpanData span) {
    SpanContext context = span.getSpanContext();
    return "00-%s-%s-%s"
        .formatted(context.getTraceId(), context.getSpanId(), context.getTraceFlags().asHex());
  }
}
