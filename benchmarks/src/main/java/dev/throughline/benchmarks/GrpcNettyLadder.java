// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * A unary call over loopback. Hand-overs between threads and the network stack are in every row, so
 * the bytes tell more than the times.
 */
public class GrpcNettyLadder extends GrpcLadder {

  /** For JMH. */
  public GrpcNettyLadder() {}

  @Override
  ServerBuilder<?> serverBuilder() {
    return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .directExecutor();
  }

  @Override
  ManagedChannelBuilder<?> channelBuilder(Server server) {
    return ManagedChannelBuilder.forAddress("localhost", server.getPort())
        .usePlaintext()
        .directExecutor();
  }

  @Override
  int call(ManagedChannel channel) {
    return unary(channel);
  }
}
