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
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
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
  private final AtomicLong commands = new AtomicLong();
  private final Map<String, Viewer> viewers = new ConcurrentHashMap<>();
  private CompletableFuture<Line> line = new CompletableFuture<>();

  AgentLink(Telemetry telemetry, Duration answerTimeout) {
    this.telemetry = telemetry;
    this.answerTimeout = answerTimeout;
  }

  /** Who waits for a console's stream. */
  private record Viewer(
      StreamObserver<byte[]> fromConsole, CompletableFuture<StreamObserver<byte[]>> toConsole) {}

  @Override
  public ServerServiceDefinition bindService() {
    return ServerServiceDefinition.builder(AgentService.NAME)
        .addMethod(AgentService.COMMANDS, ServerCalls.asyncBidiStreamingCall(this::connect))
        .addMethod(AgentService.CONSOLE, ServerCalls.asyncBidiStreamingCall(ConsoleStream::new))
        .build();
  }

  /**
   * Has the Agent carry out a command, as part of the current trace.
   *
   * @throws Refusal as the Agent says; 503 where there is no Agent, 504 where it takes too long
   */
  ObjectNode send(String name, ObjectNode arguments) throws Refusal {
    Map<String, String> context = new HashMap<>();
    telemetry.inject(context);
    Command command = new Command(commands.incrementAndGet(), name, arguments, context);
    return await(await(agent(), DIAL_TIMEOUT).send(command), answerTimeout).result();
  }

  /**
   * Has the Agent open a console.
   *
   * @param fromConsole gets what it says, and its end
   * @return takes what it is to be told
   */
  StreamObserver<byte[]> openConsole(
      String command, String serverId, StreamObserver<byte[]> fromConsole) throws Refusal {
    String id = UUID.randomUUID().toString();
    Viewer viewer = new Viewer(fromConsole, new CompletableFuture<>());
    viewers.put(id, viewer);
    try {
      send(command, Json.object().put("server_id", serverId).put("console", id));
      return await(viewer.toConsole, answerTimeout);
    } finally {
      viewers.remove(id);
    }
  }

  private synchronized CompletableFuture<Line> agent() {
    return line;
  }

  private synchronized StreamObserver<Answer> connect(StreamObserver<Command> agent) {
    Line connected = new Line(agent);
    if (!line.complete(connected)) {
      line = CompletableFuture.completedFuture(connected);
    }
    return connected;
  }

  private synchronized void disconnected(Line disconnected) {
    if (line.getNow(null) == disconnected) {
      line = new CompletableFuture<>();
    }
  }

  private static <T> T await(CompletableFuture<T> future, Duration timeout) throws Refusal {
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new Refusal(504, "The Agent did not answer in time");
    } catch (ExecutionException e) {
      throw e.getCause() instanceof TimeoutException
          ? new Refusal(504, "The Agent did not answer in time")
          : new Refusal(502, "The Agent went away");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refusal(503, "Interrupted while waiting for the Agent");
    }
  }

  /** One stream of commands, from the Agent's call to its end. */
  private final class Line implements StreamObserver<Answer> {

    private final StreamObserver<Command> agent;
    private final Map<Long, CompletableFuture<Answer>> waiting = new ConcurrentHashMap<>();
    private volatile boolean ended;

    Line(StreamObserver<Command> agent) {
      this.agent = agent;
    }

    CompletableFuture<Answer> send(Command command) {
      CompletableFuture<Answer> answer = new CompletableFuture<>();
      waiting.put(command.id(), answer);
      try {
        synchronized (agent) {
          agent.onNext(command);
        }
      } catch (RuntimeException e) {
        end(e);
      }
      if (ended) {
        answer.completeExceptionally(Status.UNAVAILABLE.asException());
      }
      return answer.orTimeout(answerTimeout.toMillis(), TimeUnit.MILLISECONDS)
          .whenComplete((result, thrown) -> waiting.remove(command.id()));
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
      agent.onCompleted();
    }

    private void end(Throwable reason) {
      ended = true;
      disconnected(this);
      waiting.values().forEach(waits -> waits.completeExceptionally(reason));
    }
  }

  /** One console, from the Agent's call to its end. */
  private final class ConsoleStream implements StreamObserver<byte[]> {

    private final StreamObserver<byte[]> toConsole;
    private @Nullable StreamObserver<byte[]> fromConsole;

    ConsoleStream(StreamObserver<byte[]> toConsole) {
      this.toConsole = toConsole;
    }

    @Override
    public void onNext(byte[] message) {
      if (fromConsole != null) {
        fromConsole.onNext(message);
        return;
      }
      Viewer viewer = viewers.get(new String(message, UTF_8));
      if (viewer == null || !viewer.toConsole.complete(toConsole)) {
        toConsole.onError(Status.NOT_FOUND.withDescription("Nobody waits for it").asException());
      } else {
        fromConsole = viewer.fromConsole;
      }
    }

    @Override
    public void onError(Throwable thrown) {
      if (fromConsole != null) {
        fromConsole.onError(thrown);
      }
    }

    @Override
    public void onCompleted() {
      if (fromConsole != null) {
        fromConsole.onCompleted();
      }
    }
  }
}
