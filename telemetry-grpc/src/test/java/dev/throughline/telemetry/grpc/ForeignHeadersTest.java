// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** A propagator whose fields are any that metadata may have or not. */
class ForeignHeadersTest {

  private static final MethodDescriptor<String, String> ECHO =
      GrpcKit.descriptor(MethodType.UNARY, "test.Service/Echo");

  @Test
  void whatMetadataCantHaveIsLeftOutAndTheRestIsSent() throws Exception {
    AtomicReference<Set<String>> received = new AtomicReference<>(Set.of());
    ServerInterceptor receiving =
        new ServerInterceptor() {
          @Override
          public <Q, S> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            received.set(headers.keys());
            return next.startCall(call, headers);
          }
        };
    Telemetry telemetry =
        Telemetry.of(
            OpenTelemetrySdk.builder()
                .setPropagators(ContextPropagators.create(new Foreign()))
                .build());
    GrpcTelemetry grpc = GrpcTelemetry.create(telemetry);
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(
                ServerServiceDefinition.builder("test.Service")
                    .addMethod(
                        ECHO,
                        ServerCalls.asyncUnaryCall(
                            (request, answers) -> {
                              answers.onNext(request);
                              answers.onCompleted();
                            }))
                    .build())
            .intercept(receiving);
    grpc.configure(builder);
    Server server = builder.build().start();
    NettyChannelBuilder to =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext();
    grpc.configure(to);
    ManagedChannel channel = to.build();
    try {
      assertThat(ClientCalls.blockingUnaryCall(channel, ECHO, CallOptions.DEFAULT, "hello"))
          .isEqualTo("hello");
    } finally {
      channel.shutdownNow();
      server.shutdownNow().awaitTermination();
    }
    Set<String> foreign = new TreeSet<>(received.get());
    foreign.removeIf(name -> name.matches("content-type|user-agent|grpc-.*encoding"));
    assertThat(foreign).containsExactly("b3", "last", "x-upper");
  }

  private static final class Foreign implements TextMapPropagator {

    @Override
    public Collection<String> fields() {
      return List.of("b3", "grpc-trace-bin", ":path", "a b", "X-Upper", "last");
    }

    @Override
    public <C> void inject(Context context, C carrier, TextMapSetter<C> to) {
      to.set(carrier, "b3", "0");
      to.set(carrier, "grpc-trace-bin", "AAAA");
      to.set(carrier, ":path", "/evil");
      to.set(carrier, "a b", "value");
      to.set(carrier, "control", "a\r\nb");
      to.set(carrier, "non-ascii", "\u00e9");
      to.set(carrier, "large", "x".repeat(1_000_000));
      to.set(carrier, "null", null);
      to.set(carrier, null, "value");
      to.set(carrier, "X-Upper", "value");
      to.set(carrier, "last", "value");
    }

    @Override
    public <C> Context extract(Context context, C carrier, TextMapGetter<C> getter) {
      for (String field : fields()) {
        getter.get(carrier, field);
      }
      getter.get(carrier, "not in fields-bin");
      return context;
    }
  }
}
