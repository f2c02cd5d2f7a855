// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.ClientInterceptor;
import io.grpc.ServerInterceptor;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What OpenTelemetry's own instrumentation records of the same calls, by the same conventions
 * ({@code otel.semconv-stability.opt-in=rpc}), and how ours differs. The kit's tests run here too,
 * with its jar on the class path.
 */
class OracleTest extends NettyTest {

  /** Each difference, theirs before ours, and why. */
  private static final Map<String, String> DIFFERENCES = new TreeMap<>();

  static {
    String counted = "an event each costs much in a long stream; their number is what is asked for";
    for (String side : List.of("CLIENT", "SERVER")) {
      DIFFERENCES.put(side + " event message: there -> none", counted);
      DIFFERENCES.put(side + " grpc.sent.message_count: none -> there", counted);
      DIFFERENCES.put(side + " grpc.received.message_count: none -> there", counted);
      DIFFERENCES.put(side + " network.type: there -> none", "no attribute of RPC spans");
    }
    String failed = "the conventions ask for error.type where a call failed";
    DIFFERENCES.put("not found, CLIENT error.type: none -> NOT_FOUND", failed);
    DIFFERENCES.put("internal, CLIENT error.type: none -> INTERNAL", failed);
    DIFFERENCES.put("internal, SERVER error.type: none -> INTERNAL", failed);
    DIFFERENCES.put("handler throws, CLIENT error.type: none -> UNKNOWN", failed);
    DIFFERENCES.put("cancelled, CLIENT error.type: none -> CANCELLED", failed);
    DIFFERENCES.put("deadline, CLIENT error.type: none -> DEADLINE_EXCEEDED", failed);
    DIFFERENCES.put("unreachable, CLIENT error.type: none -> UNAVAILABLE", failed);
    DIFFERENCES.put("rpc.client.call.duration error.type: none -> there", failed);
    DIFFERENCES.put("rpc.server.call.duration error.type: none -> there", failed);
    DIFFERENCES.put(
        "handler throws late, SERVER rpc.response.status_code: UNKNOWN -> OK",
        "it is what the client got; that the handler threw is error.type");
    String seconds = "theirs are milliseconds, on a metric in seconds";
    DIFFERENCES.put("rpc.client.call.duration boundaries", seconds);
    DIFFERENCES.put("rpc.server.call.duration boundaries", seconds);
    String named = "opt-in by the conventions: a server's clients may name it as they like";
    DIFFERENCES.put("rpc.server.call.duration server.address: there -> none", named);
    DIFFERENCES.put("rpc.server.call.duration server.port: there -> none", named);
  }

  @BeforeAll
  static void onlyWithTheOracle() {
    assumeTrue(
        OracleTest.class.getResource("/io/grpc/override/ContextStorageOverride.class") != null,
        "only the execution named oracle has it on its class path");
  }

  @Test
  void differsInWhatIsListed() throws Exception {
    List<SpanData> ended = new CopyOnWriteArrayList<>();
    InMemoryMetricReader metrics = InMemoryMetricReader.create();
    Set<String> differences = new TreeSet<>();
    try (OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .setTracerProvider(
                SdkTracerProvider.builder().addSpanProcessor(new Collecting(ended)).build())
            .setMeterProvider(SdkMeterProvider.builder().registerMetricReader(metrics).build())
            .build()) {
      Upstream upstream = new Upstream(sdk);
      GrpcTelemetry ours = GrpcTelemetry.create(telemetry.telemetry());
      for (Map.Entry<String, Scenario> scenario : scenarios().entrySet()) {
        KitService service = new KitService();
        try (Connection connection =
            connect(
                service,
                server -> server.intercept(upstream.server),
                channel -> channel.intercept(upstream.client))) {
          scenario.getValue().run(connection, service);
        }
        service = new KitService();
        try (Connection connection = connect(service, ours::configure, ours::configure)) {
          scenario.getValue().run(connection, service);
        }
        int expected =
            switch (scenario.getKey()) {
              case "unreachable" -> 1;
              case "deadline" -> 4;
              default -> 2;
            };
        await(ended, expected);
        List<SpanData> theirs = new ArrayList<>(ended);
        ended.clear();
        List<SpanData> own = new ArrayList<>(telemetry.takeSpans(expected));
        if (scenario.getKey().equals("deadline")) {
          theirs.removeIf(OracleTest::isEcho);
          own.removeIf(OracleTest::isEcho);
        }
        compare(scenario.getKey(), theirs, own, differences);
      }
      compareMetrics(metrics, differences);
    }
    assertThat(differences).containsExactlyInAnyOrderElementsOf(DIFFERENCES.keySet());
  }

