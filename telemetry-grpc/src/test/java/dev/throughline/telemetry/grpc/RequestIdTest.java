// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.Contexts;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A request's id in the metadata of calls, on its way from service to service, and back. */
class RequestIdTest {

  @RegisterExtension
  static final TelemetryExtension telemetry =
      TelemetryExtension.builder()
          .addProperty("telemetry.request.id.header", "X-Request-Id")
          .build();

  private static final Metadata.Key<String> ID =
      Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);
  private static final MethodDescriptor<String, String> FRONT =
      GrpcKit.descriptor(MethodType.UNARY, "test.Service/Front");
  private static final MethodDescriptor<String, String> BACK =
      GrpcKit.descriptor(MethodType.UNARY, "test.Service/Back");
  private static final MethodDescriptor<String, String> FAILS =
      GrpcKit.descriptor(MethodType.UNARY, "test.Service/Fails");
  // Of a constant exception, so that one answer's id could come with the next.
  private static final StatusRuntimeException REFUSED =
      Status.NOT_FOUND.asRuntimeException(new Metadata());

  private final List<String> received = new ArrayList<>();
  private Server server;
  private ManagedChannel traced;
  private ManagedChannel plain;

  @BeforeEach
  void start() throws Exception {
    GrpcTelemetry grpc = GrpcTelemetry.create(telemetry.telemetry());
    String name = InProcessServerBuilder.generateName();
    ServerInterceptor receiving =
        new ServerInterceptor() {
          @Override
          public <Q, S> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            String name = call.getMethodDescriptor().getFullMethodName();
            received.add(name + " " + headers.get(ID));
            return Contexts.interceptCall(io.grpc.Context.current(), call, headers, next);
          }
        };
    server =
        InProcessServerBuilder.forName(name)
            .addService(
                ServerServiceDefinition.builder("test.Service")
                    .addMethod(
                        FRONT,
                        ServerCalls.asyncUnaryCall(
                            (request, answer) -> {
                              answer.onNext(call(traced, BACK));
                              answer.onCompleted();
                            }))
                    .addMethod(
                        BACK,
                        ServerCalls.asyncUnaryCall(
                            (request, answer) -> {
                              answer.onNext(request);
                              answer.onCompleted();
                            }))
                    .addMethod(
                        FAILS,
                        ServerCalls.asyncUnaryCall((request, answer) -> answer.onError(REFUSED)))
                    .build())
            .intercept(receiving)
            .intercept(grpc.serverInterceptor())
            .build()
            .start();
    traced = InProcessChannelBuilder.forName(name).intercept(grpc.clientInterceptor()).build();
    plain = InProcessChannelBuilder.forName(name).build();
  }

  @AfterEach
  void stop() throws InterruptedException {
    for (ManagedChannel channel : List.of(plain, traced)) {
      channel.shutdownNow();
      channel.awaitTermination(10, TimeUnit.SECONDS);
    }
    server.shutdownNow();
    server.awaitTermination();
  }

  private static String call(Channel channel, MethodDescriptor<String, String> method) {
    return ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, "hello");
  }

  private static ClientInterceptor sending(String id) {
    Metadata headers = new Metadata();
    headers.put(ID, id);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /** The ids in headers and trailers of the answer to a call. */
  private String echoed(MethodDescriptor<String, String> method, String id) {
    AtomicReference<Metadata> headers = new AtomicReference<>();
    AtomicReference<Metadata> trailers = new AtomicReference<>();
    Channel channel =
        io.grpc.ClientInterceptors.intercept(
            plain, sending(id), MetadataUtils.newCaptureMetadataInterceptor(headers, trailers));
    if (method == FAILS) {
      assertThatThrownBy(() -> call(channel, method)).hasMessage("NOT_FOUND");
    } else {
      assertThat(call(channel, method)).isEqualTo("hello");
    }
    return idOf(headers.get()) + ", " + idOf(trailers.get());
  }

  private static String idOf(Metadata metadata) {
    return metadata == null ? null : metadata.get(ID);
  }

  @Test
  void goesThroughAllServices() {
    assertThat(echoed(FRONT, "r-1")).isEqualTo("r-1, null");
    assertThat(received).containsExactly("test.Service/Front r-1", "test.Service/Back r-1");
    assertThat(telemetry)
        .tree(
            """
            test.Service/Front  SERVER request.id=r-1
              test.Service/Back  CLIENT request.id=r-1
                test.Service/Back  SERVER request.id=r-1
            """);
  }

  @Test
  void anErrorHasItInItsTrailers() {
    assertThat(echoed(FAILS, "r-1")).isEqualTo("null, r-1");
    assertThat(echoed(FAILS, "r-2")).isEqualTo("null, r-2");
    assertThat(REFUSED.getTrailers().containsKey(ID)).isFalse();
    telemetry.takeSpans(2);
  }

  @Test
  void whatIsNoIdIsReplaced() {
    assertThat(echoed(BACK, "x".repeat(129))).hasSize(36 + ", null".length());
    telemetry.takeSpan();
  }

  @Test
  void whatTheApplicationSendsStands() {
    telemetry
        .telemetry()
        .span("work")
        .run(() -> call(io.grpc.ClientInterceptors.intercept(traced, sending("own")), FRONT));
    assertThat(received).containsExactly("test.Service/Front own", "test.Service/Back own");
    telemetry.takeSpans(5);
  }
}
