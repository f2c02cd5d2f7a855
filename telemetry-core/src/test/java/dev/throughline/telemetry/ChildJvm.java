// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A JVM of its own, for what a process has once: its environment, its globals, its end. */
final class ChildJvm implements AutoCloseable {

  private final Process process;
  private final List<String> output = new CopyOnWriteArrayList<>();
  private final Thread reader = new Thread(this::read, "child-output");

  private ChildJvm(Process process) {
    this.process = process;
    reader.start();
  }

  static Launch of(Class<?> main) {
    return new Launch(main);
  }

  static final class Launch {

    private final Class<?> main;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final List<String> options = new ArrayList<>();
    private String classPath = System.getProperty("java.class.path");

    private Launch(Class<?> main) {
      this.main = main;
    }

    Launch environment(String name, String value) {
      environment.put(name, value);
      return this;
    }

    Launch option(String option) {
      options.add(option);
      return this;
    }

    Launch classPath(String classPath) {
      this.classPath = classPath;
      return this;
    }

    ChildJvm start() {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      // A short start counts for more than a fast run.
      command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xshare:auto"));
      command.addAll(options);
      command.addAll(List.of("-cp", classPath, main.getName()));
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      // The build's own environment must not decide what a test sees.
      builder
          .environment()
          .keySet()
          .removeIf(name -> name.matches("(OTEL|TELEMETRY|TRACING)_.*|.*JAVA.*OPTIONS"));
      builder.environment().putAll(environment);
      try {
        return new ChildJvm(builder.start());
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  private void read() {
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        output.add(line);
      }
    } catch (IOException e) {
      output.add("unreadable: " + e);
    }
  }

  List<String> output() {
    return List.copyOf(output);
  }

  /** The lines that the child's main printed with this prefix, without it. */
  List<String> said(String prefix) {
    return output.stream()
        .filter(line -> line.startsWith(prefix))
        .map(line -> line.substring(prefix.length()))
        .toList();
  }

  void awaitLine(String line) {
    Wait.until("the child says " + line, () -> output.contains(line) || !process.isAlive());
    assertThat(output).contains(line);
  }

  /** Asks it to stop, as an orchestrator does: SIGTERM. */
  void terminate() {
    // Not the process itself, which would close its output.
    process.toHandle().destroy();
  }

  /** Kills it: SIGKILL. */
  void kill() {
    process.toHandle().destroyForcibly();
  }

  /** Its exit code, once its output is read to the end. */
  int awaitExit() {
    try {
      assertThat(process.waitFor(6 * Wait.LIMIT.toSeconds(), TimeUnit.SECONDS))
          .as("the child ended")
          .isTrue();
      reader.join();
      return process.exitValue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
