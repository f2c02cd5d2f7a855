// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.examples.service.Lifetime;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A {@code main()} in a process of its own, with the class path of this one. */
final class JavaProcess implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(JavaProcess.class);
  // More than an Agent's goodbye and the close of its telemetry may take.
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

  private final String name;
  private final Process process;
  private final Thread reader;

  /**
   * Starts it.
   *
   * @param environment all of its variables
   * @param onLine gets each line that it prints
   * @param onEnd runs after the last of them
   */
  JavaProcess(
      Class<?> main,
      List<String> arguments,
      Map<String, String> environment,
      Consumer<String> onLine,
      Runnable onEnd)
      throws IOException {
    name = main.getSimpleName();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // For a quick start; a service that stays wants neither of the first two.
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    // Without it the JDK's server waits 40 ms for an acknowledgement before it ends an answer.
    command.add("-Dsun.net.httpserver.nodelay=true");
    // JDK 24 and newer warn where a library such as SQLite's is loaded.
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-D" + Lifetime.ENDS_WITH_INPUT + "=true");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(environment);
    process = builder.start();
    reader = new Thread(() -> read(onLine, onEnd), name);
    reader.setDaemon(true);
    reader.start();
  }

  private void read(Consumer<String> onLine, Runnable onEnd) {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        onLine.accept(line);
      }
    } catch (IOException e) {
      LOGGER.debug("The output of {} broke off", name, e);
    } finally {
      onEnd.run();
    }
  }

  /**
   * Waits until it ends by itself, and all of its lines were handed on.
   *
   * @return its exit code
   * @throws IOException if it takes too long
   */
  int awaitEnd(Duration timeout) throws IOException, InterruptedException {
    if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IOException(name + " did not end within " + timeout.toSeconds() + " s");
    }
    reader.join();
    return process.exitValue();
  }

  /** Asks it to end, and sees to it that it has, by force where asking did not help. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      LOGGER.debug("{} had ended already", name, e);
    }
    boolean interrupted = Thread.interrupted();
    try {
      if (!process.waitFor(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
