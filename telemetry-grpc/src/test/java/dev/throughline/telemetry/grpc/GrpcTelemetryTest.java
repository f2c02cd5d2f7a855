// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.management.ThreadMXBean;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class GrpcTelemetryTest {

  private static final MethodDescriptor<String, String> ECHO =
      GrpcKit.descriptor(MethodType.UNARY, "test.Service/Echo");
  private static final MethodDescriptor<String, String> REFLECTION =
      GrpcKit.descriptor(
          MethodType.UNARY, "grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  private static final MethodDescriptor<String, String> CHANNELZ =
      GrpcKit.descriptor(MethodType.UNARY, "grpc.channelz.v1.Channelz/GetTopChannels");

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  private final List<AutoCloseable> opened = new ArrayList<>();
  private String name = "";

  @AfterEach
  void close() throws Exception {
    for (int i = opened.size(); i-- > 0; ) {
      opened.get(i).close();
    }
  }

  /** Serves echoes through these interceptors, the first of them first. */
  private void serve(ServerCalls.UnaryMethod<String, String> handler, ServerInterceptor... before)
      throws Exception {
    name = InProcessServerBuilder.generateName();
    InProcessServerBuilder builder = InProcessServerBuilder.forName(name);
    for (MethodDescriptor<String, String> method : List.of(ECHO, REFLECTION, CHANNELZ)) {
      ServerServiceDefinition definition =
          ServerServiceDefinition.builder(method.getServiceName())
              .addMethod(method, ServerCalls.asyncUnaryCall(handler))
              .build();
      builder.addService(ServerInterceptors.interceptForward(definition, before));
    }
    Server server = builder.build().start();
    opened.add(
        () -> {
          server.shutdownNow();
          server.awaitTermination();
        });
  }

  private void serveEchoes(ServerInterceptor... before) throws Exception {
    serve(
        (request, answer) -> {
          answer.onNext(request);
          answer.onCompleted();
        },
        before);
  }

  /** A channel with these interceptors, the last of them first. */
  private ManagedChannel channel(ClientInterceptor... interceptors) {
    ManagedChannel channel = InProcessChannelBuilder.forName(name).intercept(interceptors).build();
    opened.add(
        () -> {
          channel.shutdownNow();
          channel.awaitTermination(10, TimeUnit.SECONDS);
        });
    return channel;
  }

  private static String echo(Channel channel, String message) {
    return ClientCalls.blockingUnaryCall(channel, ECHO, CallOptions.DEFAULT, message);
  }

  private GrpcTelemetry grpc() {
    return GrpcTelemetry.create(telemetry.telemetry());
  }

  @Test
  void stubsAreOneTrace() throws Exception {
    serve(
        (request, answer) -> {
          telemetry.telemetry().span("handler").run(() -> answer.onNext(request));
          answer.onCompleted();
        },
        grpc().serverInterceptor());
    ManagedChannel channel = channel(grpc().clientInterceptor());
    telemetry
        .telemetry()
        .span("work")
        .run(() -> assertThat(echo(channel, "hello")).isEqualTo("hello"));

    assertThat(telemetry)
        .tree(
            """
            work
              test.Service/Echo  CLIENT
                test.Service/Echo  SERVER
                  handler
            """);
  }

  @Test
  void anInterceptorAfterUsThatThrowsIsAnErrorOfItsCall() throws Exception {
    serveEchoes(grpc().serverInterceptor());
    IllegalStateException thrown = new IllegalStateException("made by the test");
    ClientInterceptor throwing =
        new ClientInterceptor() {
          @Override
          public <Q, S> ClientCall<Q, S> interceptCall(
              MethodDescriptor<Q, S> method, CallOptions options, Channel next) {
            throw thrown;
          }
        };
    ManagedChannel channel = channel(throwing, grpc().clientInterceptor());
    assertThatThrownBy(() -> echo(channel, "hello")).isSameAs(thrown);

    assertThat(telemetry)
        .tree(
            """
            test.Service/Echo  CLIENT ERROR error.type=java.lang.IllegalStateException \
            rpc.response.status_code=UNKNOWN
            """);
  }

  @Test
  void aStartThatThrowsIsAnErrorOfItsCall() throws Exception {
    serveEchoes(grpc().serverInterceptor());
    IllegalStateException thrown = new IllegalStateException("made by the test");
    ClientInterceptor throwing =
        new ClientInterceptor() {
          @Override
          public <Q, S> ClientCall<Q, S> interceptCall(
              MethodDescriptor<Q, S> method, CallOptions options, Channel next) {
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
              @Override
              public void start(Listener<S> listener, Metadata headers) {
                assertThat(Span.current().getSpanContext().isValid()).isTrue();
                throw thrown;
              }
            };
          }
        };
    ManagedChannel channel = channel(throwing, grpc().clientInterceptor());
    ClientCall<String, String> call = channel.newCall(ECHO, CallOptions.DEFAULT);
    assertThatThrownBy(() -> call.start(new ClientCall.Listener<>() {}, new Metadata()))
        .isSameAs(thrown);

    assertThat(telemetry)
        .tree(
            """
            test.Service/Echo  CLIENT ERROR error.type=java.lang.IllegalStateException
            """);
    assertThat(Context.current()).isSameAs(Context.root());
  }

  @Test
  void aClientsListenerThatThrowsEndsItsCallAsItDoesWithoutUs() throws Exception {
    serveEchoes(grpc().serverInterceptor());
    assertThat(closeOfAThrowingListener(channel())).isEqualTo(Status.Code.CANCELLED);
    // The server's span of the call that we did not send.
    telemetry.takeSpan();
    assertThat(closeOfAThrowingListener(channel(grpc().clientInterceptor())))
        .isEqualTo(Status.Code.CANCELLED);

    SpanData client =
        telemetry.takeSpans(2).stream()
            .filter(span -> span.getKind() == io.opentelemetry.api.trace.SpanKind.CLIENT)
            .findFirst()
            .orElseThrow();
    assertThat(client.getAttributes().get(GrpcKeys.ERROR_TYPE)).isEqualTo("CANCELLED");
    assertThat(client.getEvents()).extracting("name").containsExactly("exception");
  }

  private static Status.Code closeOfAThrowingListener(Channel channel) throws Exception {
    AtomicReference<Status> closed = new AtomicReference<>();
    java.util.concurrent.CountDownLatch done = new java.util.concurrent.CountDownLatch(1);
    ClientCall<String, String> call = channel.newCall(ECHO, CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(String message) {
            throw new IllegalStateException("made by the test");
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            closed.set(status);
            done.countDown();
          }
        },
        new Metadata());
    call.request(2);
    call.sendMessage("hello");
    call.halfClose();
    assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
    return closed.get().getCode();
  }

  @Test
  void anInterceptorOfAServerAfterUsThatThrowsIsAnErrorOfTheServer() throws Exception {
    ServerInterceptor throwing =
        new ServerInterceptor() {
          @Override
          public <Q, S> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            throw Status.UNAUTHENTICATED.withDescription("no token").asRuntimeException();
          }
        };
    serveEchoes(grpc().serverInterceptor(), throwing);
    ManagedChannel channel = channel();
    assertThatThrownBy(() -> echo(channel, "hello"))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED));

    assertThat(telemetry)
        .tree(
            """
            test.Service/Echo  SERVER ERROR error.type=io.grpc.StatusRuntimeException \
            rpc.response.status_code=UNAUTHENTICATED
            """);
  }

  @Test
  void aMessageThatIsNotTakenIsNotCounted() throws Exception {
    List<Throwable> refused = new CopyOnWriteArrayList<>();
    ServerInterceptor beforeItsHeaders =
        new ServerInterceptor() {
          @Override
          public <Q, S> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            refused.add(catchThrowable(() -> call.sendMessage(null)));
            return next.startCall(call, headers);
          }
        };
    CompletableFuture<StreamObserver<String>> asked = new CompletableFuture<>();
    serve(
        (request, answer) -> asked.complete(answer), grpc().serverInterceptor(), beforeItsHeaders);
    ClientCall<String, String> call =
        channel(grpc().clientInterceptor()).newCall(ECHO, CallOptions.DEFAULT);
    call.start(new ClientCall.Listener<>() {}, new Metadata());
    call.request(2);
    call.sendMessage("hello");
    call.halfClose();
    refused.add(catchThrowable(() -> call.sendMessage("late")));
    StreamObserver<String> answer = asked.get(10, TimeUnit.SECONDS);
    answer.onNext("hello");
    answer.onCompleted();

    assertThat(telemetry.takeSpans(2))
        .extracting(
            span -> span.getAttributes().get(AttributeKey.longKey("grpc.sent.message_count")))
        .containsOnly(1L);
    assertThat(refused).hasSize(2).hasOnlyElementsOfType(IllegalStateException.class);
  }

  @Test
  void brokenTransportsCostAttributesAndNothingElse() throws Exception {
    ServerInterceptor broken =
        new ServerInterceptor() {
          @Override
          public <Q, S> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            return next.startCall(
                new SimpleForwardingServerCall<>(call) {
                  @Override
                  public String getAuthority() {
                    throw new NoSuchMethodError("made by the test");
                  }

                  @Override
                  public Attributes getAttributes() {
                    throw new NoSuchMethodError("made by the test");
                  }
                },
                headers);
          }
        };
    serveEchoes(broken, grpc().serverInterceptor());
    ManagedChannel channel = channel();
    Channel brokenChannel =
        new Channel() {
          @Override
          public <Q, S> ClientCall<Q, S> newCall(MethodDescriptor<Q, S> method, CallOptions o) {
            return new SimpleForwardingClientCall<>(channel.newCall(method, o)) {
              @Override
              public Attributes getAttributes() {
                throw new NoSuchMethodError("made by the test");
              }
            };
          }

          @Override
          public String authority() {
            throw new NoSuchMethodError("made by the test");
          }
        };
    Channel traced =
        io.grpc.ClientInterceptors.intercept(brokenChannel, grpc().clientInterceptor());
    assertThat(echo(traced, "hello")).isEqualTo("hello");

    telemetry.takeSpans(2);
    telemetry.expectWarn("Channel.authority");
    telemetry.expectWarn("ClientCall.getAttributes");
    telemetry.expectWarn("ServerCall.getAuthority");
    telemetry.expectWarn("ServerCall.getAttributes");
  }

  @Test
  void aPublicEdgeLinksWhatComesInAndLeavesItsBaggage() throws Exception {
    AtomicReference<String> baggage = new AtomicReference<>();
    serve(
        (request, answer) -> {
          baggage.set(String.valueOf(Baggage.current().getEntryValue("customer_id")));
          answer.onNext(request);
          answer.onCompleted();
        },
        GrpcTelemetry.builder(telemetry.telemetry())
            .setPublicEdge(true)
            .build()
            .serverInterceptor());
    ManagedChannel channel = channel(GrpcTelemetry.create(Telemetry.noop()).clientInterceptor());
    Map<String, String> cameIn =
        Map.of(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "baggage",
            "customer_id=c1");
    try (Scope ignored = Telemetry.noop().extract(cameIn).makeCurrent()) {
      echo(channel, "hello");
    }

    SpanData span = telemetry.takeSpan();
    assertThat(span.getTraceId()).isNotEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
    assertThat(span.getParentSpanContext().isValid()).isFalse();
    assertThat(span.getLinks())
        .extracting(LinkData::getSpanContext)
        .extracting("traceId")
        .containsExactly("4bf92f3577b34da6a3ce929d0e0e4736");
    assertThat(baggage).hasValue("null");
  }

  @Test
  void reflectionAndChannelzLeaveNothing() throws Exception {
    serveEchoes(grpc().serverInterceptor());
    ManagedChannel channel = channel(grpc().clientInterceptor());
    for (MethodDescriptor<String, String> method : List.of(REFLECTION, CHANNELZ)) {
      ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, "hello");
    }
    echo(channel, "hello");

    assertThat(telemetry.takeSpans(2)).extracting("name").containsOnly("test.Service/Echo");
  }

  @Test
  void theExcludedServicesAreTheServicesOwnChoice() throws Exception {
    GrpcTelemetry grpc =
        GrpcTelemetry.builder(telemetry.telemetry())
            .setExcludedServices(Set.of("test.Service"))
            .build();
    serveEchoes(grpc.serverInterceptor());
    ManagedChannel channel = channel(grpc.clientInterceptor());
    echo(channel, "hello");
    ClientCalls.blockingUnaryCall(channel, CHANNELZ, CallOptions.DEFAULT, "hello");

    assertThat(telemetry.takeSpans(2))
        .extracting("name")
        .containsOnly(CHANNELZ.getFullMethodName());
  }

  @Test
  void metadataThatIsSentTwiceHasOneContext() throws Exception {
    List<String> traceparents = new ArrayList<>();
    ServerInterceptor seeing =
        new ServerInterceptor() {
          @Override
          public <Q, S> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            headers
                .getAll(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER))
                .forEach(traceparents::add);
            return next.startCall(call, headers);
          }
        };
    serveEchoes(seeing);
    Metadata reused = new Metadata();
    ClientInterceptor reusing =
        new ClientInterceptor() {
          @Override
          public <Q, S> ClientCall<Q, S> interceptCall(
              MethodDescriptor<Q, S> method, CallOptions options, Channel next) {
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
              @Override
              public void start(Listener<S> listener, Metadata headers) {
                super.start(listener, reused);
              }
            };
          }
        };
    ManagedChannel channel = channel(grpc().clientInterceptor(), reusing);
    echo(channel, "one");
    echo(channel, "two");

    assertThat(traceparents)
        .containsExactlyElementsOf(
            telemetry.takeSpans(2).stream().map(GrpcTelemetryTest::traceparent).toList());
  }

  private static String traceparent(SpanData span) {
    return "00-%s-%s-%s"
        .formatted(
            span.getTraceId(), span.getSpanId(), span.getSpanContext().getTraceFlags().asHex());
  }

  /** A channel whose calls are all this one. */
  private static Channel channelOf(ClientCall<String, String> call) {
    return new Channel() {
      @Override
      @SuppressWarnings("unchecked") // the types are those of the only method
      public <Q, S> ClientCall<Q, S> newCall(MethodDescriptor<Q, S> method, CallOptions o) {
        return (ClientCall<Q, S>) call;
      }

      @Override
      public String authority() {
        return "localhost";
      }
    };
  }

  @Test
  void offTheCallIsTheChannelsOwn() {
    name = "nobody";
    ClientCall<String, String> call = channel().newCall(ECHO, CallOptions.DEFAULT);
    ClientInterceptor off = GrpcTelemetry.create(Telemetry.noop()).clientInterceptor();
    assertThat(off.interceptCall(ECHO, CallOptions.DEFAULT, channelOf(call))).isSameAs(call);
  }

  /** One of ten rounds: those before it may be interpreted, or be compiled while they run. */
  @Test
  void offTheInterceptorsAllocateNothing() {
    name = "nobody";
    Channel calls = channelOf(channel().newCall(ECHO, CallOptions.DEFAULT));
    GrpcTelemetry off = GrpcTelemetry.create(Telemetry.noop());
    ClientInterceptor client = off.clientInterceptor();
    ServerInterceptor server = off.serverInterceptor();
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("user-agent", Metadata.ASCII_STRING_MARSHALLER), "test");
    ServerCall.Listener<String> listener = new ServerCall.Listener<>() {};
    ServerCallHandler<String, String> handler = (served, received) -> listener;
    ServerCall<String, String> served = new UnansweredCall();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    long[] allocated = new long[10];
    for (int round = 0; round < allocated.length; round++) {
      // The bean's own call may allocate; its cost is measured and taken off.
      long bean = -threads.getThreadAllocatedBytes(thread);
      bean += threads.getThreadAllocatedBytes(thread);
      long before = threads.getThreadAllocatedBytes(thread);
      for (int i = 0; i < 20_000; i++) {
        client.interceptCall(ECHO, CallOptions.DEFAULT, calls);
        if (server.interceptCall(served, headers, handler) != listener) {
          throw new AssertionError("a listener of ours");
        }
      }
      allocated[round] = threads.getThreadAllocatedBytes(thread) - before - bean;
    }
    assertThat(allocated).contains(0L);
  }

  private static final class UnansweredCall extends ServerCall<String, String> {

    @Override
    public void request(int numMessages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(String message) {}

    @Override
    public void close(Status status, Metadata trailers) {}

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public MethodDescriptor<String, String> getMethodDescriptor() {
      return ECHO;
    }
  }

  @Test
  void refusesWrongArguments() {
    assertThatThrownBy(() -> GrpcTelemetry.builder(telemetry.telemetry()).setMessageEvents(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> GrpcTelemetry.create(null)).isInstanceOf(NullPointerException.class);
  }
}
