// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The behaviour of an adapter for RPC, unary and streaming, with the adapter on both sides of a
 * real transport. A subclass connects a client to a server that has the kit's methods:
 *
 * <pre>{@code
 * class NettyTest extends RpcKit {
 *   @Override protected Connection connect(Setup setup) { ... }
 * }
 * }</pre>
 *
 * <p>Messages are strings, codes the names of gRPC's, e.g. {@code NOT_FOUND}.
 */
public abstract class RpcKit extends ThrowingHooksKit {

  private static final String SERVICE = "kit.v1.KitService/";
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final Map<String, String> CAME_IN =
      Map.of(
          "traceparent",
          "00-" + TRACE + "-00f067aa0ba902b7-01",
          "tracestate",
          "vendor=1",
          "baggage",
          "customer_id=c1,other=o1");
  private static final List<String> SERVERS_FAULT =
      List.of(
          "UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS");
  private static final List<String> CLIENTS_FAULT =
      List.of(
          "CANCELLED",
          "INVALID_ARGUMENT",
          "NOT_FOUND",
          "ALREADY_EXISTS",
          "PERMISSION_DENIED",
          "RESOURCE_EXHAUSTED",
          "FAILED_PRECONDITION",
          "ABORTED",
          "OUT_OF_RANGE",
          "UNAUTHENTICATED");
  private static final AttributeKey<Long> SEGMENT =
      AttributeKey.longKey("throughline.segment.number");

  private final List<AutoCloseable> opened = new ArrayList<>();

  /** A method of the kit's service. */
  public enum Method {
    /** Unary: answers with the request's message. */
    ECHO("Echo", Shape.UNARY),
    /** Unary: answers with the code that the request's message names. */
    FAIL("Fail", Shape.UNARY),
    /** Unary: throws in the callback that the request's message names. */
    THROW("Throw", Shape.UNARY),
    /** Unary: answers with what travels in the context. */
    CONTEXT("Context", Shape.UNARY),
    /** A client's stream: answers with the number of its messages. */
    COLLECT("Collect", Shape.CLIENT_STREAM),
    /** A server's stream: answers with as many messages as the request's message says. */
    SPLIT("Split", Shape.SERVER_STREAM),
    /** Both stream: answers each message with itself, and ends when the client does. */
    CHAT("Chat", Shape.BIDIRECTIONAL),
    /**
     * Both stream: answers nothing; ends with the code that a message names, if not {@code HELLO}.
     */
    HOLD("Hold", Shape.BIDIRECTIONAL),
    /** Unary, of the service that checks health; answers like {@link #ECHO}. */
    HEALTH("grpc.health.v1.Health/", "Check", Shape.UNARY);

    private final String fullName;
    private final Shape shape;

    Method(String name, Shape shape) {
      this(SERVICE, name, shape);
    }

    Method(String service, String name, Shape shape) {
      this.fullName = service + name;
      this.shape = shape;
    }

    /** The name with its service's, e.g. {@code kit.v1.KitService/Echo}. */
    public String fullName() {
      return fullName;
    }

    /** Who streams. */
    public Shape shape() {
      return shape;
    }
  }

  /** Who sends any number of messages, where the others send one. */
  public enum Shape {
    UNARY,
    CLIENT_STREAM,
    SERVER_STREAM,
    BIDIRECTIONAL
  }

  /**
   * What to connect.
   *
   * @param telemetry what the adapters of both sides are made of; null connects without them
   * @param service answers the calls of all methods
   * @param messageEvents how many messages spans are to show as events, each way
   */
  public record Setup(@Nullable Telemetry telemetry, Service service, int messageEvents) {}

  /** Answers calls. */
  public interface Service {

    /**
     * Called when a call came in; what it throws, and what the result throws, is to reach the
     * server.
     */
    ServerReceiver accept(Method method, ServerSender sender);
  }

  /** What a server does with a call. */
  public interface ServerReceiver {

