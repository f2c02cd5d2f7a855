// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;

/** A unary call, all of it on the calling thread. */
public class GrpcInProcessLadder extends GrpcLadder {

  private final String name = InProcessServerBuilder.generateName();

  /** For JMH. */
  public GrpcInProcessLadder() {}

  @Override
  ServerBuilder<?> serverBuilder() {
    return InProcessServerBuilder.forName(name).directExecutor();
  }

  @Override
  ManagedChannelBuilder<?> channelBuilder(Server server) {
    return InProcessChannelBuilder.forName(name).directExecutor();
  }

  @Override
  int call(ManagedChannel channel) {
    return unary(channel);
  }
}
