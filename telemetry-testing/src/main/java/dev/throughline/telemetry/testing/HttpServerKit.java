// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The behaviour of an adapter for an HTTP server. A subclass starts a real server with the adapter
 * on it, and registers the kit's endpoints in whatever way the server has:
 *
 * <pre>{@code
 * class JettyTest extends HttpServerKit {
 *   @Override protected URI start(Setup setup) { ... }
 *   @Override protected void stop() { ... }
 * }
 * }</pre>
 *
 * <p>Four more endpoints are the subclass's own, since no two servers agree on them: {@link
 * #ASYNC}, {@link #ASYNC_DISPATCH}, {@link #ASYNC_TIMEOUT}, {@link #FORWARD}. Where a server has no
 * such thing, the subclass overrides the test and disables it with the reason.
 */
public abstract class HttpServerKit extends ThrowingHooksKit {

  /** Answers 200 and {@code hello}, to any method. */
  protected static final String HELLO = "/hello";

  /** Answers 200 and {@code item}; whatever stands in the place of the id. */
  protected static final String ITEM = "/items/{id}";

  /** Goes asynchronous; another thread answers, with {@link Setup#asyncHandler()}. */
  protected static final String ASYNC = "/async";

  /** Goes asynchronous, then back to {@link #HELLO} on a thread of the server's. */
  protected static final String ASYNC_DISPATCH = "/async-dispatch";

  /** Goes asynchronous for at most 100 ms, and never answers; the server does, with a 5xx. */
  protected static final String ASYNC_TIMEOUT = "/async-timeout";

  /** Hands the request on to {@link #HELLO} within the server. */
  protected static final String FORWARD = "/forward";

  private static final String CONTEXT = "/context";
  private static final String CHILD = "/child";
  private static final String HELD = "/held";
  private static final String MISSING = "/missing";
  private static final String BROKEN = "/broken";
  private static final String THROWING = "/throwing";
  private static final String HEALTH = "/health";
  private static final String EMPTY = "/empty";
  private static final String LARGE = "/large";
  private static final String CHUNKED = "/chunked";
  private static final String RPC = "/kit.v1.KitService/";

  /** The paths of the kit's Connect RPC procedures, for adapters that have them declared. */
  protected static final List<String> PROCEDURES =
      List.of(RPC + "Say", RPC + "Fail", RPC + "Stream");

  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PARENT = "00f067aa0ba902b7";
  private static final String TRACEPARENT = "00-" + TRACE + "-" + PARENT + "-01";
  private static final String REQUEST_ID = "X-Request-Id";
  private static final String REQUEST_DURATION = "http.server.request.duration";
  private static final String ACTIVE_REQUESTS = "http.server.active_requests";
  private static final byte[] MEGABYTE = "0123456789abcdef".repeat(65_536).getBytes(UTF_8);
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final CountDownLatch held = new CountDownLatch(1);
  private volatile boolean endedEarly;
  private @Nullable URI base;
  private @Nullable HttpClient client;

  /**
   * What to start.
   *
   * @param telemetry what the adapter is made of; null runs the server without the adapter
   * @param endpoints what the server is to answer
   * @param asyncHandler answers {@link #ASYNC}, called on another thread
   * @param requestHeaders the request headers that spans are to show, if the adapter shows any
   * @param responseHeaders the response headers that spans are to show
   */
  public record Setup(
      @Nullable Telemetry telemetry,
      List<Endpoint> endpoints,
      Handler asyncHandler,
      List<String> requestHeaders,
      List<String> responseHeaders) {}

  /**
   * A path and what answers on it, to any method.
   *
   * @param path a whole path; one segment may be a variable in braces
   */
  public record Endpoint(String path, Handler handler) {}

  /** Answers a request. */
  @FunctionalInterface
  public interface Handler {
    /** Answers; what it throws is to reach the server. */
    void handle(Call call) throws IOException;
  }

  /** A request and its response, as the server shows them. */
  public interface Call {