  private static boolean isEcho(SpanData span) {
    return span.getName().equals(Method.ECHO.fullName());
  }

  /** In a class of its own, so that a run without its jar can skip this one. */
  private static final class Upstream {

    final ClientInterceptor client;
    final ServerInterceptor server;

    Upstream(OpenTelemetry openTelemetry) {
      var grpc = io.opentelemetry.instrumentation.grpc.v1_6.GrpcTelemetry.create(openTelemetry);
      client = grpc.createClientInterceptor();
      server = grpc.createServerInterceptor();
    }
  }

  private interface Scenario {
    void run(Connection connection, KitService service) throws Exception;
  }

  private Map<String, Scenario> scenarios() {
    Map<String, Scenario> scenarios = new LinkedHashMap<>();
    scenarios.put("unary", (rpc, service) -> call(rpc, Method.ECHO, "a").get());
    scenarios.put("client stream", (rpc, service) -> call(rpc, Method.COLLECT, "a", "b").get());
    scenarios.put("server stream", (rpc, service) -> call(rpc, Method.SPLIT, "3").get());
    scenarios.put("both stream", (rpc, service) -> call(rpc, Method.CHAT, "a", "b").get());
    scenarios.put("not found", (rpc, service) -> call(rpc, Method.FAIL, "NOT_FOUND").get());
    scenarios.put("internal", (rpc, service) -> call(rpc, Method.FAIL, "INTERNAL").get());
    scenarios.put("handler throws", (rpc, service) -> call(rpc, Method.THROW, "halfClose").get());
    scenarios.put(
        "handler throws late", (rpc, service) -> call(rpc, Method.THROW, "complete").get());
    scenarios.put(
        "cancelled",
        (rpc, service) -> {
          Pending pending = start(rpc, Method.HOLD, null);
          pending.sender().send("HELLO");
          service.awaitHello();
          pending.sender().cancel();
          pending.outcome().get(10, TimeUnit.SECONDS);
        });
    scenarios.put(
        "deadline",
        (rpc, service) -> {
          // A server hears nothing of a call whose deadline passes while the connection is made.
          call(rpc, Method.ECHO, "a").get();
          start(rpc, Method.HOLD, Duration.ofSeconds(1)).outcome().get(10, TimeUnit.SECONDS);
        });
    scenarios.put(
        "unreachable",
        (rpc, service) -> {
          rpc.close();
          call(rpc, Method.ECHO, "a").get();
        });
    return scenarios;
  }