    /** A message came. */
    void onMessage(String message);

    /** The client has sent its last message. */
    void onHalfClose();

    /** The call ended before it was answered. */
    void onCancel();

    /** The answer is out. */
    void onComplete();
  }

  /** A server's end of a call. */
  public interface ServerSender {

    /** Sends a message. */
    void send(String message);

    /** Ends the call; {@code OK} is a code too. */
    void close(String code);
  }

  /** A client, connected to a server; closing it closes both. */
  public interface Connection extends AutoCloseable {

    /**
     * Starts a call.
     *
     * @param deadline from now; null is none
     */
    ClientSender call(Method method, @Nullable Duration deadline, ClientReceiver receiver);

    /** What spans and metrics name the server. */
    String serverAddress();

    /** The port that they name; null where the transport has none. */
    @Nullable Integer serverPort();
  }

  /** A client's end of a call. */
  public interface ClientSender {

    /** Sends a message. */
    void send(String message);

    /** Sends no more. */
    void halfClose();

    /** Gives the call up. */
    void cancel();
  }

  /** What a client does with the answer. */
  public interface ClientReceiver {

    /** A message came. */
    void onMessage(String message);

    /** The call ended. */
    void onEnd(String code);
  }

  /** Connects a client to a server, with the adapter on both where there is telemetry. */
  protected abstract Connection connect(Setup setup) throws Exception;

  /** {@code rpc.system.name}; {@code grpc} by default. */
  protected String system() {
    return "grpc";
  }

  @AfterEach
  void closeConnections() throws Exception {
    for (int i = opened.size(); i-- > 0; ) {
      opened.get(i).close();
    }
  }

  @Test
  protected void aCallIsOneTrace() throws Exception {
    Connection rpc = connect();
    Outcome outcome =
        telemetry.telemetry().span("work").call(() -> call(rpc, Method.ECHO, "a").get());

    assertThat(outcome).isEqualTo(new Outcome(List.of("a"), "OK"));
    assertThat(telemetry)
        .tree(
            """
            work
              kit.v1.KitService/Echo  CLIENT rpc.response.status_code=OK
                kit.v1.KitService/Echo  SERVER rpc.response.status_code=OK
            """);
  }

  @Test
  protected void describesTheCall() throws Exception {
    Connection rpc = connect();
    call(rpc, Method.ECHO, "a").get();

    for (SpanData span : telemetry.takeSpans(2)) {
      assertThat(span.getName()).isEqualTo("kit.v1.KitService/Echo");
      assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
      assertThat(span.getEvents()).isEmpty();
      Map<String, Object> attributes = attributes(span);
      assertThat(attributes)
          .containsEntry("rpc.system.name", system())
          .containsEntry("rpc.method", "kit.v1.KitService/Echo")
          .containsEntry("rpc.response.status_code", "OK")
          .containsEntry("server.address", rpc.serverAddress())
          .containsEntry(system() + ".sent.message_count", 1L)
          .containsEntry(system() + ".received.message_count", 1L)
          .doesNotContainKey("error.type");
      Integer port = rpc.serverPort();
      if (port == null) {
        assertThat(attributes)
            .doesNotContainKeys("server.port", "network.peer.address", "network.peer.port");
      } else {
        assertThat(attributes)
            .containsEntry("server.port", port.longValue())
            .containsEntry("network.peer.address", "127.0.0.1")
            .containsKey("network.peer.port");
      }
    }
  }

