// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

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

  @Test
  void aMessageForWhichTheServerEndsTheCallIsCounted() throws Exception {
    try (Connection rpc = connectOnOneThread(new KitService())) {
      Pending pending = start(rpc, Method.HOLD, null);
      pending.sender().send("UNAVAILABLE");

      assertThat(pending.outcome()).isCompleted();
      assertThat(sentBy(SpanKind.CLIENT)).isEqualTo(1);
    }
  }

  @Test
  void aMessageForWhichTheClientEndsTheCallIsCounted() throws Exception {
    KitService service = new KitService();
    CompletableFuture<ServerSender> server = new CompletableFuture<>();
    CompletableFuture<ClientSender> client = new CompletableFuture<>();
    try (Connection rpc =
        connectOnOneThread(
            (method, sender) -> {
              server.complete(sender);
              return service.accept(method, sender);
            })) {
      client.complete(
          rpc.call(
              Method.HOLD,
              null,
              new ClientReceiver() {
                @Override
                public void onMessage(String message) {
                  client.join().cancel();
                }

                @Override
                public void onEnd(String code) {}
              }));
      server.join().send("a");

      assertThat(sentBy(SpanKind.SERVER)).isEqualTo(1);
    }
  }

  /** So that a call that ends for a message has ended before the sending of it returns. */
  private Connection connectOnOneThread(Service service) throws Exception {
    GrpcTelemetry grpc = GrpcTelemetry.create(telemetry.telemetry());
    return connect(
        service,
        server -> grpc.configure(server.directExecutor()),
        channel -> grpc.configure(channel.directExecutor()));
  }

  private Long sentBy(SpanKind kind) {
    return telemetry.takeSpans(2).stream()
        .filter(span -> span.getKind() == kind)
        .findFirst()
        .orElseThrow()
        .getAttributes()
        .get(AttributeKey.longKey("grpc.sent.message_count"));
  }
}
