// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.inprocess.InProcessSocketAddress;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

@DisabledIfSystemProperty(
    named = "grpc.floor",
    matches = ".+",
    disabledReason = "Matrices of scenarios run on one gRPC")
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class InProcessTransparencyTest extends GrpcTransparencyKit {

  @Override
  ServerBuilder<?> server() {
    return InProcessServerBuilder.forName(InProcessServerBuilder.generateName());
  }

  @Override
  ManagedChannelBuilder<?> channel(Server server) {
    InProcessSocketAddress address = (InProcessSocketAddress) server.getListenSockets().get(0);
    return InProcessChannelBuilder.forName(address.getName());
  }
}