  @Test
  protected void theContextTravels() throws Exception {
    Connection rpc = connect();
    Outcome outcome;
    try (Scope ignored = telemetry.telemetry().extract(CAME_IN).makeCurrent()) {
      outcome = call(rpc, Method.CONTEXT, "").get();
    }

    List<SpanData> spans = telemetry.takeSpans(2);
    SpanData server = only(spans, SpanKind.SERVER);
    assertThat(only(spans, SpanKind.CLIENT).getParentSpanId()).isEqualTo("00f067aa0ba902b7");
    assertThat(server.getTraceId()).isEqualTo(TRACE);
    assertThat(server.getParentSpanId()).isEqualTo(only(spans, SpanKind.CLIENT).getSpanId());
    assertThat(server.getParentSpanContext().isRemote()).isTrue();
    assertThat(outcome.messages())
        .containsExactly("00-%s-%s-01 vendor=1 c1 o1".formatted(TRACE, server.getSpanId()));
    assertThat(attributes(server)).containsEntry("baggage.customer_id", "c1");
  }

  @Test
  protected void streamsAreCounted() throws Exception {
    Connection rpc = connect();
    assertThat(call(rpc, Method.COLLECT, "a", "b", "c").get().messages()).containsExactly("3");
    assertCounts(3, 1);
    assertThat(call(rpc, Method.SPLIT, "5").get().messages()).hasSize(5);
    assertCounts(1, 5);
    assertThat(call(rpc, Method.CHAT, "a", "b").get().messages()).containsExactly("a", "b");
    assertCounts(2, 2);
  }

  private void assertCounts(long byClient, long byServer) {
    List<SpanData> spans = telemetry.takeSpans(2);
    assertThat(attributes(only(spans, SpanKind.CLIENT)))
        .containsEntry(system() + ".sent.message_count", byClient)
        .containsEntry(system() + ".received.message_count", byServer);
    assertThat(attributes(only(spans, SpanKind.SERVER)))
        .containsEntry(system() + ".sent.message_count", byServer)
        .containsEntry(system() + ".received.message_count", byClient);
  }

  @Test
  protected void aLongStreamHasNoEvents() throws Exception {
    assertEventsOfALongStream(0, 0);
  }

  @Test
  protected void aLongStreamHasFewEventsWhereAskedFor() throws Exception {
    // One message the one way, ten the other.
    assertEventsOfALongStream(10, 11);
  }

  private void assertEventsOfALongStream(int messageEvents, int expected) throws Exception {
    Connection rpc = connect(telemetry.telemetry(), new KitService(), messageEvents);
    assertThat(call(rpc, Method.SPLIT, "10000").get().messages()).hasSize(10_000);

    List<SpanData> spans = telemetry.takeSpans(2);
    SpanData client = only(spans, SpanKind.CLIENT);
    assertThat(attributes(client)).containsEntry(system() + ".received.message_count", 10_000L);
    assertThat(client.getEvents()).hasSize(expected);
    assertThat(only(spans, SpanKind.SERVER).getEvents()).hasSize(expected);
  }

  @Test
  protected void handlersRunInTheServersContext() throws Exception {
    KitService service = new KitService();
    Connection rpc = connect(telemetry.telemetry(), service, 0);
    call(rpc, Method.CHAT, "a", "b").get();

    SpanData server = only(telemetry.takeSpans(2), SpanKind.SERVER);
    assertThat(service.seen)
        .containsExactly("start", "message", "message", "halfClose", "complete");
    assertThat(service.seenIn).containsOnly(server.getSpanContext().getSpanId());

    service.clear();
    Pending pending = start(rpc, Method.HOLD, null);
    pending.sender.send("HELLO");
    service.awaitHello();
    pending.sender.cancel();
    server = only(telemetry.takeSpans(2), SpanKind.SERVER);
    assertThat(service.seen).containsExactly("start", "message", "cancel");
    assertThat(service.seenIn).containsOnly(server.getSpanContext().getSpanId());
  }

