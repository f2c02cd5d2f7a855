// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.rpc.AgentService;
import dev.throughline.examples.rpc.Answer;
import dev.throughline.examples.rpc.Command;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.grpc.GrpcTelemetry;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one stream to the Gateway that commands come down, dialed again whenever it breaks; and one
 * for each console that is open.
 */
final class GatewayLink implements AutoCloseable {

  /** Carries out a command. */
  @FunctionalInterface
  interface Handler {
    ObjectNode handle(Command command) throws Exception;
  }

  private static final Logger LOGGER = LoggerFactory.getLogger(GatewayLink.class);
  private static final int SECONDS_BEFORE_NEXT_DIAL = 1;
  private static final int SECONDS_TO_SAY_GOODBYE = 5;

  private final Handler handler;
  private final ManagedChannel channel;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private volatile boolean closed;
  private volatile Stream stream;

  /** A link that dials. */
  GatewayLink(Telemetry telemetry, URI gateway, Handler handler) {
    this(channel(telemetry, gateway), handler);
  }

  /** A link that dials through this channel, and closes it. */
  GatewayLink(ManagedChannel channel, Handler handler) {
    this.handler = handler;
    this.channel = channel;
    stream = new Stream();
  }

  private static ManagedChannel channel(Telemetry telemetry, URI gateway) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(gateway.getHost(), gateway.getPort()).usePlaintext();
    GrpcTelemetry.create(telemetry).configure(builder);
    return builder.build();
  }

  /** One stream, from the call to its end. */
  private final class Stream implements ClientResponseObserver<Answer, Command> {

    private StreamObserver<Answer> answers;

    @SuppressWarnings("NullAway.Init") // beforeStart() is called in here
    Stream() {
      ClientCalls.asyncBidiStreamingCall(
          channel.newCall(AgentService.COMMANDS, CallOptions.DEFAULT.withWaitForReady()), this);
    }

    /** The first command may come before the call that opens the stream has returned. */
    @Override
    public void beforeStart(ClientCallStreamObserver<Answer> answers) {
      this.answers = answers;
    }

    @Override
    public void onNext(Command command) {
      threads.execute(() -> carryOut(command));
    }

    private void carryOut(Command command) {
      Answer answer;
      try {
        answer = Answer.of(command, handler.handle(command));
      } catch (Refusal refusal) {
        answer = Answer.of(command, refusal);
      } catch (Exception e) {
        LOGGER.error("{} failed", command.name(), e);
        answer = Answer.of(command, new Refusal(500, "An internal error"));
      }
      try {
        synchronized (this) {
          answers.onNext(answer);
        }
      } catch (IllegalStateException e) {
        LOGGER.info("The stream that {} came down has ended", command.name());
      }
    }

    @Override
    public void onError(Throwable thrown) {
      if (!closed) {
        LOGGER.info("The stream to the Gateway broke", thrown);
      }
      dialAgain();
    }

    @Override
    public void onCompleted() {
      dialAgain();
    }
  }

  /** Passes on what a console says and is told, until one side ends it. Returns at once. */
  void relay(String sessionId, HardwareConsole console) {
    StreamObserver<byte[]> toGateway =
        ClientCalls.asyncBidiStreamingCall(
            channel.newCall(AgentService.CONSOLE, CallOptions.DEFAULT), new FromGateway(console));
    toGateway.onNext(sessionId.getBytes(UTF_8));
    threads.execute(
        () -> {
          try (console) {
            byte[] message = console.greeting();
            while (message != null) {
              toGateway.onNext(message);
              message = console.read();
            }
            toGateway.onCompleted();
          } catch (IOException | IllegalStateException e) {
            LOGGER.debug("Session {} broke off", sessionId, e);
            toGateway.onError(e);
          }
        });
  }

  /** What a console is told. */
  private record FromGateway(HardwareConsole console) implements StreamObserver<byte[]> {

    @Override
    public void onNext(byte[] message) {
      try {
        console.write(message);
      } catch (IOException e) {
        onError(e); // whoever reads from it tells the Gateway
      }
    }

    @Override
    public void onError(Throwable thrown) {
      onCompleted();
    }

    @Override
    public void onCompleted() {
      try {
        console.close();
      } catch (IOException e) {
        LOGGER.debug("A console did not close", e);
      }
    }
  }

  private void dialAgain() {
    if (!closed) {
      CompletableFuture.delayedExecutor(SECONDS_BEFORE_NEXT_DIAL, TimeUnit.SECONDS, threads)
          .execute(() -> stream = new Stream());
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    threads.shutdown();
    stream.answers.onCompleted();
    channel.shutdown();
    try {
      channel.awaitTermination(SECONDS_TO_SAY_GOODBYE, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    channel.shutdownNow();
  }
}