    /** The request's method. */
    String method();

    /** Sets a header of the response that is not yet sent. */
    void setHeader(String name, String value);

    /** Sends a whole response, with its length; one that is empty has no body. */
    void send(int status, byte[] body) throws IOException;

    /** Sends a response whose length is not known before the body is closed. */
    OutputStream sendChunked(int status) throws IOException;
  }

  /**
   * Starts the server on a free port of this host.
   *
   * @return its address, e.g. {@code http://localhost:41234}
   */
  protected abstract URI start(Setup setup) throws Exception;

  /** Stops what {@link #start} started. */
  protected abstract void stop() throws Exception;

  /**
   * The {@code http.route} that the adapter finds out on this server for an endpoint's path; the
   * path itself by default.
   */
  protected String route(String path) {
    return path;
  }

  @BeforeEach
  void startServer() throws Exception {
    restart(telemetry.telemetry(), List.of(), List.of());
  }

  @AfterEach
  void stopServer() throws Exception {
    held.countDown();
    if (base != null) {
      base = null;
      stop();
    }
  }

  @Test
  protected void continuesTheTraceThatCameIn() throws Exception {
    String body =
        get(
                CONTEXT,
                "traceparent",
                TRACEPARENT,
                "tracestate",
                "vendor=1",
                "baggage",
                "customer_id=c1,other=o1")
            .body();

    SpanData span = telemetry.takeSpan();
    assertThat(span.getTraceId()).isEqualTo(TRACE);
    assertThat(span.getParentSpanContext().getSpanId()).isEqualTo(PARENT);
    assertThat(span.getParentSpanContext().isRemote()).isTrue();
    assertThat(span.getSpanContext().getTraceState().asMap())
        .containsExactly(Map.entry("vendor", "1"));
    assertThat(attributes(span))
        .containsEntry("baggage.customer_id", "c1")
        .doesNotContainKey("baggage.other");
    assertThat(body.lines())
        .as("the context that is current in the handler")
        .contains("traceparent=00-" + TRACE + "-" + span.getSpanId() + "-01", "tracestate=vendor=1")
        .anySatisfy(
            line -> assertThat(line).startsWith("baggage=").contains("customer_id=c1", "other=o1"));
  }

  @Test
  protected void startsATraceWhereNoneCameIn() throws Exception {
    get(HELLO);
    get(HELLO);

    List<SpanData> spans = telemetry.takeSpans(2);
    assertThat(spans).allMatch(span -> !span.getParentSpanContext().isValid());
    assertThat(spans.get(0).getTraceId()).isNotEqualTo(spans.get(1).getTraceId());
  }

  @Test
  protected void startsANewTraceForAMalformedTraceparent() throws Exception {
    for (String malformed :
        List.of(
            "garbage",
            "00-" + TRACE + "-" + PARENT,
            "ff-" + TRACE + "-" + PARENT + "-01",
            "00-" + "0".repeat(32) + "-" + PARENT + "-01",
            "00-" + TRACE + "-" + "0".repeat(16) + "-01",
            "00-" + TRACE.replace('4', 'g') + "-" + PARENT + "-01",
            "00-" + TRACE + "-" + PARENT + "-01-extra")) {
      assertThat(get(HELLO, "traceparent", malformed, "baggage", "customer_id=c1").statusCode())
          .as(malformed)
          .isEqualTo(200);

      SpanData span = telemetry.takeSpan();
      assertThat(span.getParentSpanContext().isValid()).as(malformed).isFalse();
      assertThat(span.getTraceId()).as(malformed).isNotEqualTo(TRACE);
      assertThat(attributes(span)).as(malformed).containsEntry("baggage.customer_id", "c1");
    }
  }

  @Test
  protected void aDoubledTraceparentIsInvalid() throws Exception {
    get(HELLO, "traceparent", TRACEPARENT, "traceparent", TRACEPARENT.replace('4', '5'));

    assertThat(telemetry.takeSpan().getParentSpanContext().isValid()).isFalse();
  }

