// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import brave.Tracer.SpanInScope;
import brave.http.HttpServerHandler;
import brave.http.HttpServerRequest;
import brave.http.HttpServerResponse;
import brave.http.HttpTracing;
import dev.throughline.benchmarks.Rung;
import dev.throughline.benchmarks.Subjects;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestInstrumenterBuilder;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.instrumentation.api.instrumenter.Instrumenter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;

/**
 * A server's request over a request object, without a socket: twelve attributes and the duration
 * histogram, with a remote parent but where the rung says otherwise. Ours counts active requests as
 * well; Brave has four tags and no metric.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class HttpServerLadder {

  private int work = 1;

  /** For JMH. */
  public HttpServerLadder() {}

  /** Ours, off. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Off extends Subjects.Off {
    final Instrumenters server = server(telemetry);

    /** For JMH. */
    public Off() {}
  }

  /** Ours, unsampled. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Unsampled extends Subjects.Unsampled {
    final Instrumenters server = server(telemetry);

    /** For JMH. */
    public Unsampled() {}
  }

  /** Ours, on. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class On extends Subjects.On {
    final Instrumenters server = server(telemetry);

    /** For JMH. */
    public On() {}
  }

  /** OpenTelemetry's instrumenter, off. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class InstrumenterOff {
    final Instrumenter<ServerExchange, ServerExchange> server =
        ServerInstrumenter.of(OpenTelemetry.noop());

    /** For JMH. */
    public InstrumenterOff() {}
  }

  /** OpenTelemetry's instrumenter, unsampled. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class InstrumenterUnsampled extends Subjects.UnsampledSdk {
    final Instrumenter<ServerExchange, ServerExchange> server = ServerInstrumenter.of(sdk);

    /** For JMH. */
    public InstrumenterUnsampled() {}
  }

  /** OpenTelemetry's instrumenter, on. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class InstrumenterOn extends Subjects.Sdk {
    final Instrumenter<ServerExchange, ServerExchange> server = ServerInstrumenter.of(sdk);

    /** For JMH. */
    public InstrumenterOn() {}
  }

  /** Brave's handler. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Brave extends Subjects.Brave {
    final HttpServerHandler<HttpServerRequest, HttpServerResponse> server =
        HttpServerHandler.create(HttpTracing.create(tracing));

    /** For JMH. */
    public Brave() {}
  }

  /** The same data straight on the SDK. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Sdk extends Subjects.Sdk {
    final Tracer tracer = sdk.getTracer("benchmark");
    final TextMapPropagator propagator = sdk.getPropagators().getTextMapPropagator();
    final DoubleHistogram duration =
        sdk.getMeter("benchmark")
            .histogramBuilder("http.server.request.duration")
            .setUnit("s")
            .setExplicitBucketBoundariesAdvice(RequestInstrumenterBuilder.REQUEST_SECONDS)
            .build();
    final Attributes point =
        Attributes.of(
            HttpAttributes.HTTP_REQUEST_METHOD, "GET",
            HttpAttributes.URL_SCHEME, "http",
            HttpAttributes.HTTP_ROUTE, "/servers/{id}",
            HttpAttributes.HTTP_RESPONSE_STATUS_CODE, 200L,
            HttpAttributes.NETWORK_PROTOCOL_VERSION, "1.1");

    /** For JMH. */
    public Sdk() {}
  }

  private static Instrumenters server(Telemetry telemetry) {
    return Instrumenters.ofServers(HttpTelemetry.builder(telemetry));
  }

  @Benchmark
  @Rung("bare")
  public int a_bare() {
    return work;
  }

  /** What the filters do: they ask for the headers before they make anything. */
  @Benchmark
  @Rung("Throughline, off, no context comes in")
  public int b_off(Off subject) {
    Map<String, List<String>> headers = ObjectExchange.WITHOUT_CONTEXT;
    return subject.server.propagation().hasNothingFrom(headers, Map::containsKey)
        ? work
        : serve(subject.server, headers);
  }

  @Benchmark
  @Rung("Throughline, off, passes a context on")
  public int b_offWithContext(Off subject) {
    return serve(subject.server, ObjectExchange.WITH_CONTEXT);
  }

  @Benchmark
  @Rung("Throughline, unsampled")
  public int c_unsampled(Unsampled subject) {
    return serve(subject.server, ObjectExchange.WITH_CONTEXT);
  }

  @Benchmark
  @Rung("Throughline, on")
  public int d_on(On subject) {
    return serve(subject.server, ObjectExchange.WITH_CONTEXT);
  }

  @Benchmark
  @Rung("Throughline, on, six baggage attributes more")
  public int e_onWithSixBaggageAttributes(On subject) {
    return serve(subject.server, ObjectExchange.WITH_BAGGAGE);
  }

  @Benchmark
  @Rung("OpenTelemetry Instrumenter, off")
  public int p_instrumenterOff(InstrumenterOff subject) {
    return serve(subject.server);
  }

  @Benchmark
  @Rung("OpenTelemetry Instrumenter, unsampled")
  public int q_instrumenterUnsampled(InstrumenterUnsampled subject) {
    return serve(subject.server);
  }

  @Benchmark
  @Rung("OpenTelemetry Instrumenter")
  public int r_instrumenter(InstrumenterOn subject) {
    return serve(subject.server);
  }

  @Benchmark
  @Rung("Brave HttpServerHandler, no queue")
  public int s_brave(Brave subject) {
    ObjectExchange exchange = new ObjectExchange(ObjectExchange.WITH_B3);
    BraveServer.Request request = new BraveServer.Request(exchange);
    brave.Span span = subject.server.handleReceive(request);
    try (SpanInScope ignored = subject.tracing.tracer().withSpanInScope(span)) {
      return work;
    } finally {
      subject.server.handleSend(new BraveServer.Response(request, exchange), span);
    }
  }

  /** The same attributes and record straight on the SDK: the floor. */
  @Benchmark
  @Rung("OpenTelemetry SDK, by hand")
  public int z_sdk(Sdk subject) {
    ObjectExchange exchange = new ObjectExchange(ObjectExchange.WITH_CONTEXT);
    Context parent =
        subject.propagator.extract(Context.current(), exchange, ExchangeConvention.GETTER);
    long start = System.nanoTime();
    Span span =
        subject
            .tracer
            .spanBuilder("GET /servers/{id}")
            .setSpanKind(SpanKind.SERVER)
            .setParent(parent)
            .setAttribute(HttpAttributes.HTTP_REQUEST_METHOD, exchange.method())
            .setAttribute(HttpAttributes.URL_PATH, exchange.path())
            .setAttribute(HttpAttributes.URL_SCHEME, exchange.scheme())
            .setAttribute(HttpAttributes.HTTP_ROUTE, exchange.serverRoute())
            .setAttribute(HttpAttributes.SERVER_ADDRESS, "manager")
            .setAttribute(HttpAttributes.SERVER_PORT, 8080L)
            .setAttribute(HttpKeys.CLIENT_ADDRESS, exchange.peerAddress())
            .setAttribute(HttpKeys.NETWORK_PEER_ADDRESS, exchange.peerAddress())
            .setAttribute(HttpKeys.NETWORK_PEER_PORT, (long) exchange.peerPort())
            .setAttribute(HttpAttributes.NETWORK_PROTOCOL_VERSION, "1.1")
            .setAttribute(HttpAttributes.USER_AGENT_ORIGINAL, exchange.header("User-Agent"))
            .startSpan();
    Context context = parent.with(span);
    try (Scope ignored = context.makeCurrent()) {
      return work;
    } finally {
      span.setAttribute(HttpAttributes.HTTP_RESPONSE_STATUS_CODE, (long) exchange.status());
      span.end();
      subject.duration.record((System.nanoTime() - start) / 1e9, subject.point, context);
    }
  }

  private int serve(Instrumenters server, Map<String, List<String>> headers) {
    InstrumentedRequest<Exchange, Exchange> request = server.start(new ObjectExchange(headers));
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

  private int serve(Instrumenter<ServerExchange, ServerExchange> server) {
    ObjectExchange exchange = new ObjectExchange(ObjectExchange.WITH_CONTEXT);
    Context parent = Context.current();
    if (!server.shouldStart(parent, exchange)) {
      return work;
    }
    Context context = server.start(parent, exchange);
    int done;
    try (Scope ignored = context.makeCurrent()) {
      done = work;
    } catch (Throwable t) {
      server.end(context, exchange, null, t);
      throw t;
    }
    server.end(context, exchange, exchange, null);
    return done;
  }
}
