// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;

class InProcessTest extends GrpcKit {

  private String name = "";

  @Override
  ServerBuilder<?> server() {
    name = InProcessServerBuilder.generateName();
    return InProcessServerBuilder.forName(name);
  }

  @Override
  ManagedChannelBuilder<?> channel(Server server) {
    return InProcessChannelBuilder.forName(name);
  }
}
