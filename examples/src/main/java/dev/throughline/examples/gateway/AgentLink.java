// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.rpc.AgentService;
import dev.throughline.examples.rpc.Answer;
import dev.throughline.examples.rpc.Command;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.Refusal;
import dev.throughline.telemetry.Telemetry;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The Agent of this data centre, which dialed in and holds one stream: commands go down it, each
 * with the context of the request that caused it.
 */
final class AgentLink implements BindableService {

  private static final Duration DIAL_TIMEOUT = Duration.ofSeconds(5);

  private final Telemetry telemetry;
  private final Duration answerTimeout;
  private final Sessions sessions;
  private final AtomicLong commands = new AtomicLong();
  private CompletableFuture<Stream> agent = new CompletableFuture<>();

  AgentLink(Telemetry telemetry, Duration answerTimeout, Sessions sessions) {
    this.telemetry = telemetry;
    this.answerTimeout = answerTimeout;
    this.sessions = sessions;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return ServerServiceDefinition.builder(AgentService.NAME)
        .addMethod(AgentService.COMMANDS, ServerCalls.asyncBidiStreamingCall(this::connect))
        .addMethod(AgentService.CONSOLE, ServerCalls.asyncBidiStreamingCall(Console::new))
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

  /** Has the Agent open the console of a session, and waits until that is connected. */
  void open(ConsoleSession session) throws Refusal {
    send(
        session.kind() + ".open",
        Json.object().put("server_id", session.serverId()).put("session_id", session.id()));
    await(session.connected(), answerTimeout);
  }

  private static <T> T await(Future<T> future, Duration timeout) throws Refusal {
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

  /** The stream of one console, from the Agent's call to its end. */
  private final class Console implements StreamObserver<byte[]> {

    private final StreamObserver<byte[]> toConsole;
    private @Nullable ConsoleSession session;

    Console(StreamObserver<byte[]> toConsole) {
      this.toConsole = toConsole;
    }

    @Override
    public void onNext(byte[] message) {
      if (session == null) {
        connect(new String(message, UTF_8));
        return;
      }
      try {
        session.fromConsole(message);
      } catch (IOException e) {
        sessions.end(session, "the viewer is gone");
      }
    }

    private void connect(String sessionId) {
      ConsoleSession waiting = sessions.find(sessionId);
      if (waiting != null && waiting.connect(toConsole)) {
        session = waiting;
      } else {
        toConsole.onError(Status.NOT_FOUND.withDescription("Nobody waits for it").asException());
      }
    }

    @Override
    public void onError(Throwable thrown) {
      onCompleted();
    }

    @Override
    public void onCompleted() {
      if (session != null) {
        sessions.end(session, "the console hung up");
      }
    }
  }
}
