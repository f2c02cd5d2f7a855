// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;

/** A stream of sixteen messages each way, all of it on the calling thread. */
public class GrpcStreamLadder extends GrpcLadder {

  private final String name = InProcessServerBuilder.generateName();

  /** For JMH. */
  public GrpcStreamLadder() {}

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
    return stream(channel);
  }
}