  @Test
  protected void joinsTheLinesOfTracestateAndBaggage() throws Exception {
    get(
        HELLO,
        "traceparent",
        TRACEPARENT,
        "tracestate",
        "one=1",
        "tracestate",
        "two=2",
        "baggage",
        "customer_id=c1",
        "baggage",
        "server_id=s1");

    SpanData span = telemetry.takeSpan();
    assertThat(span.getSpanContext().getTraceState().asMap())
        .containsOnly(Map.entry("one", "1"), Map.entry("two", "2"));
    assertThat(attributes(span))
        .containsEntry("baggage.customer_id", "c1")
        .containsEntry("baggage.server_id", "s1");
  }

  @Test
  protected void isNamedByMethodAndRoute() throws Exception {
    get("/items/42?full=true");
    get("/items/43");

    assertThat(telemetry.takeSpans(2))
        .allSatisfy(
            span -> {
              assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
              assertThat(span.getName()).isEqualTo("GET " + route(ITEM));
              assertThat(attributes(span)).containsEntry("http.route", route(ITEM));
            });
  }

  @Test
  protected void anUnknownMethodIsOther() throws Exception {
    assertThat(send(request(HELLO).method("BREW", BodyPublishers.noBody())).statusCode())
        .isEqualTo(200);

    SpanData span = telemetry.takeSpan();
    assertThat(span.getName()).isEqualTo("HTTP " + route(HELLO));
    assertThat(attributes(span))
        .containsEntry("http.request.method", "_OTHER")
        .containsEntry("http.request.method_original", "BREW");
    assertThat(durationPoint().getAttributes().asMap())
        .containsEntry(AttributeKey.stringKey("http.request.method"), "_OTHER");
  }

  @Test
  protected void aStatusOf4xxIsNoError() throws Exception {
    assertThat(get(MISSING).statusCode()).isEqualTo(404);

    SpanData span = telemetry.takeSpan();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(attributes(span))
        .containsEntry("http.response.status_code", 404L)
        .doesNotContainKey("error.type");
  }

  @Test
  protected void aStatusOf5xxIsAnError() throws Exception {
    assertThat(get(BROKEN).statusCode()).isEqualTo(503);

    SpanData span = telemetry.takeSpan();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(attributes(span))
        .containsEntry("http.response.status_code", 503L)
        .containsEntry("error.type", "503");
    assertThat(durationPoint().getAttributes())
        .isEqualTo(durationAttributes(BROKEN, 503).toBuilder().put("error.type", "503").build());
  }

  @Test
  protected void anExceptionOfTheHandlerIsRecordedAndReachesTheServer() throws Exception {
    Object seen = outcome(THROWING);

    SpanData span = telemetry.takeSpan();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(attributes(span)).containsEntry("error.type", IllegalStateException.class.getName());
    assertThat(span.getEvents())
        .singleElement()
        .satisfies(
            event -> {
              assertThat(event.getName()).isEqualTo("exception");
              assertThat(event.getAttributes().get(AttributeKey.stringKey("exception.type")))
                  .isEqualTo(IllegalStateException.class.getName());
            });
    restart(null, List.of(), List.of());
    assertThat(seen).as("what the client sees").isEqualTo(outcome(THROWING));
  }

  @Test
  protected void redactsTheValuesOfTheQuery() throws Exception {
    get(HELLO + "?token=secret&page=2&flag&empty=");

    SpanData span = telemetry.takeSpan();
    assertThat(attributes(span))
        .containsEntry("url.query", "token=REDACTED&page=REDACTED&REDACTED&empty=REDACTED")
        .containsEntry("url.path", HELLO);
    assertThat(span.toString()).doesNotContain("secret");
  }