  @Test
  protected void aClientsCallbacksRunInItsCallersContext() throws Exception {
    Connection rpc = connect();
    List<String> seenIn = new CopyOnWriteArrayList<>();
    CountDownLatch ended = new CountDownLatch(1);
    ClientReceiver receiver =
        new ClientReceiver() {
          @Override
          public void onMessage(String message) {
            seenIn.add(Span.current().getSpanContext().getSpanId());
          }

          @Override
          public void onEnd(String code) {
            seenIn.add(Span.current().getSpanContext().getSpanId());
            ended.countDown();
          }
        };
    telemetry
        .telemetry()
        .span("work")
        .run(
            () -> {
              ClientSender sender = rpc.call(Method.ECHO, null, receiver);
              sender.send("a");
              sender.halfClose();
            });
    assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();

    SpanData work = only(telemetry.takeSpans(3), SpanKind.INTERNAL);
    assertThat(seenIn).containsExactly(work.getSpanId(), work.getSpanId());
  }

  @Test
  protected void aCodeIsAnErrorOnTheSideWhoseFaultItIs() throws Exception {
    Connection rpc = connect();
    for (String code : SERVERS_FAULT) {
      assertThat(call(rpc, Method.FAIL, code).get().code()).isEqualTo(code);
      List<SpanData> spans = telemetry.takeSpans(2);
      assertFailed(only(spans, SpanKind.CLIENT), code, code);
      assertFailed(only(spans, SpanKind.SERVER), code, code);
    }
    for (String code : CLIENTS_FAULT) {
      assertThat(call(rpc, Method.FAIL, code).get().code()).isEqualTo(code);
      List<SpanData> spans = telemetry.takeSpans(2);
      assertFailed(only(spans, SpanKind.CLIENT), code, code);
      assertNotFailed(only(spans, SpanKind.SERVER), code);
    }
  }

  private static void assertFailed(SpanData span, String code, String errorType) {
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(attributes(span))
        .containsEntry("rpc.response.status_code", code)
        .containsEntry("error.type", errorType);
  }

  private static void assertNotFailed(SpanData span, String code) {
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(attributes(span))
        .containsEntry("rpc.response.status_code", code)
        .doesNotContainKey("error.type");
  }

  @Test
  protected void aHandlerThatThrowsIsAnError() throws Exception {
    KitService service = new KitService();
    Connection rpc = connect(telemetry.telemetry(), service, 0);
    for (String callback : List.of("message", "halfClose", "start")) {
      service.throwsAtStart = callback.equals("start");
      assertThat(call(rpc, Method.THROW, callback).get().code()).isEqualTo("UNKNOWN");

      List<SpanData> spans = telemetry.takeSpans(2);
      assertFailed(only(spans, SpanKind.CLIENT), "UNKNOWN", "UNKNOWN");
      SpanData server = only(spans, SpanKind.SERVER);
      assertFailed(server, "UNKNOWN", IllegalStateException.class.getName());
      assertThat(server.getEvents())
          .extracting(event -> event.getAttributes().get(AttributeKey.stringKey("exception.type")))
          .containsExactly(IllegalStateException.class.getName());
    }
  }

  @Test
  protected void aHandlerThatThrowsOnceItsAnswerIsOutIsAnErrorOfTheServer() throws Exception {
    Connection rpc = connect();
    assertThat(call(rpc, Method.THROW, "complete").get().code()).isEqualTo("OK");

    List<SpanData> spans = telemetry.takeSpans(2);
    assertNotFailed(only(spans, SpanKind.CLIENT), "OK");
    assertFailed(only(spans, SpanKind.SERVER), "OK", IllegalStateException.class.getName());
  }

  @Test
  protected void aDeadlineEndsBothSides() throws Exception {
    Connection rpc = connect();
    // A server hears nothing of a call whose deadline passes while the connection is made.
    call(rpc, Method.ECHO, "a").get();
    telemetry.takeSpans(2);
    Pending pending = start(rpc, Method.HOLD, Duration.ofSeconds(1));
    assertThat(pending.outcome.get(10, TimeUnit.SECONDS).code()).isEqualTo("DEADLINE_EXCEEDED");

    List<SpanData> spans = telemetry.takeSpans(2);
    assertFailed(only(spans, SpanKind.CLIENT), "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED");
    // Whichever comes first: the server's own clock, or the client that gave up.
    assertThat(attributes(only(spans, SpanKind.SERVER)).get("rpc.response.status_code"))
        .isIn("DEADLINE_EXCEEDED", "CANCELLED");
  }

