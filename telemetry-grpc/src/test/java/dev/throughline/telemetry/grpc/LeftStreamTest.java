// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Streams whose reader takes the first message and leaves. */
class LeftStreamTest {

  private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final boolean IS_FLOOR = System.getProperty("grpc.floor") != null;
  // On the oracle's class path OpenTelemetry's context holds gRPC's, and with it the call.
  private static final boolean IS_ORACLE =
      LeftStreamTest.class.getResource("/io/grpc/override/ContextStorageOverride.class") != null;
  private static final MethodDescriptor<String, String> STREAM =
      GrpcKit.descriptor(MethodType.SERVER_STREAMING, "test.Service/Stream");

  @RegisterExtension
  static final TelemetryExtension telemetry =
      TelemetryExtension.builder().addProperty("telemetry.segment.limit", "100ms").build();

  private final List<Server> servers = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final CountDownLatch stopped = new CountDownLatch(1);

  enum Transport {
    IN_PROCESS,
    NETTY
  }

  /** How a client reads. */
  enum Reader {
    ITERATOR {
      @Override
      Object readFirst(Channel channel, CallOptions options, String request) {
        Iterator<String> answers =
            ClientCalls.blockingServerStreamingCall(channel, STREAM, options, request);
        assertThat(answers.next()).isEqualTo("answer 0");
        return answers;
      }
    },
    BLOCKING_CALL {
      @Override
      Object readFirst(Channel channel, CallOptions options, String request) throws Exception {
        assumeTrue(!IS_FLOOR, "not in the oldest gRPC");
        var answers = ClientCalls.blockingV2ServerStreamingCall(channel, STREAM, options, request);
        assertThat(answers.read()).isEqualTo("answer 0");
        return answers;
      }
    },
    OBSERVER {
      @Override
      Object readFirst(Channel channel, CallOptions options, String request) throws Exception {
        BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        ClientResponseObserver<String, String> observer =
            new ClientResponseObserver<>() {
              @Override
              public void beforeStart(ClientCallStreamObserver<String> stream) {
                stream.disableAutoRequestWithInitial(1);
              }

              @Override
              public void onNext(String answer) {
                answers.add(answer);
              }

              @Override
              public void onError(Throwable t) {}

              @Override
              public void onCompleted() {}
            };
        ClientCalls.asyncServerStreamingCall(channel.newCall(STREAM, options), request, observer);
        assertThat(answers.poll(TIMEOUT_NANOS, TimeUnit.NANOSECONDS)).isEqualTo("answer 0");
        return observer;
      }
    },
    LISTENER {
      @Override
      Object readFirst(Channel channel, CallOptions options, String request) throws Exception {
        BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        ClientCall<String, String> call = channel.newCall(STREAM, options);
        call.start(
            new ClientCall.Listener<>() {
              @Override
              public void onMessage(String answer) {
                answers.add(answer);
              }
            },
            new Metadata());
        call.request(1);
        call.sendMessage(request);
        call.halfClose();
        assertThat(answers.poll(TIMEOUT_NANOS, TimeUnit.NANOSECONDS)).isEqualTo("answer 0");
        return call;
      }
    };

    /** Reads one message, and tells what the application holds of the call. */
    abstract Object readFirst(Channel channel, CallOptions options, String request)
        throws Exception;
  }

  static List<Arguments> readers() {
    List<Arguments> all = new ArrayList<>();
    for (Transport transport : Transport.values()) {
      for (Reader reader : Reader.values()) {
        all.add(Arguments.of(transport, reader));
      }
    }
    return all;
  }

  @AfterEach
  void stop() throws InterruptedException {
    stopped.countDown();
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
    for (Server server : servers) {
      server.shutdownNow().awaitTermination();
    }
  }

  private void answer(String request, StreamObserver<String> answers) {
    answers.onNext("answer 0");
    switch (request) {
      case "hang" -> {}
      case "block" -> awaitStop();
      case "fail" -> {
        answers.onNext("answer 1");
        answers.onNext("answer 2");
        answers.onError(Status.NOT_FOUND.asRuntimeException());
      }
      default -> {
        for (int i = 1; i < 5; i++) {
          answers.onNext("answer " + i);
        }
        answers.onCompleted();
      }
    }
  }