  @Test
  protected void describesTheRequestAndItsResponse() throws Exception {
    get(HELLO, "User-Agent", "kit/1");

    Map<String, Object> attributes = attributes(telemetry.takeSpan());
    assertThat(attributes)
        .containsEntry("http.request.method", "GET")
        .containsEntry("http.route", route(HELLO))
        .containsEntry("http.response.status_code", 200L)
        .containsEntry("url.path", HELLO)
        .containsEntry("url.scheme", "http")
        .containsEntry("server.address", base().getHost())
        .containsEntry("server.port", (long) base().getPort())
        .containsEntry("network.protocol.version", "1.1")
        .containsEntry("user_agent.original", "kit/1")
        .doesNotContainKeys("url.query", "http.request.method_original", "error.type");
    assertThat(InetAddress.getByName((String) attributes.get("client.address")).isLoopbackAddress())
        .isTrue();
  }

  @Test
  protected void knowsTheClientBehindProxies() throws Exception {
    assertThat(clientAddress("X-Forwarded-For", "203.0.113.7, 10.0.0.1")).isEqualTo("203.0.113.7");
    assertThat(clientAddress("Forwarded", "for=\"[2001:db8::1]:4711\";proto=http, for=10.0.0.1"))
        .isEqualTo("2001:db8::1");
    assertThat(clientAddress("Forwarded", "for=203.0.113.8", "X-Forwarded-For", "203.0.113.7"))
        .isEqualTo("203.0.113.8");
  }

  private @Nullable Object clientAddress(String... headers) throws Exception {
    get(HELLO, headers);
    return attributes(telemetry.takeSpan()).get("client.address");
  }

  @Test
  protected void aHealthCheckLeavesNothing() throws Exception {
    assertThat(get(HEALTH).statusCode()).isEqualTo(200);
    assertThat(telemetry.metrics())
        .extracting(MetricData::getName)
        .noneMatch(name -> name.startsWith("http."));
    get(HELLO);

    assertThat(telemetry.takeSpan().getName()).isEqualTo("GET " + route(HELLO));
    assertThat(durationPoint().getAttributes()).isEqualTo(durationAttributes(HELLO, 200));
    assertThat(durationPoint().getCount()).isEqualTo(1);
  }

  @Test
  protected void recordsTheDurationInSeconds() throws Exception {
    long before = System.nanoTime();
    get(HELLO);

    SpanData span = telemetry.takeSpan();
    MetricData metric = telemetry.metric(REQUEST_DURATION);
    assertThat(metric.getUnit()).isEqualTo("s");
    HistogramPointData point = durationPoint();
    double elapsed = (System.nanoTime() - before) / 1e9;
    assertThat(point.getBoundaries()).containsExactly(BOUNDARIES);
    assertThat(point.getAttributes()).isEqualTo(durationAttributes(HELLO, 200));
    assertThat(point.getCount()).isEqualTo(1);
    double spanSeconds = (span.getEndEpochNanos() - span.getStartEpochNanos()) / 1e9;
    assertThat(point.getSum()).isPositive().isBetween(spanSeconds / 10, elapsed);
  }

  @Test
  protected void countsActiveRequests() throws Exception {
    CompletableFuture<HttpResponse<String>> response =
        client().sendAsync(request(HELD).build(), BodyHandlers.ofString());

    LongPointData active = activePoint(1);
    assertThat(active.getAttributes())
        .isEqualTo(
            Attributes.builder()
                .put("http.request.method", "GET")
                .put("url.scheme", "http")
                .build());
    held.countDown();
    assertThat(response.get(10, TimeUnit.SECONDS).body()).isEqualTo("held");
    activePoint(0);
    telemetry.takeSpan();
  }

  @Test
  protected void answersHead() throws Exception {
    HttpResponse<String> response = send(request(HELLO).method("HEAD", BodyPublishers.noBody()));

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEmpty();
    assertThat(telemetry.takeSpan().getName()).isEqualTo("HEAD " + route(HELLO));
  }

