// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import brave.Tracer.SpanInScope;
import brave.http.HttpClientHandler;
import brave.http.HttpClientRequest;
import brave.http.HttpClientResponse;
import brave.http.HttpTracing;
import dev.throughline.benchmarks.Rung;
import dev.throughline.benchmarks.Subjects;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.RequestInstrumenterBuilder;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.instrumentation.api.instrumenter.Instrumenter;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;

/**
 * A client's request over a request of the JDK and a ready response, without a socket: a trace of
 * its own, six attributes, the duration histogram, and the headers that go out put aside. The JDK's
 * requests can't be changed: what it costs to make one with those headers is a rung of its own.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class HttpClientLadder {

  private HttpRequest request = OutgoingRequest.REQUEST;
  private HttpResponse<String> response = OutgoingRequest.RESPONSE;

  /** For JMH. */
  public HttpClientLadder() {}

  /** Ours, off. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Off extends Subjects.Off {
    final Instrumenters client = client(telemetry);

    /** For JMH. */
    public Off() {}
  }

  /** Ours, unsampled. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Unsampled extends Subjects.Unsampled {
    final Instrumenters client = client(telemetry);

    /** For JMH. */
    public Unsampled() {}
  }

  /** Ours, on. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class On extends Subjects.On {
    final Instrumenters client = client(telemetry);

    /** For JMH. */
    public On() {}
  }

  /** OpenTelemetry's instrumenter, off. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class InstrumenterOff {
    final Instrumenter<OutgoingRequest, HttpResponse<?>> client =
        ClientInstrumenter.of(OpenTelemetry.noop());

    /** For JMH. */
    public InstrumenterOff() {}
  }

  /** OpenTelemetry's instrumenter, unsampled. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class InstrumenterUnsampled extends Subjects.UnsampledSdk {
    final Instrumenter<OutgoingRequest, HttpResponse<?>> client = ClientInstrumenter.of(sdk);

    /** For JMH. */
    public InstrumenterUnsampled() {}
  }

  /** OpenTelemetry's instrumenter, on. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class InstrumenterOn extends Subjects.Sdk {
    final Instrumenter<OutgoingRequest, HttpResponse<?>> client = ClientInstrumenter.of(sdk);

    /** For JMH. */
    public InstrumenterOn() {}
  }

  /** Brave's handler. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Brave extends Subjects.Brave {
    final HttpClientHandler<HttpClientRequest, HttpClientResponse> client =
        HttpClientHandler.create(HttpTracing.create(tracing));

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
            .histogramBuilder("http.client.request.duration")
            .setUnit("s")
            .setExplicitBucketBoundariesAdvice(RequestInstrumenterBuilder.REQUEST_SECONDS)
            .build();
    final Attributes point =
        Attributes.of(
            HttpAttributes.HTTP_REQUEST_METHOD, "GET",
            HttpAttributes.SERVER_ADDRESS, "agent",
            HttpAttributes.SERVER_PORT, 8082L,
            HttpAttributes.HTTP_RESPONSE_STATUS_CODE, 200L,
            HttpAttributes.NETWORK_PROTOCOL_VERSION, "1.1");

    /** For JMH. */
    public Sdk() {}
  }

  private static Instrumenters client(Telemetry telemetry) {
    return Instrumenters.ofClients(HttpTelemetry.builder(telemetry));
  }

  @Benchmark
  @Rung("bare")
  public int a_bare() {
    return response.statusCode();
  }

  @Benchmark
  @Rung("Throughline, off")
  public @Nullable Object b_off(Off subject) {
    return send(subject.client, true);
  }

  @Benchmark
  @Rung("Throughline, unsampled")
  public @Nullable Object c_unsampled(Unsampled subject) {
    return send(subject.client, false);
  }

  @Benchmark
  @Rung("Throughline, on")
  public @Nullable Object d_on(On subject) {
    return send(subject.client, false);
  }

  @Benchmark
  @Rung("Throughline, on, with the JDK's request that goes out")
  public @Nullable Object e_onWithOutgoingRequest(On subject) {
    return send(subject.client, true);
  }

  @Benchmark
  @Rung("OpenTelemetry Instrumenter, off")
  public Object p_instrumenterOff(InstrumenterOff subject) {
    return send(subject.client);
  }

  @Benchmark
  @Rung("OpenTelemetry Instrumenter, unsampled")
  public Object q_instrumenterUnsampled(InstrumenterUnsampled subject) {
    return send(subject.client);
  }

  @Benchmark
  @Rung("OpenTelemetry Instrumenter")
  public Object r_instrumenter(InstrumenterOn subject) {
    return send(subject.client);
  }

  @Benchmark
  @Rung("Brave HttpClientHandler, no queue")
  public Object s_brave(Brave subject) {
    OutgoingRequest outgoing = new OutgoingRequest(request);
    BraveClient.Request wrapped = new BraveClient.Request(outgoing);
    brave.Span span = subject.client.handleSend(wrapped);
    try (SpanInScope ignored = subject.tracing.tracer().withSpanInScope(span)) {
      return outgoing;
    } finally {
      subject.client.handleReceive(new BraveClient.Response(wrapped, response), span);
    }
  }

  /** The same attributes and record straight on the SDK: the floor. */
  @Benchmark
  @Rung("OpenTelemetry SDK, by hand")
  public Object z_sdk(Sdk subject) {
    OutgoingRequest outgoing = new OutgoingRequest(request);
    Context parent = Context.current();
    long start = System.nanoTime();
    Span span =
        subject
            .tracer
            .spanBuilder("GET")
            .setSpanKind(SpanKind.CLIENT)
            .setParent(parent)
            .setAttribute(HttpAttributes.HTTP_REQUEST_METHOD, request.method())
            .setAttribute(HttpAttributes.URL_FULL, request.uri().toString())
            .setAttribute(HttpAttributes.SERVER_ADDRESS, request.uri().getHost())
            .setAttribute(HttpAttributes.SERVER_PORT, (long) request.uri().getPort())
            .startSpan();
    Context context = parent.with(span);
    subject.propagator.inject(context, outgoing, OutgoingRequest.SETTER);
    span.setAttribute(HttpAttributes.HTTP_RESPONSE_STATUS_CODE, (long) response.statusCode());
    span.setAttribute(HttpAttributes.NETWORK_PROTOCOL_VERSION, "1.1");
    span.end();
    subject.duration.record((System.nanoTime() - start) / 1e9, subject.point, context);
    return outgoing;
  }

  /** What the wrapped client does around the call of the JDK's. */
  private @Nullable Object send(Instrumenters client, boolean withOutgoingRequest) {
    ClientExchange exchange = ClientExchange.start(client, request);
    if (exchange == null) {
      return null;
    }
    Object outgoing = withOutgoingRequest ? exchange.outgoing(client.guard()) : exchange;
    exchange.end(response, null);
    return outgoing;
  }

  private Object send(Instrumenter<OutgoingRequest, HttpResponse<?>> client) {
    OutgoingRequest outgoing = new OutgoingRequest(request);
    Context parent = Context.current();
    if (!client.shouldStart(parent, outgoing)) {
      return outgoing;
    }
    Context context = client.start(parent, outgoing);
    client.end(context, outgoing, response, null);
    return outgoing;
  }
}
