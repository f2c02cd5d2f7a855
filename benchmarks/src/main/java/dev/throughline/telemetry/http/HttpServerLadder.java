// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.benchmarks.Subjects;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A server's request over a request object, without a socket: twelve attributes and the duration
 * histogram, with a remote parent but where the rung says otherwise.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class HttpServerLadder {

  private static final String TRACEPARENT =
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  private final Telemetry off = Subjects.off();
  private final Telemetry unsampled = Subjects.unsampled();
  private final Telemetry on = Subjects.on();
  private final OpenTelemetrySdk sdk = Subjects.sdk();
  private final ServerInstrumenters offServer = server(off);
  private final ServerInstrumenters unsampledServer = server(unsampled);
  private final ServerInstrumenters onServer = server(on);
  private final Tracer tracer = sdk.getTracer("benchmark");
  private final TextMapPropagator propagator = sdk.getPropagators().getTextMapPropagator();
  private final DoubleHistogram duration =
      sdk.getMeter("benchmark")
          .histogramBuilder("http.server.request.duration")
          .setUnit("s")
          .setExplicitBucketBoundariesAdvice(ServerInstrumenters.SECONDS)
          .build();
  private final Attributes point =
      Attributes.of(
          HttpKeys.HTTP_REQUEST_METHOD, "GET",
          HttpKeys.URL_SCHEME, "http",
          HttpKeys.HTTP_ROUTE, "/servers/{id}",
          HttpKeys.HTTP_RESPONSE_STATUS_CODE, 200L,
          HttpKeys.NETWORK_PROTOCOL_VERSION, "1.1");
  private final Map<String, List<String>> withoutContext = headers();
  private final Map<String, List<String>> withContext = headers("traceparent", TRACEPARENT);
  private final Map<String, List<String>> withBaggage =
      headers(
          "traceparent",
          TRACEPARENT,
          "baggage",
          "customer_id=c1,server_id=7,session_id=s-1,datacenter=d,agent_id=a,bmc_type=ipmi");
  private int work = 1;

  /** For JMH. */
  public HttpServerLadder() {}

  private static ServerInstrumenters server(Telemetry telemetry) {
    return new ServerInstrumenters(telemetry, HttpTelemetry.builder(telemetry));
  }

  private static Map<String, List<String>> headers(String... namesAndValues) {
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.put("Host", List.of("manager:8080"));
    headers.put("User-Agent", List.of("curl/8.0"));
    for (int i = 0; i < namesAndValues.length; i += 2) {
      headers.put(namesAndValues[i], List.of(namesAndValues[i + 1]));
    }
    return headers;
  }

  /** Stops the exporting threads. */
  @TearDown(Level.Trial)
  public void close() {
    unsampled.close();
    on.close();
    sdk.close();
  }

  @Benchmark
  public int a_bare() {
    return work;
  }

  /** What the filters do: they ask for the headers before they make anything. */
  @Benchmark
  public int b_offWithoutContext() {
    String[] fields = offServer.fieldsWhenOff();
    if (fields != null) {
      for (String field : fields) {
        if (withoutContext.get(field) != null) {
          return serve(offServer, withoutContext);
        }
      }
    }
    return work;
  }

  @Benchmark
  public int b_offWithContext() {
    return serve(offServer, withContext);
  }

  @Benchmark
  public int c_unsampled() {
    return serve(unsampledServer, withContext);
  }

  @Benchmark
  public int d_on() {
    return serve(onServer, withContext);
  }

  @Benchmark
  public int e_onWithSixBaggageAttributes() {
    return serve(onServer, withBaggage);
  }

  /** The same attributes and record straight on the SDK: the floor. */
  @Benchmark
  public int z_rawSdk() {
    ObjectExchange exchange = new ObjectExchange(withContext);
    Context parent = propagator.extract(Context.current(), exchange, ServerConvention.GETTER);
    long start = System.nanoTime();
    Span span =
        tracer
            .spanBuilder("GET /servers/{id}")
            .setSpanKind(SpanKind.SERVER)
            .setParent(parent)
            .setAttribute(HttpKeys.HTTP_REQUEST_METHOD, exchange.method())
            .setAttribute(HttpKeys.URL_PATH, exchange.path())
            .setAttribute(HttpKeys.URL_SCHEME, exchange.scheme())
            .setAttribute(HttpKeys.HTTP_ROUTE, exchange.serverRoute())
            .setAttribute(HttpKeys.SERVER_ADDRESS, "manager")
            .setAttribute(HttpKeys.SERVER_PORT, HttpValues.number(8080))
            .setAttribute(HttpKeys.CLIENT_ADDRESS, exchange.peerAddress())
            .setAttribute(HttpKeys.NETWORK_PEER_ADDRESS, exchange.peerAddress())
            .setAttribute(HttpKeys.NETWORK_PEER_PORT, HttpValues.number(exchange.peerPort()))
            .setAttribute(HttpKeys.NETWORK_PROTOCOL_VERSION, "1.1")
            .setAttribute(HttpKeys.USER_AGENT_ORIGINAL, exchange.header("User-Agent"))
            .startSpan();
    Context context = parent.with(span);
    try (Scope ignored = context.makeCurrent()) {
      return work;
    } finally {
      span.setAttribute(HttpKeys.HTTP_RESPONSE_STATUS_CODE, HttpValues.number(200));
      span.end();
      duration.record((System.nanoTime() - start) / 1e9, point, context);
    }
  }

  private int serve(ServerInstrumenters server, Map<String, List<String>> headers) {
    InstrumentedRequest<ServerExchange, ServerExchange> request =
        server.start(new ObjectExchange(headers));
    if (request == null) {
      return work;
    }
    int done;
    try (Scope ignored = request.makeCurrent()) {
      done = work;
    } catch (Throwable t) {
      request.end(request.request(), t);
      throw t;
    }
    request.end(request.request(), null);
    return done;
  }

  private static final class ObjectExchange extends ServerExchange {

    private final Map<String, List<String>> headers;

    ObjectExchange(Map<String, List<String>> headers) {
      this.headers = headers;
    }

    @Override
    String method() {
      return "GET";
    }

    @Override
    String path() {
      return "/servers/7";
    }

    @Override
    @Nullable String query() {
      return null;
    }

    @Override
    String scheme() {
      return "http";
    }

    @Override
    String protocol() {
      return "HTTP/1.1";
    }

    @Override
    @Nullable String header(String name) {
      List<String> lines = headers.get(name);
      return lines == null ? null : lines.get(0);
    }

    @Override
    @Nullable List<String> headers(String name) {
      return headers.get(name);
    }

    @Override
    @Nullable List<String> responseHeaders(String name) {
      return null;
    }

    @Override
    void setResponseHeader(String name, String value) {}

    @Override
    String peerAddress() {
      return "10.0.0.9";
    }

    @Override
    int peerPort() {
      return 40_000;
    }

    @Override
    @Nullable String serverName() {
      return null;
    }

    @Override
    int serverPort() {
      return 0;
    }

    @Override
    String serverRoute() {
      return "/servers/{id}";
    }

    @Override
    int status() {
      return 200;
    }
  }
}
