// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * From the start of a process to the end of its first span, and the class path that a user gets.
 * Whole processes, in turn, without a logging back end: a service starts one anyway, and it takes
 * longer than all else here.
 */
final class StartUp {

  static final String NAME = "start-up";

  private static final Path AGENT =
      Path.of("benchmarks", "target", "agent", "opentelemetry-javaagent.jar");

  private static final Path ARCHIVE = Path.of("benchmarks", "target", "start-up.jsa");

  private static final String API = "opentelemetry-(api|common|context)-\\d.*";
  private static final String SDK =
      API
          + "|opentelemetry-(sdk|sdk-common|sdk-trace|sdk-metrics|sdk-logs)-\\d.*"
          + "|opentelemetry-exporter-(common|otlp|otlp-common|sender-okhttp)-\\d.*"
          + "|(okhttp|okio)-jvm-.*|kotlin-stdlib-.*|annotations-13.*";
  private static final String AUTOCONFIGURE = SDK + "|opentelemetry-sdk-extension-autoconfigure-.*";
  private static final String THROUGHLINE =
      AUTOCONFIGURE
          + "|telemetry-core-.*|opentelemetry-exporter-logging-.*|(slf4j-api|jspecify)-.*";
  private static final String BRAVE = "brave-\\d.*|zipkin-.*";

  private final Subject empty = new Subject("empty main()", FirstSpan.Empty.class, "nothing");
  private final Subject handWired =
      new Subject("OpenTelemetry SDK by hand, OTLP", FirstSpan.HandWired.class, SDK);
  private final Subject ours =
      new Subject("Throughline, OTLP", FirstSpan.Throughline.class, THROUGHLINE);
  private final Subject oursOff =
      new Subject(
          "Throughline, off", FirstSpan.Throughline.class, THROUGHLINE, "-Dotel.sdk.disabled=true");
  private final Subject oursShared =
      new Subject(
          "Throughline, OTLP, class data sharing",
          FirstSpan.Throughline.class,
          THROUGHLINE,
          "-XX:SharedArchiveFile=" + ARCHIVE);
  private final Subject autoconfigure =
      new Subject(
          "OpenTelemetry autoconfigure, OTLP", FirstSpan.AutoConfigure.class, AUTOCONFIGURE);
  private final Subject autoconfigureOff =
      new Subject(
          "OpenTelemetry autoconfigure, off",
          FirstSpan.AutoConfigure.class,
          AUTOCONFIGURE,
          "-Dotel.sdk.disabled=true");
  private final Subject brave =
      new Subject("Brave, Zipkin reporter, traces alone", FirstSpan.Brave.class, BRAVE);
  private final Subject agent =
      new Subject("OpenTelemetry Java agent", FirstSpan.Agent.class, API, "-javaagent:" + AGENT);

  /** Runs each once to warm the disk, then as often as the effort says, in turn. */
  void run(Effort effort, Results results) throws IOException, InterruptedException {
    archive();
    List<Subject> subjects =
        List.of(
            empty,
            oursOff,
            ours,
            oursShared,
            handWired,
            autoconfigureOff,
            autoconfigure,
            brave,
            agent);
    results.progress(
        NAME + ": " + subjects.size() + " processes, " + effort.startUpRounds() + " times each");
    for (int round = -1; round < effort.startUpRounds(); round++) {
      for (Subject subject : subjects) {
        Start start = subject.start();
        if (round >= 0) {
          subject.starts.add(start);
        }
      }
    }
    Table table =
        new Table("subject", "ms", "over empty", "fastest", "CPU ms", "peak MiB", "jars", "MB");
    Map<String, Object> json = new LinkedHashMap<>();
    for (Subject subject : subjects) {
      table.add(
          subject.name,
          Table.figure(subject.median(), 0),
          Table.figure(subject.median() - empty.median(), 0),
          Table.figure(subject.starts.stream().mapToDouble(Start::millis).min().orElse(0), 0),
          Table.figure(median(subject.starts.stream().mapToDouble(Start::cpuMillis).toArray()), 0),
          Table.figure(median(subject.starts.stream().mapToDouble(Start::mebibytes).toArray()), 0),
          Integer.toString(subject.jars.size()),
          Table.figure(subject.megabytes(), 1));
      json.put(subject.name, subject.starts);
    }
    results.json(NAME, json);
    results.show(
        NAME,
        "From the start of a process to its first span",
        effort.word() + " run",
        table,
        """
        Medians of %d, wall time. OTLP over gRPC with nobody listening. Jars and MB (10^6 bytes) are the class path, the
        agent's among them.
        Ours over the SDK by hand: %s, at most 1.10 x is the budget. Ours off over autoconfigure's off: %s, at most 0.30 x."""
            .formatted(
                effort.startUpRounds(),
                Table.ratio(over(ours), over(handWired)),
                Table.ratio(over(oursOff), over(autoconfigureOff))));
  }