  @Test
  protected void answersWithoutABody() throws Exception {
    HttpResponse<String> response = get(EMPTY);

    assertThat(response.statusCode()).isEqualTo(204);
    assertThat(response.body()).isEmpty();
    assertThat(attributes(telemetry.takeSpan())).containsEntry("http.response.status_code", 204L);
  }

  @Test
  protected void answersWithALargeBody() throws Exception {
    assertThat(get(LARGE).body().getBytes(UTF_8)).isEqualTo(MEGABYTE);

    assertThat(attributes(telemetry.takeSpan())).containsEntry("http.response.status_code", 200L);
  }

  @Test
  protected void answersInChunks() throws Exception {
    HttpResponse<String> response = get(CHUNKED);

    assertThat(response.body()).isEqualTo("first second");
    assertThat(response.headers().firstValue("Content-Length")).isEmpty();
    assertThat(attributes(telemetry.takeSpan())).containsEntry("http.response.status_code", 200L);
  }

  @Test
  protected void keepsConcurrentRequestsApart() throws Exception {
    List<CompletableFuture<HttpResponse<String>>> responses = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      HttpRequest request = request(CHILD, "baggage", "customer_id=c" + i).build();
      responses.add(client().sendAsync(request, BodyHandlers.ofString()));
    }
    for (int i = 0; i < 50; i++) {
      assertThat(responses.get(i).get(20, TimeUnit.SECONDS).body()).isEqualTo("c" + i);
    }