  @Test
  protected void aClientMayCancel() throws Exception {
    KitService service = new KitService();
    Connection rpc = connect(telemetry.telemetry(), service, 0);
    Pending pending = start(rpc, Method.HOLD, null);
    pending.sender.send("HELLO");
    service.awaitHello();
    pending.sender.cancel();
    assertThat(pending.outcome.get(10, TimeUnit.SECONDS).code()).isEqualTo("CANCELLED");

    List<SpanData> spans = telemetry.takeSpans(2);
    assertFailed(only(spans, SpanKind.CLIENT), "CANCELLED", "CANCELLED");
    assertNotFailed(only(spans, SpanKind.SERVER), "CANCELLED");
  }

  @Test
  protected void aServerMayEndAStream() throws Exception {
    Connection rpc = connect();
    Pending pending = start(rpc, Method.HOLD, null);
    pending.sender.send("UNAVAILABLE");
    assertThat(pending.outcome.get(10, TimeUnit.SECONDS).code()).isEqualTo("UNAVAILABLE");

    List<SpanData> spans = telemetry.takeSpans(2);
    assertFailed(only(spans, SpanKind.CLIENT), "UNAVAILABLE", "UNAVAILABLE");
    assertFailed(only(spans, SpanKind.SERVER), "UNAVAILABLE", "UNAVAILABLE");
  }

  @Test
  protected void anUnreachableServerIsAnErrorOfTheClient() throws Exception {
    Connection rpc = connect();
    rpc.close();
    assertThat(call(rpc, Method.ECHO, "a").get().code()).isEqualTo("UNAVAILABLE");

    assertFailed(telemetry.takeSpan(), "UNAVAILABLE", "UNAVAILABLE");
  }

  @Test
  protected void recordsTheDurationInSeconds() throws Exception {
    Connection rpc = connect();
    call(rpc, Method.ECHO, "a").get();
    telemetry.takeSpans(2);

    AttributesBuilder expected =
        Attributes.builder()
            .put("rpc.system.name", system())
            .put("rpc.method", "kit.v1.KitService/Echo")
            .put("rpc.response.status_code", "OK");
    assertDuration("rpc.server.call.duration", expected.build());
    expected.put("server.address", rpc.serverAddress());
    Integer port = rpc.serverPort();
    if (port != null) {
      expected.put("server.port", port.longValue());
    }
    assertDuration("rpc.client.call.duration", expected.build());
  }

  private void assertDuration(String name, Attributes attributes) {
    MetricData metric = telemetry.metric(name);
    assertThat(metric.getUnit()).isEqualTo("s");
    assertThat(metric.getHistogramData().getPoints()).hasSize(1);
    HistogramPointData point = metric.getHistogramData().getPoints().iterator().next();
    assertThat(point.getBoundaries()).containsExactly(BOUNDARIES);
    assertThat(point.getCount()).isEqualTo(1);
    assertThat(point.getSum()).isPositive().isLessThan(10);
    assertThat(point.getAttributes()).isEqualTo(attributes);
  }

  @Test
  protected void healthChecksLeaveNothing() throws Exception {
    Connection rpc = connect();
    assertThat(call(rpc, Method.HEALTH, "a").get()).isEqualTo(new Outcome(List.of("a"), "OK"));

    call(rpc, Method.ECHO, "a").get();
    assertThat(telemetry.takeSpans(2)).extracting("name").containsOnly(Method.ECHO.fullName());
    assertThat(telemetry.metric("rpc.server.call.duration").getHistogramData().getPoints())
        .hasSize(1);
  }

