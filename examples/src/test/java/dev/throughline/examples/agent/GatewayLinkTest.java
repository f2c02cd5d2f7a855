// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.examples.rpc.AgentService;
import dev.throughline.examples.rpc.Answer;
import dev.throughline.examples.rpc.Command;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.Telemetry;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The Agent's stream, with a Gateway that does what it should not. */
class GatewayLinkTest {

  private final BlockingQueue<StreamObserver<Command>> dialed = new LinkedBlockingQueue<>();
  private final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
  private final CountDownLatch answered = new CountDownLatch(1);
  private final Queue<Command> waiting = new ConcurrentLinkedQueue<>();
  private Server server;

  @BeforeEach
  void start() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(
                ServerServiceDefinition.builder(AgentService.NAME)
                    .addMethod(
                        AgentService.COMMANDS, ServerCalls.asyncBidiStreamingCall(this::connect))
                    .build())
            .build()
            .start();
  }

  @AfterEach
  void stop() {
    server.shutdownNow();
  }

  @Test
  void dialsAgainWheneverTheStreamEnds() throws Exception {
    try (GatewayLink link = link(command -> Json.object())) {
      take(dialed).onError(Status.INTERNAL.asException());
      take(dialed).onCompleted();
      take(dialed).onNext(command(7));

      assertThat(take(answers)).isEqualTo(new Answer(7, 200, Json.object()));
    }
  }

  @Test
  void whateverFailsIsAnswered() throws Exception {
    GatewayLink.Handler broken =
        command -> {
          if (command.id() == 1) {
            throw new Refusal(404, "not here");
          }
          throw new IllegalStateException("a secret reason");
        };
    try (GatewayLink link = link(broken)) {
      StreamObserver<Command> stream = take(dialed);
      stream.onNext(command(1));
      assertThat(take(answers))
          .isEqualTo(new Answer(1, 404, Json.object().put("error", "not here")));
      stream.onNext(command(2));
      assertThat(take(answers))
          .isEqualTo(new Answer(2, 500, Json.object().put("error", "An internal error")));
    }
  }

  @Test
  void answersACommandThatWaitedForIt() throws Exception {
    waiting.add(command(7));
    ManagedChannel slow =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
            .usePlaintext()
            .intercept(new HoldsUpTheCaller())
            .build();
    try (GatewayLink link = new GatewayLink(slow, command -> Json.object())) {
      assertThat(take(answers)).isEqualTo(new Answer(7, 200, Json.object()));
    }
  }

  /** Lets a call begin, and its caller go on only once an answer went up. */
  private final class HoldsUpTheCaller implements ClientInterceptor {

    @Override
    public <A, B> ClientCall<A, B> interceptCall(
        MethodDescriptor<A, B> method, CallOptions options, Channel next) {
      return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void request(int messages) {
          super.request(messages);
          try {
            assertThat(answered.await(20, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        }
      };
    }
  }

  private GatewayLink link(GatewayLink.Handler handler) {
    URI gateway = URI.create("http://127.0.0.1:" + server.getPort());
    return new GatewayLink(Telemetry.noop(), gateway, handler);
  }

  private static Command command(long id) {
    return new Command(id, "x", Json.object(), Map.of());
  }

  private static <T> T take(BlockingQueue<T> queue) throws InterruptedException {
    T taken = queue.poll(20, TimeUnit.SECONDS);
    assertThat(taken).isNotNull();
    return taken;
  }

  private StreamObserver<Answer> connect(StreamObserver<Command> toAgent) {
    waiting.forEach(toAgent::onNext);
    dialed.add(toAgent);
    return new StreamObserver<>() {
      @Override
      public void onNext(Answer answer) {
        answers.add(answer);
        answered.countDown();
      }

      @Override
      public void onError(Throwable thrown) {}

      @Override
      public void onCompleted() {
        toAgent.onCompleted();
      }
    };
  }
}
