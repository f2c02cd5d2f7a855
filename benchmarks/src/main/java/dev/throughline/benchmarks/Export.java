// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.benchmarks.ExportLoad.Done;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Spans through an exporter to a receiver on the loopback interface: how many, and what they cost.
 */
final class Export {

  static final String NAME = "export";

  private static final int HIGH = 100_000;
  private static final int COMPRESSED = 50_000;
  private static final int MODERATE = 20_000;

  private Export() {}

  /** One of the rows. */
  private record Subject(String who, String protocol, String compression, int rate) {

    @Override
    public String toString() {
      return (who.equals("ours") ? "Throughline, " : "OpenTelemetry SDK, ")
          + (protocol.equals("grpc") ? "gRPC" : "HTTP")
          + (compression.equals("none") ? "" : ", " + compression);
    }
  }

  /** What came of it, in the terms of the table. */
  private record Outcome(
      String subject,
      double offeredPerSecond,
      double deliveredPerSecond,
      double lost,
      long pending,
      double wireBytes,
      double callerBytes,
      double exporterBytes,
      double cpuMicros) {}

  /**
   * @param who the side that is measured; empty for both
   */
  static void run(Effort effort, String who, Results results)
      throws IOException, InterruptedException {
    List<Subject> subjects = subjects(effort);
    subjects.removeIf(subject -> !who.isEmpty() && !subject.who().equals(who));
    results.progress(
        NAME + ": " + subjects.size() + " processes, " + effort.export().toSeconds() + " s each");
    Table table =
        new Table(
            "subject",
            "offered/s",
            "delivered/s",
            "lost",
            "pending",
            "wire B/span",
            "caller's B/span",
            "exporter's B/span",
            "exporter's CPU us/span");
    List<Outcome> outcomes = new ArrayList<>();
    try (CountingReceiver receiver = new CountingReceiver()) {
      for (Subject subject : subjects) {
        Outcome outcome = run(subject, effort, receiver);
        outcomes.add(outcome);
        table.add(
            outcome.subject(),
            Table.figure(outcome.offeredPerSecond(), 0),
            Table.figure(outcome.deliveredPerSecond(), 0),
            Table.figure(outcome.lost() * 100, 1) + " %",
            outcome.subject().startsWith("Throughline") ? Long.toString(outcome.pending()) : "",
            Table.figure(outcome.wireBytes(), 0),
            Table.figure(outcome.callerBytes(), 0),
            Table.figure(outcome.exporterBytes(), 0),
            Table.figure(outcome.cpuMicros(), 2));
      }
    }
    results.json(NAME, outcomes);
    results.show(
        NAME,
        "Spans of eight attributes to a receiver on the loopback interface",
        effort.export().toSeconds() + " s each",
        table,
        """
        Two threads end spans in a process of their own. What was not received by the end of a last flush is lost. CPU and
        the exporter's bytes are those of all threads but those two, for each span that was delivered.
        100,000 spans a second, none lost, at no more CPU than the SDK's is the budget.""");
  }

  private static List<Subject> subjects(Effort effort) {
    List<Subject> subjects = new ArrayList<>();
    boolean all = effort.word().equals(Effort.FULL.word());
    int[] rates = all ? new int[] {MODERATE, HIGH} : new int[] {HIGH};
    for (int rate : rates) {
      for (String protocol : List.of("grpc", "http/protobuf")) {
        for (String who : List.of("ours", "sdk")) {
          subjects.add(new Subject(who, protocol, "none", rate));
          if (rate == HIGH) {
            subjects.add(new Subject(who, protocol, "gzip", COMPRESSED));
          }
        }
      }
    }
    return subjects;
  }

  private static Outcome run(Subject subject, Effort effort, CountingReceiver receiver)
      throws IOException, InterruptedException {
    long seconds = effort.export().toSeconds();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-DFLEET_LOG_LEVEL=ERROR",
                "-cp",
                System.getProperty("java.class.path"),
                ExportLoad.class.getName(),
                subject.who(),
                subject.protocol(),
                subject.compression(),
                receiver.endpoint(subject.protocol()),
                Integer.toString(subject.rate()),
                Long.toString(seconds))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
      expect(lines.readLine(), "warm");
      receiver.reset();
      process.getOutputStream().close();
      String line = lines.readLine();
      if (process.waitFor() != 0 || line == null) {
        throw new IOException(subject + " ended with " + process.exitValue());
      }
      Done done = Done.parse(line);
      double delivered = receiver.spans();
      return new Outcome(
          subject.toString(),
          done.spans() / (double) seconds,
          delivered / seconds,
          1 - delivered / done.spans(),
          done.pending(),
          receiver.wireBytes() / delivered,
          done.callerBytes(),
          done.otherBytes() / delivered,
          done.otherCpuNanos() / 1e3 / delivered);
    } finally {
      process.destroyForcibly();
    }
  }

  private static void expect(String line, String expected) throws IOException {
    if (!expected.equals(line)) {
      throw new IOException("Expected " + expected + ", and got " + line);
    }
  }
}