  @Test
  protected void passesTheContextOnWhenOff() throws Exception {
    KitService service = new KitService();
    Connection rpc = connect(Telemetry.noop(), service, 0);
    Outcome outcome;
    try (Scope ignored = Telemetry.noop().extract(CAME_IN).makeCurrent()) {
      outcome = call(rpc, Method.CONTEXT, "").get();
    }
    assertThat(outcome.messages()).containsExactly(CAME_IN.get("traceparent") + " vendor=1 c1 o1");
    assertThat(service.seenIn).containsOnly("00f067aa0ba902b7");

    outcome = call(rpc, Method.CONTEXT, "").get();
    assertThat(outcome.messages()).containsExactly("nothing");
  }

  @Test
  protected void aStreamIsSeenBeforeItEnds() throws Exception {
    List<SpanData> ended = new CopyOnWriteArrayList<>();
    Telemetry shortSegments = shortSegments(ended);
    Connection rpc = connect(shortSegments, new KitService(), 0);
    Pending pending = start(rpc, Method.CHAT, null);
    pending.sender.send("a");
    String received = system() + ".received.message_count";
    for (SpanKind kind : List.of(SpanKind.CLIENT, SpanKind.SERVER)) {
      await(
          () ->
              segments(ended, kind).size() > 1
                  && Long.valueOf(1).equals(last(segments(ended, kind)).get(received)));
    }
    assertThat(pending.outcome).isNotDone();
    pending.sender.send("b");
    pending.sender.halfClose();
    assertThat(pending.outcome.get(10, TimeUnit.SECONDS).code()).isEqualTo("OK");

    for (SpanKind kind : List.of(SpanKind.CLIENT, SpanKind.SERVER)) {
      await(() -> last(segments(ended, kind)).containsKey("rpc.response.status_code"));
      List<SpanData> segments = segments(ended, kind);
      for (int i = 0; i < segments.size(); i++) {
        SpanData segment = segments.get(i);
        assertThat(segment.getTraceId()).isEqualTo(segments.get(0).getTraceId());
        assertThat(segment.getAttributes().get(SEGMENT)).isEqualTo(i + 1);
        assertThat(segment.getLinks())
            .extracting(LinkData::getSpanContext)
            .isEqualTo(i == 0 ? List.of() : List.of(segments.get(i - 1).getSpanContext()));
      }
      assertThat(attributes(segments.get(0))).doesNotContainKey("rpc.response.status_code");
      assertThat(last(segments)).containsEntry(received, 2L);
    }
  }

  private Telemetry shortSegments(List<SpanData> ended) {
    Telemetry shortSegments =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addProperty("telemetry.segment.limit", "50ms")
            .addSpanProcessor(new Collecting(ended))
            .build();
    opened.add(shortSegments);
    return shortSegments;
  }

  private static List<SpanData> segments(List<SpanData> ended, SpanKind kind) {
    return ended.stream().filter(span -> span.getKind() == kind).toList();
  }

  private static Map<String, Object> last(List<SpanData> spans) {
    return attributes(spans.get(spans.size() - 1));
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - deadline).as("waited in vain").isNegative();
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  protected void unsampledCallsPassTheirContextOn() throws Exception {
    Map<String, String> unsampled = new HashMap<>(CAME_IN);
    unsampled.put("traceparent", "00-" + TRACE + "-00f067aa0ba902b7-00");
    KitService service = new KitService();
    Connection rpc = connect(telemetry.telemetry(), service, 0);
    try (Scope ignored = telemetry.telemetry().extract(unsampled).makeCurrent()) {
      assertThat(call(rpc, Method.ECHO, "a").get().code()).isEqualTo("OK");
      assertThat(call(rpc, Method.CHAT, "a").get().code()).isEqualTo("OK");
    }
    assertThat(service.seenTraces).containsOnly(TRACE);
    assertThat(
            telemetry
                .metric(
                    "rpc.server.call.duration",
                    metric ->
                        metric.getHistogramData().getPoints().stream()
                                .mapToLong(HistogramPointData::getCount)
                                .sum()
                            == 2)
                .getHistogramData()
                .getPoints())
        .hasSize(2);
  }

