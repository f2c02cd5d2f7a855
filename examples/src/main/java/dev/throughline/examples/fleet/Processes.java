// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import dev.throughline.examples.service.ReadyLine;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** All processes that were started, so that none is left behind, whatever ends this one. */
final class Processes implements AutoCloseable {

  private static final Duration READY_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration COMMAND_TIMEOUT = Duration.ofSeconds(60);

  private final PrintStream messages;
  private final Deque<JavaProcess> started = new ArrayDeque<>();
  private final Thread hook = new Thread(this::stopAll, "stop-processes");
  private boolean closed;

  /**
   * None yet.
   *
   * @param messages gets what services print beside their ready line
   */
  Processes(PrintStream messages) {
    this.messages = messages;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** What a command printed, and its exit code. */
  record Result(int exitCode, List<String> lines) {}

  /**
   * Starts a service, and waits until it listens.
   *
   * @throws IOException if it does not
   */
  ReadyLine startService(Role role, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    CompletableFuture<ReadyLine> ready = new CompletableFuture<>();
    start(
        role,
        environment,
        List.of(arguments),
        line ->
            ReadyLine.parse(line)
                .ifPresentOrElse(
                    ready::complete, () -> messages.println("[" + role.word() + "] " + line)),
        () -> ready.completeExceptionally(new IOException(role.word() + " ended")));
    try {
      return ready.get(READY_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException("The " + role.word() + " ended before it listened", e);
    } catch (TimeoutException e) {
      throw new IOException("The " + role.word() + " took too long to listen", e);
    }
  }

  /** Runs a command to its end. */
  Result run(Role role, Map<String, String> environment, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> lines = new CopyOnWriteArrayList<>();
    JavaProcess process = start(role, environment, arguments, lines::add, () -> {});
    return new Result(process.awaitEnd(COMMAND_TIMEOUT), List.copyOf(lines));
  }

  private synchronized JavaProcess start(
      Role role,
      Map<String, String> environment,
      List<String> arguments,
      Consumer<String> onLine,
      Runnable onEnd)
      throws IOException {
    if (closed) {
      throw new IOException("The fleet is stopping");
    }
    JavaProcess process = new JavaProcess(role.main(), arguments, environment, onLine, onEnd);
    started.push(process);
    return process;
  }

  @Override
  public void close() {
    stopAll();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The hook is at work already.
    }
  }

  /** The newest first: each calls those before it, and would say that they broke off. */
  private synchronized void stopAll() {
    closed = true;
    started.forEach(JavaProcess::close);
    started.clear();
  }
}