  private static void compare(
      String scenario, List<SpanData> theirs, List<SpanData> ours, Set<String> differences) {
    Map<SpanKind, SpanData> byKind = new EnumMap<>(SpanKind.class);
    ours.forEach(span -> byKind.put(span.getKind(), span));
    for (SpanData their : theirs) {
      SpanKind kind = their.getKind();
      SpanData our = byKind.remove(kind);
      assertThat(our).as("%s %s", scenario, kind).isNotNull();
      assertThat(our.getName()).isEqualTo(their.getName());
      assertThat(our.getParentSpanContext().isValid())
          .isEqualTo(their.getParentSpanContext().isValid());
      Map<String, String> theirValues = values(their);
      Map<String, String> ourValues = values(our);
      if (scenario.equals("deadline") && kind == SpanKind.SERVER) {
        // Its clock and the client's race. Ours tells which won, theirs calls both a cancellation.
        for (String key : List.of("rpc.response.status_code", "error.type", "status")) {
          theirValues.remove(key);
          ourValues.remove(key);
        }
      }
      if (scenario.equals("deadline") && kind == SpanKind.CLIENT) {
        // The same race: where the client's clock wins, gRPC forgets which connection it was.
        for (String key : List.of("network.peer.address", "network.peer.port")) {
          theirValues.remove(key);
          ourValues.remove(key);
        }
      }
      Set<String> keys = new TreeSet<>(theirValues.keySet());
      keys.addAll(ourValues.keySet());
      for (String key : keys) {
        String theirValue = theirValues.getOrDefault(key, "none");
        String ourValue = ourValues.getOrDefault(key, "none");
        if (!theirValue.equals(ourValue)) {
          // What differs in being there differs in each scenario.
          boolean everywhere = theirValue.equals("there") || ourValue.equals("there");
          differences.add(
              (everywhere ? "" : scenario + ", ")
                  + "%s %s: %s -> %s".formatted(kind, key, theirValue, ourValue));
        }
      }
    }
    assertThat(byKind).as(scenario).isEmpty();
  }

  private static Map<String, String> values(SpanData span) {
    Map<String, String> values = new TreeMap<>();
    span.getAttributes().forEach((key, value) -> values.put(key.getKey(), String.valueOf(value)));
    values.put("status", span.getStatus().getStatusCode().name());
    for (EventData event : span.getEvents()) {
      String type = event.getAttributes().get(AttributeKey.stringKey("exception.type"));
      values.put("event " + event.getName(), type == null ? "there" : type);
    }
    // Connections have ports of their own, and the counts have tests of their own.
    for (String key :
        List.of(
            "server.port",
            "network.peer.port",
            "network.type",
            "grpc.sent.message_count",
            "grpc.received.message_count")) {
      values.computeIfPresent(key, (present, value) -> "there");
    }
    return values;
  }

  private void compareMetrics(InMemoryMetricReader theirs, Set<String> differences) {
    TreeMap<String, MetricData> their = new TreeMap<>();
    theirs.collectAllMetrics().forEach(metric -> their.put(metric.getName(), metric));
    for (String name : List.of(GrpcKeys.CLIENT_DURATION, GrpcKeys.SERVER_DURATION)) {
      MetricData our = telemetry.metric(name);
      MetricData other = their.remove(name);
      assertThat(other).as(name).isNotNull();
      assertThat(our.getUnit()).isEqualTo(other.getUnit());
      if (!bounds(our).equals(bounds(other))) {
        differences.add(name + " boundaries");
      }
      TreeSet<String> keys = keys(our);
      keys.removeAll(keys(other));
      keys.forEach(key -> differences.add(name + " " + key + ": none -> there"));
      keys = keys(other);
      keys.removeAll(keys(our));
      keys.forEach(key -> differences.add(name + " " + key + ": there -> none"));
    }
    their.keySet().forEach(name -> differences.add("metric " + name + " -> none"));
  }

  private static List<Double> bounds(MetricData metric) {
    return metric.getHistogramData().getPoints().iterator().next().getBoundaries();
  }

  private static TreeSet<String> keys(MetricData metric) {
    TreeSet<String> keys = new TreeSet<>();
    metric
        .getHistogramData()
        .getPoints()
        .forEach(point -> point.getAttributes().forEach((key, value) -> keys.add(key.getKey())));
    return keys;
  }

  private static void await(List<SpanData> spans, int count) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (spans.size() < count && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(1_000_000);
    }
    assertThat(spans).hasSize(count);
  }

  private record Collecting(List<SpanData> ended) implements SpanProcessor {
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
}