  @Override
  protected Exchange exchange() {
    return over -> {
      KitService service = new KitService();
      List<Object> outcomes = new ArrayList<>();
      try (Connection rpc = connect(new Setup(over, service, 2));
          Scope ignored = telemetry.telemetry().extract(CAME_IN).makeCurrent()) {
        outcomes.add(call(rpc, Method.ECHO, "a").get());
        outcomes.add(call(rpc, Method.FAIL, "INTERNAL").get());
        outcomes.add(call(rpc, Method.FAIL, "NOT_FOUND").get());
        outcomes.add(call(rpc, Method.COLLECT, "a", "b", "c").get());
        outcomes.add(call(rpc, Method.SPLIT, "5").get());
        outcomes.add(call(rpc, Method.CHAT, "a", "b").get());
        outcomes.add(call(rpc, Method.THROW, "halfClose").get());
        Pending late = start(rpc, Method.HOLD, Duration.ofMillis(500));
        outcomes.add(late.outcome.get(10, TimeUnit.SECONDS));
        Pending cancelled = start(rpc, Method.HOLD, null);
        cancelled.sender.send("HELLO");
        service.awaitHello();
        cancelled.sender.cancel();
        outcomes.add(cancelled.outcome.get(10, TimeUnit.SECONDS));
        // A client knows before its server does, whose span would be found by the next exchange.
        await(() -> service.heldNoMore.get() == 2);
      }
      return outcomes;
    };
  }

  /** Connects with telemetry; for tests of an adapter's own. */
  protected final Connection connect(
      @Nullable Telemetry telemetry, Service service, int messageEvents) throws Exception {
    Connection connection = connect(new Setup(telemetry, service, messageEvents));
    opened.add(connection);
    return connection;
  }

  /** Connects with the test's telemetry and the kit's service. */
  protected final Connection connect() throws Exception {
    return connect(telemetry.telemetry(), new KitService(), 0);
  }

  /** What a client sees of a call. */
  public record Outcome(List<String> messages, String code) {}

  /** A call that is under way. */
  protected record Pending(ClientSender sender, CompletableFuture<Outcome> outcome) {}

  /** Makes a whole call. */
  protected static Answer call(Connection connection, Method method, String... messages) {
    Pending pending = start(connection, method, null);
    for (String message : messages) {
      pending.sender.send(message);
    }
    pending.sender.halfClose();
    return new Answer(pending.outcome);
  }

  /** What a call will have come to. */
  public static final class Answer {

    private final CompletableFuture<Outcome> outcome;

    private Answer(CompletableFuture<Outcome> outcome) {
      this.outcome = outcome;
    }

    /** Waits for it. */
    public Outcome get() throws Exception {
      return outcome.get(10, TimeUnit.SECONDS);
    }
  }

  /** Starts a call whose messages are still to be sent. */
  protected static Pending start(
      Connection connection, Method method, @Nullable Duration deadline) {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    List<String> received = Collections.synchronizedList(new ArrayList<>());
    ClientSender sender =
        connection.call(
            method,
            deadline,
            new ClientReceiver() {
              @Override
              public void onMessage(String message) {
                received.add(message);
              }

              @Override
              public void onEnd(String code) {
                outcome.complete(new Outcome(List.copyOf(received), code));
              }
            });
    return new Pending(sender, outcome);
  }

  private static SpanData only(List<SpanData> spans, SpanKind kind) {
    List<SpanData> ofKind = spans.stream().filter(span -> span.getKind() == kind).toList();
    assertThat(ofKind).hasSize(1);
    return ofKind.get(0);
  }

  private static final class Collecting implements SpanProcessor {

    private final List<SpanData> ended;

