// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import brave.grpc.GrpcTracing;
import dev.throughline.telemetry.grpc.GrpcTelemetry;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
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
 * A gRPC call with telemetry on both sides. OpenTelemetry's library is on the class path of its own
 * rungs alone, since its jar replaces gRPC's context for the whole JVM.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public abstract class GrpcLadder {

  static final String LIBRARY = "opentelemetry-grpc";

  private static final byte[] MESSAGE = "a message of thirty-two bytes ..".getBytes(UTF_8);
  private static final MethodDescriptor<byte[], byte[]> UNARY =
      method(MethodType.UNARY, "benchmark.v1.Service/Unary");
  private static final MethodDescriptor<byte[], byte[]> STREAM =
      method(MethodType.BIDI_STREAMING, "benchmark.v1.Service/Stream");
  private static final int MESSAGES = 16;

  private @Nullable Server server;
  private @Nullable ManagedChannel channel;

  GrpcLadder() {}

  /** The interceptors of a subject; null is none. */
  interface Sides {
    @Nullable ClientInterceptor client();

    @Nullable ServerInterceptor server();
  }

  abstract ServerBuilder<?> serverBuilder();

  abstract ManagedChannelBuilder<?> channelBuilder(Server server);

  /** One operation. */
  abstract int call(ManagedChannel channel);

  /** Stops the transport. */
  @TearDown(Level.Trial)
  public void close() throws InterruptedException {
    if (channel != null) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    if (server != null) {
      server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  private ManagedChannel channel(Sides sides) {
    ManagedChannel open = channel;
    if (open == null) {
      ServerBuilder<?> serverBuilder =
          serverBuilder()
              .addService(
                  ServerServiceDefinition.builder("benchmark.v1.Service")
                      .addMethod(
                          UNARY,
                          ServerCalls.asyncUnaryCall(
                              (request, answer) -> {
                                answer.onNext(request);
                                answer.onCompleted();
                              }))
                      .addMethod(STREAM, new Echo())
                      .build());
      ServerInterceptor serverInterceptor = sides.server();
      if (serverInterceptor != null) {
        serverBuilder.intercept(serverInterceptor);
      }
      try {
        server = serverBuilder.build().start();
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
      ManagedChannelBuilder<?> channelBuilder = channelBuilder(server);
      ClientInterceptor clientInterceptor = sides.client();
      if (clientInterceptor != null) {
        channelBuilder.intercept(clientInterceptor);
      }
      open = channelBuilder.build();
      channel = open;
    }
    return open;
  }

  static int unary(ManagedChannel channel) {
    return ClientCalls.blockingUnaryCall(channel, UNARY, CallOptions.DEFAULT, MESSAGE).length;
  }

  /** Needs a transport that does its work on the calling thread. */
  static int stream(ManagedChannel channel) {
    ClientCall<byte[], byte[]> call = channel.newCall(STREAM, CallOptions.DEFAULT);
    Received received = new Received();
    call.start(received, new Metadata());
    call.request(MESSAGES + 1);
    for (int i = 0; i < MESSAGES; i++) {
      call.sendMessage(MESSAGE);
    }
    call.halfClose();
    if (!received.closed || received.messages != MESSAGES) {
      throw new IllegalStateException(received.messages + " messages came");
    }
    return received.messages;
  }

  @Benchmark
  @Rung("bare")
  public int a_bare(Bare subject) {
    return call(channel(subject));
  }

  @Benchmark
  @Rung(value = "bare, OpenTelemetry's library on the class path", jars = LIBRARY)
  public int a_bareBesideLibrary(Bare subject) {
    return call(channel(subject));
  }

  @Benchmark
  @Rung("Throughline, off, no context comes in")
  public int b_off(Off subject) {
    return call(channel(subject));
  }

  @Benchmark
  @Rung("Throughline, off, passes a context on")
  public int b_offWithContext(OffWithContext subject) {
    try (Scope ignored = subject.context.makeCurrent()) {
      return call(channel(subject));
    }
  }

  @Benchmark
  @Rung("Throughline, unsampled")
  public int c_unsampled(Unsampled subject) {
    return call(channel(subject));
  }

  @Benchmark
  @Rung("Throughline, on")
  public int d_on(On subject) {
    return call(channel(subject));
  }

  @Benchmark
  @Rung(value = "opentelemetry-grpc-1.6", jars = LIBRARY)
  public int p_library(Library subject) {
    return call(channel(subject));
  }

  @Benchmark
  @Rung(value = "opentelemetry-grpc-1.6, unsampled", jars = LIBRARY)
  public int q_libraryUnsampled(LibraryUnsampled subject) {
    return call(channel(subject));
  }

  @Benchmark
  @Rung("Brave, no queue")
  public int r_brave(Brave subject) {
    return call(channel(subject));
  }

  /** No telemetry. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Bare implements Sides {
    /** For JMH. */
    public Bare() {}

    @Override
    public @Nullable ClientInterceptor client() {
      return null;
    }

    @Override
    public @Nullable ServerInterceptor server() {
      return null;
    }
  }

  /** Ours, off. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Off extends Subjects.Off implements Sides {
    private final GrpcTelemetry grpc = GrpcTelemetry.create(telemetry);

    /** For JMH. */
    public Off() {}

    @Override
    public ClientInterceptor client() {
      return grpc.clientInterceptor();
    }

    @Override
    public ServerInterceptor server() {
      return grpc.serverInterceptor();
    }
  }

  /** Ours, off, with a context that came in. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class OffWithContext extends Off {
    final Context context =
        telemetry.extract(
            Map.of("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));

    /** For JMH. */
    public OffWithContext() {}
  }

  /** Ours, unsampled. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Unsampled extends Subjects.Unsampled implements Sides {
    private final GrpcTelemetry grpc = GrpcTelemetry.create(telemetry);

    /** For JMH. */
    public Unsampled() {}

    @Override
    public ClientInterceptor client() {
      return grpc.clientInterceptor();
    }

    @Override
    public ServerInterceptor server() {
      return grpc.serverInterceptor();
    }
  }

  /** Ours, on. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class On extends Subjects.On implements Sides {
    private final GrpcTelemetry grpc = GrpcTelemetry.create(telemetry);

    /** For JMH. */
    public On() {}

    @Override
    public ClientInterceptor client() {
      return grpc.clientInterceptor();
    }

    @Override
    public ServerInterceptor server() {
      return grpc.serverInterceptor();
    }
  }

  /** OpenTelemetry's library. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Library extends Subjects.Sdk implements Sides {
    private final Upstream upstream = new Upstream(sdk);

    /** For JMH. */
    public Library() {}

    @Override
    public ClientInterceptor client() {
      return upstream.client;
    }

    @Override
    public ServerInterceptor server() {
      return upstream.server;
    }
  }

  /** OpenTelemetry's library, unsampled. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class LibraryUnsampled extends Subjects.UnsampledSdk implements Sides {
    private final Upstream upstream = new Upstream(sdk);

    /** For JMH. */
    public LibraryUnsampled() {}

    @Override
    public ClientInterceptor client() {
      return upstream.client;
    }

    @Override
    public ServerInterceptor server() {
      return upstream.server;
    }
  }

  /** In a class of its own, since only some forks have its jar. */
  private static final class Upstream {
    final ClientInterceptor client;
    final ServerInterceptor server;

    Upstream(OpenTelemetry openTelemetry) {
      // Without it, it would record the older names.
      System.setProperty("otel.semconv-stability.opt-in", "rpc");
      var grpc = io.opentelemetry.instrumentation.grpc.v1_6.GrpcTelemetry.create(openTelemetry);
      client = grpc.createClientInterceptor();
      server = grpc.createServerInterceptor();
    }
  }

  /** Brave. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Brave extends Subjects.Brave implements Sides {
    private final GrpcTracing grpc = GrpcTracing.create(tracing);

    /** For JMH. */
    public Brave() {}

    @Override
    public ClientInterceptor client() {
      return grpc.newClientInterceptor();
    }

    @Override
    public ServerInterceptor server() {
      return grpc.newServerInterceptor();
    }
  }

  private static MethodDescriptor<byte[], byte[]> method(MethodType type, String name) {
    return MethodDescriptor.newBuilder(new Bytes(), new Bytes())
        .setType(type)
        .setFullMethodName(name)
        .setSampledToLocalTracing(false)
        .build();
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static final class Received extends ClientCall.Listener<byte[]> {
    int messages;
    boolean closed;

    @Override
    public void onMessage(byte[] message) {
      messages++;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      closed = status.isOk();
    }
  }

  private static final class Echo implements ServerCallHandler<byte[], byte[]> {
    @Override
    public ServerCall.Listener<byte[]> startCall(
        ServerCall<byte[], byte[]> call, Metadata headers) {
      call.sendHeaders(new Metadata());
      call.request(MESSAGES + 1);
      return new ServerCall.Listener<>() {
        @Override
        public void onMessage(byte[] message) {
          call.sendMessage(message);
        }

        @Override
        public void onHalfClose() {
          call.close(Status.OK, new Metadata());
        }
      };
    }
  }
}
