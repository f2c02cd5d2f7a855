// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import dev.throughline.telemetry.Telemetry;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;

/** A process that opens a stream and never ends it; it prints the spans that it exports. */
final class OpenStream {

  private OpenStream() {}

  public static void main(String[] args) throws Exception {
    Telemetry telemetry = Telemetry.init("open-stream");
    GrpcTelemetry grpc = GrpcTelemetry.create(telemetry);
    NettyServerBuilder serverBuilder =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0));
    serverBuilder.addService(
        ServerServiceDefinition.builder("test.Service")
            .addMethod(
                GrpcKit.descriptor(
                    io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING, "test.Service/Stream"),
                ServerCalls.asyncBidiStreamingCall(OpenStream::ignoring))
            .build());
    grpc.configure(serverBuilder);
    Server server = serverBuilder.build().start();
    ManagedChannelBuilder<?> channelBuilder =
        ManagedChannelBuilder.forAddress("localhost", server.getPort()).usePlaintext();
    grpc.configure(channelBuilder);
    ManagedChannel channel = channelBuilder.build();
    ClientCall<String, String> call =
        channel.newCall(
            GrpcKit.descriptor(
                io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING, "test.Service/Stream"),
            CallOptions.DEFAULT);
    call.start(new ClientCall.Listener<>() {}, new Metadata());
    call.sendMessage("hello");
    new CountDownLatch(1).await();
  }

  private static StreamObserver<String> ignoring(StreamObserver<String> answer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(String message) {}

      @Override
      public void onError(Throwable t) {}

      @Override
      public void onCompleted() {}
    };
  }
}
