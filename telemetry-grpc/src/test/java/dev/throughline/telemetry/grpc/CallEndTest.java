// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.HandlerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.grpc.util.TransmitStatusRuntimeExceptionInterceptor;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls whose end nobody hears, or that end otherwise than by an answer. */
class CallEndTest {

  private static final MethodDescriptor<String, String> UNARY =
      GrpcKit.descriptor(MethodType.UNARY, "test.Service/Unary");
  private static final MethodDescriptor<String, String> STREAM =
      GrpcKit.descriptor(MethodType.SERVER_STREAMING, "test.Service/Stream");
  private static final Metadata.Key<String> ID =
      Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);

  // A minute of them: a call that has not ended by then is recorded for ever.
  private static final int MOST_SEGMENTS = 600;

  @RegisterExtension
  static final TelemetryExtension telemetry =
      TelemetryExtension.builder()
          .addProperty("telemetry.request.id.header", "X-Request-Id")
          .addProperty("telemetry.segment.limit", "100ms")
          .build();

  private final GrpcTelemetry grpc = GrpcTelemetry.create(telemetry.telemetry());
  private final List<Server> servers = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();

  @AfterEach
  void stop() throws InterruptedException {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
    for (Server server : servers) {
      server.shutdownNow().awaitTermination();
    }
  }

  private static void answer(String request, StreamObserver<String> answers) {
    switch (request) {
      case "throw" -> throw new IllegalStateException("of the handler");
      case "refuse" -> throw Status.NOT_FOUND.withDescription("no such").asRuntimeException();
      case "hang" -> answers.onNext("the only one");
      default -> {
        answers.onNext("answer to " + request);
        answers.onCompleted();
      }
    }
  }

  private Server server(Consumer<ServerBuilder<?>> more) throws IOException {
    ServerBuilder<?> builder =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(
                ServerServiceDefinition.builder("test.Service")
                    .addMethod(UNARY, ServerCalls.asyncUnaryCall(CallEndTest::answer))
                    .addMethod(STREAM, ServerCalls.asyncServerStreamingCall(CallEndTest::answer))
                    .build());
    more.accept(builder);
    Server server = builder.build().start();
    servers.add(server);
    return server;
  }

  private ManagedChannel channel(Server server, boolean traced) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext();
    if (traced) {
      grpc.configure(builder);
    }
    ManagedChannel channel = builder.build();
    channels.add(channel);
    return channel;
  }

  private static String call(Channel channel, String request) {
    return ClientCalls.blockingUnaryCall(channel, UNARY, CallOptions.DEFAULT, request);
  }

  @Test
  void anIteratorThatIsLeftEarlyEndsWithItsChannel() throws Exception {
    ManagedChannel channel = channel(server(builder -> {}), true);
    assertThat(
            ClientCalls.blockingServerStreamingCall(channel, STREAM, CallOptions.DEFAULT, "hang")
                .next())
        .isEqualTo("the only one");
    channel.shutdownNow();
    assertThat(lastStatus()).isEqualTo("UNAVAILABLE");
  }

  @Test
  void anIteratorThatIsLeftEarlyEndsWithItsServer() throws Exception {
    Server server = server(builder -> {});
    ManagedChannel channel = channel(server, true);
    assertThat(
            ClientCalls.blockingServerStreamingCall(channel, STREAM, CallOptions.DEFAULT, "hang")
                .next())
        .isEqualTo("the only one");
    server.shutdownNow();
    assertThat(lastStatus()).isIn("UNAVAILABLE", "CANCELLED");
  }

  @Test
  void anIteratorThatIsLeftEarlyEndsWithItsDeadline() throws Exception {
    ManagedChannel channel = channel(server(builder -> {}), true);
    // Connects, which takes its time on a busy machine.
    call(channel, "hello");
    telemetry.takeSpan();
    assertThat(
            ClientCalls.blockingServerStreamingCall(
                    channel,
                    STREAM,
                    CallOptions.DEFAULT.withDeadlineAfter(3, TimeUnit.SECONDS),
                    "hang")
                .next())
        .isEqualTo("the only one");
    assertThat(lastStatus()).isEqualTo("DEADLINE_EXCEEDED");
  }

  /** A call that goes on for a while has segments before its end. */
  private static @Nullable String lastStatus() {
    String status = null;
    for (int segment = 0; segment < MOST_SEGMENTS && status == null; segment++) {
      status = status(telemetry.takeSpan());
    }
    return status;
  }

  private static @Nullable String status(SpanData span) {
    return span.getAttributes().get(stringKey("rpc.response.status_code"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"throw", "refuse"})
  void aHandlerThatThrowsIsAnsweredWithTheRequestIdAndElseAsBare(String request) throws Exception {
    StatusRuntimeException bare = refused(server(builder -> {}), request);
    StatusRuntimeException traced = refused(server(grpc::configure), request);
    assertThat(traced.getStatus().getCode()).isEqualTo(bare.getStatus().getCode());
    assertThat(traced.getStatus().getDescription()).isEqualTo(bare.getStatus().getDescription());
    SpanData span = telemetry.takeSpan();
    assertThat(traced.getTrailers().get(ID)).isEqualTo(span.getAttributes().get(id()));
    assertThat(bare.getTrailers().keys())
        .isSubsetOf(traced.getTrailers().keys())
        .doesNotContain("x-request-id");
    assertThat(status(span)).isEqualTo("UNKNOWN");
  }

  private static AttributeKey<String> id() {
    return stringKey("request.id");
  }

  private StatusRuntimeException refused(Server server, String request) {
    StatusRuntimeException[] refused = new StatusRuntimeException[1];
    assertThatThrownBy(() -> call(channel(server, false), request))
        .isInstanceOfSatisfying(StatusRuntimeException.class, thrown -> refused[0] = thrown);
    return refused[0];
  }

  @Test
  void anInterceptorAroundOursStillAnswersForAHandlerThatThrows() throws Exception {
    ServerInterceptor mapper = TransmitStatusRuntimeExceptionInterceptor.instance();
    StatusRuntimeException refused =
        refused(
            server(
                builder -> {
                  grpc.configure(builder);
                  builder.intercept(mapper);
                }),
            "refuse");
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(refused.getStatus().getDescription()).isEqualTo("no such");
    telemetry.takeSpan();
  }

  @Test
  void anInterceptorThatCatchesAroundOursAloneAnswersAsBare() throws Exception {
    ServerInterceptor catching =
        new ServerInterceptor() {
          @Override
          public <Q, S> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            ServerCall.Listener<Q> inner = next.startCall(call, headers);
            return new ServerCall.Listener<>() {
              @Override
              public void onMessage(Q message) {
                inner.onMessage(message);
              }

              @Override
              public void onHalfClose() {
                try {
                  inner.onHalfClose();
                } catch (IllegalStateException e) {
                  call.close(Status.ABORTED.withDescription(e.getMessage()), new Metadata());
                }
              }
            };
          }
        };
    StatusRuntimeException refused =
        refused(
            server(
                builder -> {
                  grpc.configure(builder);
                  builder.intercept(catching);
                }),
            "throw");
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.ABORTED);
    assertThat(refused.getStatus().getDescription()).isEqualTo("of the handler");
    telemetry.takeSpan();
  }

  @Test
  void anInterceptorThatIsPutInTwiceRecordsOnce() throws Exception {
    GrpcTelemetry again = GrpcTelemetry.create(telemetry.telemetry());
    ServerInterceptor between =
        new ServerInterceptor() {
          @Override
          public <Q, S> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            return io.grpc.Contexts.interceptCall(io.grpc.Context.current(), call, headers, next);
          }
        };
    Server server =
        server(
            builder -> {
              grpc.configure(builder);
              builder.intercept(between);
              again.configure(builder);
              grpc.configure(builder);
            });
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext();
    grpc.configure(builder);
    again.configure(builder);
    grpc.configure(builder);
    ManagedChannel channel = builder.build();
    channels.add(channel);
    assertThat(call(channel, "hello")).isEqualTo("answer to hello");
    List<SpanData> spans = telemetry.takeSpans(2);
    assertThat(spans)
        .extracting(SpanData::getKind)
        .containsExactlyInAnyOrder(SpanKind.CLIENT, SpanKind.SERVER);
  }

  @Test
  void aCallWithinACallIsNoneThatIsRecordedAlready() throws Exception {
    ManagedChannel back = channel(server(grpc::configure), true);
    MethodDescriptor<String, String> front =
        GrpcKit.descriptor(MethodType.UNARY, "test.Front/Unary");
    String name = InProcessServerBuilder.generateName();
    InProcessServerBuilder builder = InProcessServerBuilder.forName(name).directExecutor();
    builder.addService(
        ServerServiceDefinition.builder("test.Front")
            .addMethod(
                front,
                ServerCalls.asyncUnaryCall(
                    (String request, StreamObserver<String> answers) ->
                        answer(call(back, request), answers)))
            .build());
    grpc.configure(builder);
    servers.add(builder.build().start());
    ManagedChannel channel =
        InProcessChannelBuilder.forName(name)
            .directExecutor()
            .intercept(grpc.clientInterceptor())
            .build();
    channels.add(channel);
    ClientCalls.blockingUnaryCall(channel, front, CallOptions.DEFAULT, "hello");
    assertThat(telemetry.takeSpans(4))
        .extracting(SpanData::getKind)
        .containsExactlyInAnyOrder(
            SpanKind.CLIENT, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.SERVER);
  }

  @Test
  void aNameThatOnlyAStrangerKnowsIsNoneOfAMetric() throws Exception {
    HandlerRegistry any =
        new HandlerRegistry() {
          @Override
          public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
            return ServerMethodDefinition.create(
                GrpcKit.descriptor(MethodType.UNARY, name),
                ServerCalls.asyncUnaryCall(
                    (String request, StreamObserver<String> answers) ->
                        answers.onError(Status.UNIMPLEMENTED.asRuntimeException())));
          }
        };
    Server server =
        server(
            builder -> {
              builder.fallbackHandlerRegistry(any);
              grpc.configure(builder);
            });
    ManagedChannel channel = channel(server, false);
    for (int i = 0; i < 3; i++) {
      MethodDescriptor<String, String> evil =
          GrpcKit.descriptor(MethodType.UNARY, "evil.Service" + i + "/Method");
      assertThatThrownBy(
              () -> ClientCalls.blockingUnaryCall(channel, evil, CallOptions.DEFAULT, "x"))
          .isInstanceOf(StatusRuntimeException.class);
    }
    call(channel, "hello");
    telemetry.takeSpans(4);
    List<String> methods =
        telemetry
            .metric(
                "rpc.server.call.duration",
                metric -> metric.getHistogramData().getPoints().size() > 1)
            .getHistogramData()
            .getPoints()
            .stream()
            .map(point -> point.getAttributes().get(stringKey("rpc.method")))
            .toList();
    assertThat(methods)
        .contains("_OTHER", "test.Service/Unary")
        .noneMatch(method -> method.startsWith("evil"));
  }

  @Test
  void telemetryOfAnotherIsRecordedBeside() throws Exception {
    try (Telemetry off =
        Telemetry.builder().ignoreEnvironment().addProperty("otel.sdk.disabled", "true").build()) {
      GrpcTelemetry others = GrpcTelemetry.create(off);
      Server server =
          server(
              builder -> {
                grpc.configure(builder);
                others.configure(builder);
              });
      assertThat(call(channel(server, false), "hello")).isEqualTo("answer to hello");
      telemetry.takeSpan();
    }
  }
}
