// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.rpc.AgentService;
import dev.throughline.examples.rpc.Answer;
import dev.throughline.examples.rpc.Command;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.Telemetry;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The Agent of this data centre, which dialed in and holds one stream: commands go down it, each
 * with the context of the request that caused it.
 */
final class AgentLink implements BindableService {

  private static final Duration DIAL_TIMEOUT = Duration.ofSeconds(5);

  private final Telemetry telemetry;
  private final Duration answerTimeout;
  private final AtomicLong commands = new AtomicLong();
  private CompletableFuture<Stream> agent = new CompletableFuture<>();

  AgentLink(Telemetry telemetry, Duration answerTimeout) {
    this.telemetry = telemetry;
    this.answerTimeout = answerTimeout;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return ServerServiceDefinition.builder(AgentService.NAME)
        .addMethod(AgentService.COMMANDS, ServerCalls.asyncBidiStreamingCall(this::connect))
        .build();
  }

  /**
   * Has the Agent carry out a command, as part of the current trace.
   *
   * @throws Refusal as the Agent says; 502 where it goes away, 504 where it takes too long
   */
  ObjectNode send(String name, ObjectNode arguments) throws Refusal {
    Map<String, String> context = new HashMap<>();
    telemetry.inject(context);
    Command command = new Command(commands.incrementAndGet(), name, arguments, context);
    Stream stream = await(agent(), DIAL_TIMEOUT);
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    stream.waiting.put(command.id(), answer);
    try {
      stream.send(command);
      return await(answer, answerTimeout).result();
    } finally {
      stream.waiting.remove(command.id());
    }
  }

  private static <T> T await(CompletableFuture<T> future, Duration timeout) throws Refusal {
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new Refusal(504, "The Agent did not answer in time");
    } catch (ExecutionException e) {
      throw new Refusal(502, "The Agent went away");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refusal(503, "Interrupted while waiting for the Agent");
    }
  }

  private synchronized CompletableFuture<Stream> agent() {
    return agent;
  }

  /** The Agent dials in; one that dials again takes the place of the stream that broke. */
  private synchronized StreamObserver<Answer> connect(StreamObserver<Command> toAgent) {
    Stream stream = new Stream(toAgent);
    if (!agent.complete(stream)) {
      agent = CompletableFuture.completedFuture(stream);
    }
    return stream;
  }

  private synchronized void disconnect(Stream stream) {
    if (agent.getNow(null) == stream) {
      agent = new CompletableFuture<>();
    }
  }

  /** One stream, from the Agent's call to its end. */
  private final class Stream implements StreamObserver<Answer> {

    final Map<Long, CompletableFuture<Answer>> waiting = new ConcurrentHashMap<>();
    private final StreamObserver<Command> toAgent;
    private boolean ended;

    Stream(StreamObserver<Command> toAgent) {
      this.toAgent = toAgent;
    }

    synchronized void send(Command command) throws Refusal {
      if (ended) {
        throw new Refusal(502, "The Agent went away");
      }
      toAgent.onNext(command);
    }

    @Override
    public void onNext(Answer answer) {
      CompletableFuture<Answer> waits = waiting.get(answer.id());
      if (waits != null) {
        waits.complete(answer);
      }
    }

    @Override
    public void onError(Throwable thrown) {
      end(thrown);
    }

    @Override
    public void onCompleted() {
      end(Status.UNAVAILABLE.asException());
      toAgent.onCompleted();
    }

    private synchronized void end(Throwable reason) {
      ended = true;
      disconnect(this);
      waiting.values().forEach(waits -> waits.completeExceptionally(reason));
    }
  }
}
