// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * How long a process with telemetry takes over one without: whole processes, interleaved, medians.
 * {@code java -cp … dev.throughline.benchmarks.StartUp [rounds]}.
 */
public final class StartUp {

  // What a service gets with telemetry-core: without the peers of the other ladders, and without a
  // logging back end, which takes longer to start than all else here and which it starts anyway.
  private static final String CLASS_PATH =
      Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
          .filter(entry -> !entry.matches(".*(logback|jmh|incubator|instrumentation|semconv).*"))
          .collect(Collectors.joining(File.pathSeparator));

  private StartUp() {}

  /** Runs each subject once to warm the disk, then {@code rounds} times in turn; 9 by default. */
  public static void main(String[] args) throws IOException, InterruptedException {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 9;
    String off = "-Dotel.sdk.disabled=true";
    Subject empty = new Subject("empty main", rounds, Empty.class.getName());
    Subject theirsOff =
        new Subject("autoconfigure, off", rounds, off, AutoConfigure.class.getName());
    Subject oursOff = new Subject("throughline, off", rounds, off, Throughline.class.getName());
    Subject theirs = new Subject("autoconfigure, OTLP", rounds, AutoConfigure.class.getName());
    Subject ours = new Subject("throughline, OTLP", rounds, Throughline.class.getName());
    List<Subject> subjects = List.of(empty, theirsOff, oursOff, theirs, ours);
    for (int round = -1; round < rounds; round++) {
      for (Subject subject : subjects) {
        long taken = run(subject.arguments);
        if (round >= 0) {
          subject.nanos[round] = taken;
        }
      }
    }
    System.out.printf("%-22s %10s %14s%n", "subject", "median ms", "over empty ms");
    for (Subject subject : subjects) {
      System.out.printf(
          "%-22s %10.0f %14.0f%n",
          subject.name, subject.median(), subject.median() - empty.median());
    }
    System.out.printf(
        "off, ours / autoconfigure's: %.2f (budget 0.30)%n",
        (oursOff.median() - empty.median()) / (theirsOff.median() - empty.median()));
  }

  private static long run(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(CLASS_PATH);
    command.addAll(arguments);
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (process.waitFor() != 0) {
      throw new IllegalStateException("exit code " + process.exitValue() + ": " + command);
    }
    return System.nanoTime() - start;
  }

  private static final class Subject {
    final String name;
    final List<String> arguments;
    final long[] nanos;

    Subject(String name, int rounds, String... arguments) {
      this.name = name;
      this.arguments = List.of(arguments);
      nanos = new long[rounds];
    }

    double median() {
      long[] sorted = nanos.clone();
      Arrays.sort(sorted);
      return sorted[sorted.length / 2] / (double) TimeUnit.MILLISECONDS.toNanos(1);
    }
  }

  /** What every JVM costs. */
  public static final class Empty {
    private Empty() {}

    /** Does nothing. */
    public static void main(String[] args) {}
  }

  /** OpenTelemetry's own set-up. */
  public static final class AutoConfigure {
    private AutoConfigure() {}

    /** Sets up and leaves without a shutdown, which is not start-up. */
    public static void main(String[] args) {
      AutoConfiguredOpenTelemetrySdk.builder().disableShutdownHook().build();
      Runtime.getRuntime().halt(0);
    }
  }

  /** Ours. */
  public static final class Throughline {
    private Throughline() {}

    /** Sets up and leaves without a shutdown, which is not start-up. */
    @SuppressWarnings("MustBeClosedChecker") // the process ends here
    public static void main(String[] args) {
      Telemetry.builder().setServiceName("start-up").build();
      Runtime.getRuntime().halt(0);
    }
  }
}