  private void awaitStop() {
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private ManagedChannel connect(
      Transport transport, @Nullable GrpcTelemetry server, @Nullable GrpcTelemetry client)
      throws Exception {
    String name = InProcessServerBuilder.generateName();
    ServerBuilder<?> builder =
        transport == Transport.NETTY
            ? NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            : InProcessServerBuilder.forName(name);
    builder.addService(
        ServerServiceDefinition.builder("test.Service")
            .addMethod(STREAM, ServerCalls.asyncServerStreamingCall(this::answer))
            .build());
    if (server != null) {
      server.configure(builder);
    }
    Server started = builder.build().start();
    servers.add(started);
    ManagedChannelBuilder<?> to =
        transport == Transport.NETTY
            ? ManagedChannelBuilder.forAddress("127.0.0.1", started.getPort()).usePlaintext()
            : InProcessChannelBuilder.forName(name);
    if (client != null) {
      client.configure(to);
    }
    ManagedChannel channel = to.build();
    channels.add(channel);
    return channel;
  }

  private ManagedChannel connect(Transport transport) throws Exception {
    return connect(transport, null, GrpcTelemetry.create(telemetry.telemetry()));
  }

  @ParameterizedTest
  @MethodSource("readers")
  void aWholeAnswerThatIsLeftHasEnded(Transport transport, Reader reader) throws Exception {
    ManagedChannel channel = connect(transport);
    Reference<Object> left =
        new WeakReference<>(reader.readFirst(channel, CallOptions.DEFAULT, "five"));
    assertEnded(null);
    awaitWithGc("the call is let go", () -> left.refersTo(null));
  }

  @ParameterizedTest
  @EnumSource(value = Reader.class)
  void aWholeAnswerThatIsKeptAndNotReadHasEnded(Reader reader) throws Exception {
    ManagedChannel channel = connect(Transport.NETTY);
    Object kept = reader.readFirst(channel, CallOptions.DEFAULT, "five");
    assertEnded(null);
    Reference.reachabilityFence(kept);
  }

  @ParameterizedTest
  @EnumSource(value = Reader.class)
  void whatTheTrailersOfALeftAnswerSaidIsNoSuccess(Reader reader) throws Exception {
    ManagedChannel channel = connect(Transport.NETTY);
    reader.readFirst(channel, CallOptions.DEFAULT, "fail");
    assertEnded(null);
  }

  @ParameterizedTest
  @MethodSource("readers")
  void aStreamThatIsLeftEndsWithItsChannel(Transport transport, Reader reader) throws Exception {
    ManagedChannel channel = connect(transport);
    Object left = reader.readFirst(channel, CallOptions.DEFAULT, "hang");
    channel.shutdownNow();
    assertEnded("UNAVAILABLE");
    Reference.reachabilityFence(left);
  }

  @ParameterizedTest
  @MethodSource("readers")
  void aStreamThatIsLeftEndsWithItsServer(Transport transport, Reader reader) throws Exception {
    ManagedChannel channel = connect(transport);
    Object left = reader.readFirst(channel, CallOptions.DEFAULT, "hang");
    servers.get(0).shutdownNow();
    // A server that is stopped over a socket resets its streams.
    assertEnded(transport == Transport.NETTY ? "CANCELLED" : "UNAVAILABLE");
    Reference.reachabilityFence(left);
  }

  @ParameterizedTest
  @MethodSource("readers")
  void aStreamThatIsLeftEndsWithItsContext(Transport transport, Reader reader) throws Exception {
    ManagedChannel channel = connect(transport);
    Context.CancellableContext context = Context.current().withCancellation();
    Object left = context.call(() -> reader.readFirst(channel, CallOptions.DEFAULT, "hang"));
    context.cancel(null);
    assertEnded("CANCELLED");
    Reference.reachabilityFence(left);
  }

  /** All of them at once, since a deadline takes its time. */
  @Test
  void aStreamThatIsLeftEndsWithItsDeadline() throws Exception {
    List<ManagedChannel> connected = new ArrayList<>();
    for (Transport transport : Transport.values()) {
      ManagedChannel channel = connect(transport);
      // Connects, which takes its time on a busy machine.
      ClientCalls.blockingServerStreamingCall(channel, STREAM, CallOptions.DEFAULT, "five")
          .forEachRemaining(answer -> {});
      connected.add(channel);
    }
    awaitWithGc("the connecting calls have ended", () -> count(durations()) == 2);
    telemetry.takeSpans(spans -> true);
    List<Object> left = new ArrayList<>();
    for (ManagedChannel channel : connected) {
      for (Reader reader : Reader.values()) {
        if (reader != Reader.BLOCKING_CALL || !IS_FLOOR) {
          CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(5, TimeUnit.SECONDS);
          left.add(reader.readFirst(channel, options, "hang"));
        }
      }
    }
    awaitWithGc("all calls have ended", () -> count(durations()) == 2 + left.size());
    Map<String, List<SpanData>> calls =
        telemetry.takeSpans(spans -> true).stream()
            .collect(Collectors.groupingBy(SpanData::getTraceId));
    assertThat(calls).hasSize(left.size());
    calls.values().forEach(segments -> assertLast(segments, "DEADLINE_EXCEEDED"));
  }

  /** Nothing is looked at within the hour; what waits for it must hold no call. */
  @ParameterizedTest
  @MethodSource("readers")
  void whatIsWatchedIsNotKept(Transport transport, Reader reader) throws Exception {
    assumeTrue(!IS_ORACLE, "not beside opentelemetry-grpc-1.6");
    try (Telemetry rare =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addProperty("telemetry.segment.limit", "1h")
            .build()) {
      ManagedChannel channel = connect(transport, null, GrpcTelemetry.create(rare));
      Context.CancellableContext context = Context.current().withCancellation();
      Reference<Object> left =
          new WeakReference<>(
              context.call(() -> reader.readFirst(channel, CallOptions.DEFAULT, "five")));
      Reference<Object> of = new WeakReference<>(context);
      context = null;
      awaitWithGc("the call is let go", () -> left.refersTo(null) && of.refersTo(null));
    }
  }

  @Test
  void aReaderThatComesBackReadsItAll() throws Exception {
    ManagedChannel channel = connect(Transport.NETTY);
    Iterator<String> answers =
        ClientCalls.blockingServerStreamingCall(channel, STREAM, CallOptions.DEFAULT, "five");
    assertThat(answers.next()).isEqualTo("answer 0");
    assertEnded(null);
    List<String> rest = new ArrayList<>();
    answers.forEachRemaining(rest::add);
    assertThat(rest).containsExactly("answer 1", "answer 2", "answer 3", "answer 4");
  }

  /** As long as its messages are read, a stream goes on, be it ever so slowly. */
  @Test
  void aReaderThatTakesItsTimeHasTheStatus() throws Exception {
    ManagedChannel channel = connect(Transport.NETTY);
    Iterator<String> answers =
        ClientCalls.blockingServerStreamingCall(channel, STREAM, CallOptions.DEFAULT, "five");
    List<SpanData> spans = new ArrayList<>();
    while (answers.hasNext()) {
      answers.next();
      if (spans.size() < 4) {
        spans.add(telemetry.takeSpan());
      }
    }
    awaitWithGc("the call has ended", () -> durations().size() == 1);
    spans.addAll(telemetry.takeSpans(rest -> true));
    assertLast(spans, "OK");
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void aServersStreamEndsThoughItsHandlerNeverReturns(Transport transport) throws Exception {
    ManagedChannel channel = connect(transport, GrpcTelemetry.create(telemetry.telemetry()), null);
    Context.CancellableContext context = Context.current().withCancellation();
    context.call(() -> Reader.ITERATOR.readFirst(channel, CallOptions.DEFAULT, "block"));
    context.cancel(null);
    awaitWithGc(
        "the server's call has ended", () -> points("rpc.server.call.duration").size() == 1);
    List<SpanData> spans = telemetry.takeSpans(all -> true);
    SpanData last = assertLast(spans, "CANCELLED");
    assertThat(last.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(last.getAttributes().get(stringKey("error.type"))).isNull();
  }

  private void assertEnded(@Nullable String code) {
    awaitWithGc("the call has ended", () -> durations().size() == 1);
    SpanData last = assertLast(telemetry.takeSpans(spans -> true), code);
    assertThat(last.getKind()).isEqualTo(SpanKind.CLIENT);
    // An iterator asks for one in advance.
    assertThat(last.getAttributes().get(longKey("grpc.received.message_count"))).isBetween(1L, 2L);
    HistogramPointData point = durations().get(0);
    assertThat(point.getCount()).isEqualTo(1);
    for (Attributes attributes : List.of(last.getAttributes(), point.getAttributes())) {
      assertThat(attributes.get(stringKey("rpc.response.status_code"))).isEqualTo(code);
      assertThat(attributes.get(stringKey("error.type"))).isEqualTo(code);
    }
    assertThat(last.getStatus().getStatusCode())
        .isEqualTo(code == null ? StatusCode.UNSET : StatusCode.ERROR);
  }

  private static SpanData assertLast(List<SpanData> segments, @Nullable String code) {
    SpanData last = segments.get(segments.size() - 1);
    for (SpanData segment : segments) {
      assertThat(segment.getAttributes().get(stringKey("rpc.response.status_code")))
          .isEqualTo(segment == last ? code : null);
    }
    return last;
  }

  private static List<HistogramPointData> durations() {
    return points("rpc.client.call.duration");
  }

  private static List<HistogramPointData> points(String metric) {
    return telemetry.metrics().stream()
        .filter(recorded -> recorded.getName().equals(metric))
        .flatMap(recorded -> recorded.getHistogramData().getPoints().stream())
        .toList();
  }

  private static long count(List<HistogramPointData> points) {
    return points.stream().mapToLong(HistogramPointData::getCount).sum();
  }

  private static void awaitWithGc(String condition, BooleanSupplier holds) {
    long deadline = System.nanoTime() + TIMEOUT_NANOS;
    while (!holds.getAsBoolean()) {
      assertThat(System.nanoTime()).as(condition).isLessThan(deadline);
      System.gc();
      LockSupport.parkNanos(20_000_000);
    }
  }
}
