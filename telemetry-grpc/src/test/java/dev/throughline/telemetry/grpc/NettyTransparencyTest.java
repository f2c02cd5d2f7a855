// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

@DisabledIfSystemProperty(
    named = "grpc.floor",
    matches = ".+",
    disabledReason = "Matrices of scenarios run on one gRPC")
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class NettyTransparencyTest extends GrpcTransparencyKit {

  @Override
  ServerBuilder<?> server() {
    return NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0));
  }

  @Override
  ManagedChannelBuilder<?> channel(Server server) {
    return ManagedChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext();
  }
}
