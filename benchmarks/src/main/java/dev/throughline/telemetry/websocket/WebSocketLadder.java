// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.benchmarks.Rung;
import dev.throughline.benchmarks.Subjects;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.net.URI;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;

/**
 * A text message of an open socket, between the JDK's client and the application, without a
 * network.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class WebSocketLadder {

  private static final String MESSAGE = "{\"command\":\"power-cycle\",\"server\":\"srv-1\"}";
  private static final String ENVELOPED =
      Envelope.of("traceparent:00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n")
          + MESSAGE;

  private static final AttributeKey<String> TYPE =
      AttributeKey.stringKey("throughline.websocket.message.type");
  private static final AttributeKey<Long> SIZE =
      AttributeKey.longKey("throughline.websocket.message.size");

  /** For JMH. */
  public WebSocketLadder() {}

  /** The application. */
  private static final class Application implements WebSocket.Listener {

    int received;

    @Override
    public @Nullable CompletionStage<?> onText(
        WebSocket webSocket, CharSequence data, boolean last) {
      received += data.length();
      return null;
    }
  }

  /** A socket of the JDK's that goes nowhere. */
  private static final class Socket implements WebSocket {

    private final String subprotocol;
    private final CompletableFuture<WebSocket> sent = CompletableFuture.completedFuture(this);
    int characters;

    Socket(String subprotocol) {
      this.subprotocol = subprotocol;
    }

    @Override
    public CompletableFuture<WebSocket> sendText(CharSequence data, boolean last) {
      characters += data.length();
      return sent;
    }

    @Override
    public CompletableFuture<WebSocket> sendBinary(ByteBuffer data, boolean last) {
      return sent;
    }

    @Override
    public CompletableFuture<WebSocket> sendPing(ByteBuffer message) {
      return sent;
    }

    @Override
    public CompletableFuture<WebSocket> sendPong(ByteBuffer message) {
      return sent;
    }

    @Override
    public CompletableFuture<WebSocket> sendClose(int statusCode, String reason) {
      return sent;
    }

    @Override
    public void request(long n) {}

    @Override
    public String getSubprotocol() {
      return subprotocol;
    }

    @Override
    public boolean isOutputClosed() {
      return false;
    }

    @Override
    public boolean isInputClosed() {
      return false;
    }

    @Override
    public void abort() {}
  }

  /** Both ends of a client's socket. */
  private static final class Connection implements WebSocket.Builder {

    final Application application = new Application();
    final Socket socket;
    final WebSocket applications;
    WebSocket.Listener listener = application;

    /** One without telemetry. */
    Connection() {
      socket = new Socket("");
      applications = socket;
    }

    Connection(Telemetry telemetry, boolean spans, boolean envelopes) {
      socket = new Socket(envelopes ? Envelope.SUB_PROTOCOL : "");
      WebSocketTelemetryBuilder settings = WebSocketTelemetry.builder(telemetry);
      if (spans) {
        settings.setMessageSpans((sent, text, bytes) -> true);
      }
      applications =
          new JdkBuilder(new Sockets(settings), () -> this)
              .buildAsync(URI.create("ws://gateway:8081/vnc/7"), application)
              .join();
    }

    @Override
    public WebSocket.Builder header(String name, String value) {
      return this;
    }

    @Override
    public WebSocket.Builder connectTimeout(Duration timeout) {
      return this;
    }

    @Override
    public WebSocket.Builder subprotocols(String mostPreferred, String... lesserPreferred) {
      return this;
    }

    @Override
    public CompletableFuture<WebSocket> buildAsync(URI uri, WebSocket.Listener listener) {
      this.listener = listener;
      return CompletableFuture.completedFuture(socket);
    }

    int receive(String message) {
      CompletionStage<?> unused = listener.onText(socket, message, true);
      return application.received;
    }

    int send(WebSocket over, String message) {
      CompletableFuture<WebSocket> unused = over.sendText(message, true);
      return socket.characters;
    }
  }

  /** No telemetry. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Bare {
    final Connection connection = new Connection();

    /** For JMH. */
    public Bare() {}
  }

  /** Ours, off. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Off extends Subjects.Off {
    final Connection connection = new Connection(telemetry, true, true);

    /** For JMH. */
    public Off() {}
  }

  /** Ours, unsampled. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Unsampled extends Subjects.Unsampled {
    final Connection connection = new Connection(telemetry, true, false);

    /** For JMH. */
    public Unsampled() {}
  }

  /** Ours, on, with no message chosen. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class On extends Subjects.On {
    final Connection connection = new Connection(telemetry, false, true);

    /** For JMH. */
    public On() {}
  }

  /** Ours, on, with each message chosen, to a peer that agreed on no envelopes. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Chosen extends Subjects.On {
    final Connection connection = new Connection(telemetry, true, false);

    /** For JMH. */
    public Chosen() {}
  }

  /** Ours, on, with each message chosen, to a peer that agreed on envelopes. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Enveloped extends Subjects.On {
    final Connection connection = new Connection(telemetry, true, true);

    /** For JMH. */
    public Enveloped() {}
  }

  /** The SDK by hand, below the span of a session. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Sdk extends Subjects.Sdk {
    final Connection connection = new Connection();
    final Tracer tracer = sdk.getTracer("benchmark");
    final TextMapPropagator propagator = sdk.getPropagators().getTextMapPropagator();
    final Context session =
        Context.root().with(tracer.spanBuilder("websocket.session").startSpan());

    /** For JMH. */
    public Sdk() {}
  }

  @Benchmark
  @Rung("bare, received")
  public int a_bare(Bare subject) {
    return subject.connection.receive(MESSAGE);
  }

  @Benchmark
  @Rung("bare, sent")
  public int a_bareSent(Bare subject) {
    return subject.connection.send(subject.connection.applications, MESSAGE);
  }

  @Benchmark
  @Rung("Throughline, off, received")
  public int b_off(Off subject) {
    return subject.connection.receive(MESSAGE);
  }

  @Benchmark
  @Rung("Throughline, unsampled, received")
  public int c_unsampled(Unsampled subject) {
    return subject.connection.receive(MESSAGE);
  }

  @Benchmark
  @Rung("Throughline, on, received without a span")
  public int d_on(On subject) {
    return subject.connection.receive(MESSAGE);
  }

  @Benchmark
  @Rung("Throughline, on, sent without a span")
  public int d_onSent(On subject) {
    return subject.connection.send(subject.connection.applications, MESSAGE);
  }

  @Benchmark
  @Rung("Throughline, on, received with a span")
  public int e_span(Chosen subject) {
    return subject.connection.receive(MESSAGE);
  }

  @Benchmark
  @Rung("Throughline, on, sent with a span")
  public int e_spanSent(Chosen subject) {
    return subject.connection.send(subject.connection.applications, MESSAGE);
  }

  @Benchmark
  @Rung("Throughline, on, received with a span, out of an envelope")
  public int f_envelope(Enveloped subject) {
    return subject.connection.receive(ENVELOPED);
  }

  @Benchmark
  @Rung("Throughline, on, sent with a span, in an envelope")
  public int f_envelopeSent(Enveloped subject) {
    return subject.connection.send(subject.connection.applications, MESSAGE);
  }

  @Benchmark
  @Rung("OpenTelemetry SDK, received with a span by hand")
  public int p_sdk(Sdk subject) {
    Span span =
        subject
            .tracer
            .spanBuilder("websocket.receive")
            .setSpanKind(SpanKind.CONSUMER)
            .setParent(subject.session)
            .startSpan();
    span.setAttribute(TYPE, "text");
    try (Scope ignored = subject.session.with(span).makeCurrent()) {
      return subject.connection.receive(MESSAGE);
    } finally {
      span.setAttribute(SIZE, (long) MESSAGE.length());
      span.end();
    }
  }

  @Benchmark
  @Rung("OpenTelemetry SDK, sent with a span by hand, its context before the message")
  public int q_sdkSent(Sdk subject) {
    Span span =
        subject
            .tracer
            .spanBuilder("websocket.send")
            .setSpanKind(SpanKind.PRODUCER)
            .setParent(subject.session)
            .startSpan();
    span.setAttribute(TYPE, "text");
    try {
      StringBuilder message = new StringBuilder(160);
      subject.propagator.inject(
          subject.session.with(span),
          message,
          (carrier, name, value) -> {
            if (carrier != null) {
              carrier.append(name).append(':').append(value).append('\n');
            }
          });
      return subject.connection.send(subject.connection.socket, message.append(MESSAGE).toString());
    } finally {
      span.setAttribute(SIZE, (long) MESSAGE.length());
      span.end();
    }
  }
}