    Collecting(List<SpanData> ended) {
      this.ended = ended;
    }

    @Override
    public void onStart(Context parentContext, ReadWriteSpan span) {}

    @Override
    public boolean isStartRequired() {
      return false;
    }

    @Override
    public void onEnd(ReadableSpan span) {
      ended.add(span.toSpanData());
    }

    @Override
    public boolean isEndRequired() {
      return true;
    }
  }

  /** The kit's service, and what its handlers saw. */
  public static final class KitService implements Service {

    final List<String> seen = new CopyOnWriteArrayList<>();
    final List<String> seenIn = new CopyOnWriteArrayList<>();
    final List<String> seenTraces = new CopyOnWriteArrayList<>();
    final AtomicInteger heldNoMore = new AtomicInteger();
    private final CountDownLatch hello = new CountDownLatch(1);
    volatile boolean throwsAtStart;

    /** A service of its own. */
    public KitService() {}

    /** Waits until a handler of {@link Method#HOLD} has got the message {@code HELLO}. */
    public void awaitHello() throws InterruptedException {
      assertThat(hello.await(10, TimeUnit.SECONDS)).isTrue();
    }

    void clear() {
      seen.clear();
      seenIn.clear();
    }

    private void see(String callback) {
      seen.add(callback);
      seenIn.add(Span.current().getSpanContext().getSpanId());
      seenTraces.add(Span.current().getSpanContext().getTraceId());
    }

    @Override
    public ServerReceiver accept(Method method, ServerSender sender) {
      see("start");
      if (throwsAtStart) {
        throw new IllegalStateException("thrown by the kit");
      }
      return new Receiver(method, sender);
    }

    private final class Receiver implements ServerReceiver {

      private final Method method;
      private final ServerSender sender;
      private final List<String> messages = new ArrayList<>();

      Receiver(Method method, ServerSender sender) {
        this.method = method;
        this.sender = sender;
      }

      @Override
      public void onMessage(String message) {
        see("message");
        messages.add(message);
        throwAt("message");
        if (method == Method.CHAT) {
          sender.send(message);
        } else if (method == Method.HOLD && message.equals("HELLO")) {
          hello.countDown();
        } else if (method == Method.HOLD) {
          sender.close(message);
        }
      }

      @Override
      public void onHalfClose() {
        see("halfClose");
        throwAt("halfClose");
        switch (method) {
          case FAIL -> sender.close(messages.get(0));
          case SPLIT -> {
            for (int i = Integer.parseInt(messages.get(0)); i > 0; i--) {
              sender.send("m");
            }
            sender.close("OK");
          }
          case COLLECT -> answer(Integer.toString(messages.size()));
          case CONTEXT -> answer(context());
          case CHAT -> sender.close("OK");
          case HOLD -> {}
          default -> answer(messages.get(0));
        }
      }

      private void answer(String message) {
        sender.send(message);
        sender.close("OK");
      }

      private String context() {
        Span span = Span.current();
        if (!span.getSpanContext().isValid()) {
          return "nothing";
        }
        return "00-%s-%s-%s %s %s %s"
            .formatted(
                span.getSpanContext().getTraceId(),
                span.getSpanContext().getSpanId(),
                span.getSpanContext().getTraceFlags().asHex(),
                "vendor=" + span.getSpanContext().getTraceState().get("vendor"),
                requireNonNull(Baggage.current().getEntryValue("customer_id")),
                Baggage.current().getEntryValue("other"));
      }

      @Override
      public void onCancel() {
        see("cancel");
        if (method == Method.HOLD) {
          heldNoMore.incrementAndGet();
        }
      }

      @Override
      public void onComplete() {
        see("complete");
        throwAt("complete");
      }

      private void throwAt(String callback) {
        if (method == Method.THROW && messages.contains(callback)) {
          throw new IllegalStateException("thrown by the kit");
        }
      }
    }
  }
}