    Map<String, List<SpanData>> traces =
        telemetry.takeSpans(100).stream().collect(Collectors.groupingBy(SpanData::getTraceId));
    assertThat(traces).hasSize(50);
    Set<Object> customers =
        traces.values().stream()
            .map(
                spans -> {
                  SpanData inner = spans.get(0);
                  SpanData server = spans.get(1);
                  assertThat(server.getKind()).isEqualTo(SpanKind.SERVER);
                  assertThat(inner.getParentSpanId()).isEqualTo(server.getSpanId());
                  Object customer = attributes(server).get("baggage.customer_id");
                  assertThat(attributes(inner)).containsEntry("customer", customer);
                  return customer;
                })
            .collect(Collectors.toSet());
    assertThat(customers).hasSize(50);
  }

  @Test
  protected void showsTheHeadersThatWereChosen() throws Exception {
    restart(telemetry.telemetry(), List.of("X-Kit-Request"), List.of("X-Kit-Response"));
    get(HELLO, "X-Kit-Request", "a", "X-Kit-Request", "b", "X-Other", "c");

    assertThat(attributes(telemetry.takeSpan()))
        .containsEntry("http.request.header.x-kit-request", List.of("a", "b"))
        .containsEntry("http.response.header.x-kit-response", List.of("kit"))
        .doesNotContainKey("http.request.header.x-other");
  }

  @Test
  protected void showsNoHeadersByDefault() throws Exception {
    get(HELLO, "X-Kit-Request", "a");

    assertThat(attributes(telemetry.takeSpan()).keySet())
        .noneMatch(key -> key.startsWith("http.request.header."))
        .noneMatch(key -> key.startsWith("http.response.header."));
  }

  @Test
  protected void echoesTheRequestId() throws Exception {
    try (Telemetry named = withRequestIds()) {
      restart(named, List.of(), List.of());
      for (String path : List.of(HELLO, EMPTY, LARGE, CHUNKED, BROKEN)) {
        assertThat(get(path, REQUEST_ID, "r-1").headers().allValues(REQUEST_ID))
            .as(path)
            .containsExactly("r-1");
      }
      String made = get(HELLO).headers().firstValue(REQUEST_ID).orElse("");
      assertThat(made).isNotEmpty();
      assertThat(get(HELLO, REQUEST_ID, "x".repeat(129)).headers().allValues(REQUEST_ID))
          .singleElement()
          .isNotEqualTo(made)
          .asString()
          .hasSameSizeAs(made);
    }
  }

  @Test
  protected void echoesTheRequestIdOfAnAsynchronousAnswer() throws Exception {
    try (Telemetry named = withRequestIds()) {
      restart(named, List.of(), List.of());
      assertThat(get(ASYNC, REQUEST_ID, "r-1").headers().allValues(REQUEST_ID))
          .containsExactly("r-1");
    }
  }

  private static Telemetry withRequestIds() {
    return Telemetry.builder()
        .ignoreEnvironment()
        .addProperty("otel.traces.exporter", "none")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("telemetry.request.id.header", REQUEST_ID)
        .build();
  }

  @Test
  protected void aConnectCallIsAnRpc() throws Exception {
    assertThat(connect("Say", "application/json").body()).isEqualTo("{}");

    SpanData span = telemetry.takeSpan();
    assertThat(span.getName()).isEqualTo("kit.v1.KitService/Say");
    assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(attributes(span))
        .containsEntry("rpc.system.name", "connectrpc")
        .containsEntry("rpc.method", "kit.v1.KitService/Say")
        .containsEntry("server.address", base().getHost())
        .containsEntry("server.port", (long) base().getPort())
        .doesNotContainKeys("error.type", "rpc.response.status_code");
    HistogramPointData point = point(telemetry.metric("rpc.server.call.duration"));
    assertThat(point.getBoundaries()).containsExactly(BOUNDARIES);
    assertThat(point.getAttributes())
        .isEqualTo(
            Attributes.builder()
                .put("rpc.system.name", "connectrpc")
                .put("rpc.method", "kit.v1.KitService/Say")
                .build());
  }

  @Test
  protected void aConnectErrorOfTheClientsIsNoErrorOfTheServer() throws Exception {
    HttpResponse<String> response = connect("Fail", "application/json");
    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(response.body()).isEqualTo("{\"code\":\"not_found\"}");

    SpanData span = telemetry.takeSpan();
    assertThat(span.getName()).isEqualTo("kit.v1.KitService/Fail");
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(attributes(span))
        .containsEntry("rpc.response.status_code", "not_found")
        .doesNotContainKey("error.type");
  }

  @Test
  protected void aConnectStreamMayEndInAnError() throws Exception {
    assertThat(connect("Stream", "application/connect+json").statusCode()).isEqualTo(200);

    SpanData span = telemetry.takeSpan();
    assertThat(span.getName()).isEqualTo("kit.v1.KitService/Stream");
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(attributes(span))
        .containsEntry("rpc.response.status_code", "unavailable")
        .containsEntry("error.type", "unavailable");
    assertThat(point(telemetry.metric("rpc.server.call.duration")).getAttributes().asMap())
        .containsEntry(AttributeKey.stringKey("rpc.response.status_code"), "unavailable")
        .containsEntry(AttributeKey.stringKey("error.type"), "unavailable");
  }

  @Test
  protected void passesTheContextOnWhenOff() throws Exception {
    restart(Telemetry.noop(), List.of(), List.of());

    assertThat(
            get(
                    CONTEXT,
                    "traceparent",
                    TRACEPARENT,
                    "tracestate",
                    "vendor=1",
                    "baggage",
                    "customer_id=c%201;p=1, other = o1")
                .body()
                .lines())
        .containsExactly(
            "baggage=customer_id=c%201;p=1, other = o1",
            "traceparent=" + TRACEPARENT, "tracestate=vendor=1");
    assertThat(get(CONTEXT).body()).isEmpty();
    assertThat(outcome(BROKEN)).isEqualTo("503 broken");
  }

  @Test
  protected void anAsynchronousAnswerEndsTheSpan() throws Exception {
    assertThat(get(ASYNC, "baggage", "customer_id=c1").body()).isEqualTo("hello");

    SpanData span = telemetry.takeSpan();
    assertThat(span.getName()).isEqualTo("GET " + route(ASYNC));
    assertThat(attributes(span))
        .containsEntry("http.response.status_code", 200L)
        .containsEntry("baggage.customer_id", "c1");
    assertThat(endedEarly).as("the span ended before the answer").isFalse();
    activePoint(0);
  }

  @Test
  protected void anAsynchronousDispatchIsOneSpan() throws Exception {
    assertThat(get(ASYNC_DISPATCH).body()).isEqualTo("hello");

    SpanData span = telemetry.takeSpan();
    assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(attributes(span))
        .containsEntry("http.response.status_code", 200L)
        .containsEntry("url.path", ASYNC_DISPATCH);
    assertThat(durationPoint().getCount()).isEqualTo(1);
  }

  @Test
  protected void anAsynchronousTimeoutIsAnError() throws Exception {
    int status = get(ASYNC_TIMEOUT).statusCode();
    assertThat(status).isGreaterThanOrEqualTo(500);

    SpanData span = telemetry.takeSpan();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(attributes(span)).containsEntry("http.response.status_code", (long) status);
    activePoint(0);
  }

  @Test
  protected void aForwardIsOneSpan() throws Exception {
    assertThat(get(FORWARD).body()).isEqualTo("hello");

    SpanData span = telemetry.takeSpan();
    assertThat(attributes(span))
        .containsEntry("http.response.status_code", 200L)
        .containsEntry("url.path", FORWARD);
    assertThat(durationPoint().getCount()).isEqualTo(1);
  }

  @Override
  protected Exchange exchange() {
    return telemetry -> {
      restart(telemetry, List.of("X-Kit-Request"), List.of("X-Kit-Response"));
      List<Object> outcomes = new ArrayList<>();
      for (String path : List.of(HELLO, "/items/1", BROKEN, THROWING, EMPTY, CHUNKED)) {
        outcomes.add(outcome(path, "traceparent", TRACEPARENT, "baggage", "customer_id=c1"));
      }
      return outcomes;
    };
  }

  private void restart(
      @Nullable Telemetry telemetry, List<String> requestHeaders, List<String> responseHeaders)
      throws Exception {
    if (base != null) {
      base = null;
      stop();
    }
    // One per server, since the next may get the port to which this one's idle connections lead.
    client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    base =
        start(
            new Setup(
                telemetry,
                endpoints(telemetry == null ? Telemetry.noop() : telemetry),
                this::late,
                requestHeaders,
                responseHeaders));
  }

  private List<Endpoint> endpoints(Telemetry telemetry) {
    return List.of(
        new Endpoint(HELLO, HttpServerKit::hello),
        new Endpoint(ITEM, call -> call.send(200, utf8("item"))),
        new Endpoint(CONTEXT, call -> context(telemetry, call)),
        new Endpoint(CHILD, call -> child(telemetry, call)),
        new Endpoint(HELD, this::hold),
        new Endpoint(MISSING, call -> call.send(404, utf8("missing"))),
        new Endpoint(BROKEN, call -> call.send(503, utf8("broken"))),
        new Endpoint(
            THROWING,
            call -> {
              throw new IllegalStateException("of the handler");
            }),
        new Endpoint(HEALTH, call -> call.send(200, utf8("up"))),
        new Endpoint(EMPTY, call -> call.send(204, new byte[0])),
        new Endpoint(LARGE, call -> call.send(200, MEGABYTE)),
        new Endpoint(CHUNKED, HttpServerKit::chunks),
        new Endpoint(RPC + "Say", call -> json(call, 200, "{}")),
        new Endpoint(RPC + "Fail", call -> json(call, 404, "{\"code\":\"not_found\"}")),
        new Endpoint(RPC + "Stream", HttpServerKit::stream));
  }

  private static void hello(Call call) throws IOException {
    call.setHeader("X-Kit-Response", "kit");
    call.send(200, call.method().equals("HEAD") ? new byte[0] : utf8("hello"));
  }

  /** Answers with what would go out with a call that the handler makes. */
  private static void context(Telemetry telemetry, Call call) throws IOException {
    Map<String, String> carrier = new TreeMap<>();
    telemetry.inject(carrier);
    call.send(
        200,
        utf8(
            carrier.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining("\n"))));
  }

  private static void child(Telemetry telemetry, Call call) throws IOException {
    String customer = ActiveSpan.currentBaggage("customer_id");
    telemetry.span("child").attribute("customer", customer).run(() -> {});
    call.send(200, utf8(String.valueOf(customer)));
  }

  private void late(Call call) throws IOException {
    endedEarly = telemetry.spans().endWithin(Duration.ofMillis(100));
    hello(call);
  }

  private void hold(Call call) throws IOException {
    try {
      if (!held.await(10, TimeUnit.SECONDS)) {
        throw new IOException("nobody let go");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    call.send(200, utf8("held"));
  }

  private static void chunks(Call call) throws IOException {
    try (OutputStream body = call.sendChunked(200)) {
      body.write(utf8("first "));
      body.flush();
      body.write(utf8("second"));
    }
  }

  private static void json(Call call, int status, String body) throws IOException {
    call.setHeader("Content-Type", "application/json");
    call.send(status, utf8(body));
  }

  private static void stream(Call call) throws IOException {
    call.setHeader("Content-Type", "application/connect+json");
    try (OutputStream body = call.sendChunked(200)) {
      body.write(envelope(0, "{\"line\":1}"));
      body.flush();
      body.write(envelope(2, "{\"error\":{\"code\":\"unavailable\",\"message\":\"gone\"}}"));
    }
  }

  private static byte[] envelope(int flags, String message) {
    byte[] bytes = utf8(message);
    return ByteBuffer.allocate(5 + bytes.length)
        .put((byte) flags)
        .putInt(bytes.length)
        .put(bytes)
        .array();
  }

  private URI base() {
    return requireNonNull(base, "base");
  }

  private HttpClient client() {
    return requireNonNull(client, "client");
  }

  private HttpRequest.Builder request(String path, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(base().resolve(path)).timeout(TIMEOUT);
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return request;
  }

  private HttpResponse<String> get(String path, String... headers) throws Exception {
    return send(request(path, headers));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client().send(request.build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> connect(String method, String contentType) throws Exception {
    return send(
        request(RPC + method, "Content-Type", contentType, "Connect-Protocol-Version", "1")
            .POST(BodyPublishers.ofString("{}")));
  }

  /**
   * What a client sees. Where the handler throws, that is the status alone, since the page is the
   * server's matter; and asked for by POST, since the JDK's client may send a GET twice where no
   * response comes.
   */
  private String outcome(String path, String... headers) throws Exception {
    HttpRequest.Builder request = request(path, headers);
    try {
      if (path.equals(THROWING)) {
        return "" + send(request.POST(BodyPublishers.noBody())).statusCode();
      }
      HttpResponse<String> response = send(request);
      return response.statusCode() + " " + response.body();
    } catch (IOException e) {
      return e.getClass().getName();
    }
  }

  private HistogramPointData durationPoint() {
    return point(telemetry.metric(REQUEST_DURATION));
  }

  private static HistogramPointData point(MetricData histogram) {
    assertThat(histogram.getHistogramData().getPoints()).hasSize(1);
    return histogram.getHistogramData().getPoints().iterator().next();
  }

  private LongPointData activePoint(long value) {
    return telemetry
        .metric(
            ACTIVE_REQUESTS,
            metric ->
                metric.getLongSumData().getPoints().stream()
                    .allMatch(point -> point.getValue() == value))
        .getLongSumData()
        .getPoints()
        .iterator()
        .next();
  }

  private Attributes durationAttributes(String path, long status) {
    return Attributes.builder()
        .put("http.request.method", "GET")
        .put("http.response.status_code", status)
        .put("http.route", route(path))
        .put("network.protocol.version", "1.1")
        .put("url.scheme", "http")
        .build();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }
}