  private static void archive() throws IOException, InterruptedException {
    Files.deleteIfExists(ARCHIVE);
    Start unused =
        new Subject(
                "archive",
                FirstSpan.Throughline.class,
                THROUGHLINE,
                "-XX:ArchiveClassesAtExit=" + ARCHIVE)
            .start();
  }

  private double over(Subject subject) {
    return subject.median() - empty.median();
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values.length == 0 ? Double.NaN : values[values.length / 2];
  }

  /**
   * One start.
   *
   * @param cpuMillis of user and system; NaN where the system does not tell
   * @param mebibytes of memory that was ever resident; NaN where the system does not tell
   */
  private record Start(double millis, double cpuMillis, double mebibytes) {}

  private static final class Subject {

    private static final Pattern PEAK = Pattern.compile("VmHWM:\\s*(\\d+) kB");

    final String name;
    final List<Path> jars = new ArrayList<>();
    final List<Start> starts = new ArrayList<>();
    private final List<String> command = new ArrayList<>();

    Subject(String name, Class<?> main, String jarNames, String... jvmArguments) {
      this.name = name;
      List<String> classPath = new ArrayList<>();
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        Path path = Path.of(entry);
        boolean isJar = path.getFileName().toString().matches(jarNames);
        if (isJar) {
          jars.add(path);
        }
        if (isJar) {
          classPath.add(entry);
        } else if (Files.isDirectory(path)) {
          // What is loaded from a folder can't be in an archive.
          classPath.add(packaged(path));
        }
      }
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(Arrays.asList(jvmArguments));
      command.add("-cp");
      command.add(String.join(File.pathSeparator, classPath));
      command.add(main.getName());
      if (Arrays.stream(jvmArguments).anyMatch(argument -> argument.startsWith("-javaagent"))) {
        jars.add(AGENT);
      }
    }

    /** The jar that the build makes of its folder of classes. */
    private static String packaged(Path classes) {
      try (Stream<Path> built = Files.list(classes.resolveSibling(""))) {
        return built
            .map(Path::toString)
            .filter(name -> name.matches(".*benchmarks-[^/]*(?<!sources|javadoc)\\.jar"))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no jar beside " + classes));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    Start start() throws IOException, InterruptedException {
      long begin = System.nanoTime();
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      int first = process.getInputStream().read();
      double millis = (System.nanoTime() - begin) / 1e6;
      double cpuMillis =
          process.info().totalCpuDuration().map(time -> time.toNanos() / 1e6).orElse(Double.NaN);
      double mebibytes = peak(process);
      process.getOutputStream().close();
      if (process.waitFor() != 0 || first < 0) {
        throw new IOException("exit code " + process.exitValue() + ": " + command);
      }
      return new Start(millis, cpuMillis, mebibytes);
    }

    private static double peak(Process process) {
      try (Stream<String> lines = Files.lines(Path.of("/proc", process.pid() + "", "status"))) {
        return lines
            .map(PEAK::matcher)
            .filter(Matcher::matches)
            .mapToDouble(matcher -> Long.parseLong(matcher.group(1)) / 1024.0)
            .findFirst()
            .orElse(Double.NaN);
      } catch (IOException e) {
        return Double.NaN;
      }
    }

    double median() {
      return StartUp.median(starts.stream().mapToDouble(Start::millis).toArray());
    }

    double megabytes() throws IOException {
      long bytes = 0;
      for (Path jar : jars) {
        bytes += Files.size(jar);
      }
      return bytes / 1e6;
    }
  }
}
