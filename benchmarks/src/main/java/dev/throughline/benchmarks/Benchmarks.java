// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import dev.throughline.benchmarks.Jmh.Cost;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What {@code benchmarks/run} runs. */
public final class Benchmarks {

  private static final String USAGE =
      """
      benchmarks/run [quick|full] [ladder ...]   measures ladders, all by default
      benchmarks/run export [seconds [ours|sdk]]
                                                 exports for longer, or by one side alone
      benchmarks/run request [pairs [seconds [requests a second]]]
                                                 compares whole requests with telemetry on and off
      benchmarks/run soak [minutes [requests a second]]
                                                 fails where threads or heap grow under load
      benchmarks/run budget                      fails where more is allocated than a budget allows
      benchmarks/run profile                     shows where the bytes of each path with a budget go
      benchmarks/run record                      puts the tables of the last runs into docs/performance.md
      """;

  private final Results results;

  private Benchmarks(Results results) {
    this.results = results;
  }

  /** Runs a command, in the project's folder. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Results results = new Results(Path.of("benchmarks", "target", "results"), System.out);
    System.exit(new Benchmarks(results).run(Arrays.asList(args)));
  }

  private int run(List<String> words) throws IOException, InterruptedException {
    String command = words.isEmpty() ? Effort.QUICK.word() : words.get(0);
    List<String> rest = words.isEmpty() ? words : words.subList(1, words.size());
    return switch (command) {
      case "quick" -> climb(Effort.QUICK, rest);
      case "full" -> climb(Effort.FULL, rest);
      case "budget" -> budget();
      case "profile" -> profile();
      case Export.NAME -> export(rest);
      case WholeRequest.NAME -> request(rest);
      case WholeRequest.SOAK -> soak(rest);
      case "record" -> record();
      default -> names().contains(command) ? climb(Effort.QUICK, words) : usage();
    };
  }

  private int export(List<String> rest) throws IOException, InterruptedException {
    Duration time = Duration.ofSeconds(number(rest, 0, (int) Effort.QUICK.export().toSeconds()));
    Export.run(Effort.QUICK.exporting(time), rest.size() > 1 ? rest.get(1) : "", results);
    return 0;
  }

  private int request(List<String> numbers) throws IOException, InterruptedException {
    WholeRequest.compare(
        number(numbers, 0, 20), number(numbers, 1, 6), number(numbers, 2, 50), results);
    return 0;
  }

  private int soak(List<String> numbers) throws IOException, InterruptedException {
    return WholeRequest.soak(number(numbers, 0, 10), number(numbers, 1, 50), results) ? 0 : 1;
  }

  private static int number(List<String> numbers, int index, int standard) {
    return numbers.size() > index ? Integer.parseInt(numbers.get(index)) : standard;
  }

  private int record() throws IOException {
    List<String> tables = new ArrayList<>(names());
    tables.add(WholeRequest.NAME);
    tables.add(WholeRequest.SOAK);
    tables.add("budget");
    tables.addAll(Budgets.profileNames());
    results.record(Path.of("docs", "performance.md"), tables);
    return 0;
  }

  private static int usage() {
    System.err.println(USAGE + "Ladders: " + String.join(" ", names()));
    return 2;
  }

  private static List<String> names() {
    List<String> names = new ArrayList<>();
    for (Ladder ladder : Ladder.values()) {
      names.add(ladder.word());
    }
    names.add(StartUp.NAME);
    names.add(Export.NAME);
    return names;
  }

  private int climb(Effort effort, List<String> wanted) throws IOException, InterruptedException {
    if (!names().containsAll(wanted)) {
      return usage();
    }
    for (Ladder ladder : Ladder.values()) {
      if (wanted.isEmpty() || wanted.contains(ladder.word())) {
        climb(effort, ladder);
      }
    }
    if (wanted.isEmpty() || wanted.contains(StartUp.NAME)) {
      new StartUp().run(effort, results);
    }
    if (wanted.isEmpty() || wanted.contains(Export.NAME)) {
      Export.run(effort, "", results);
    }
    return 0;
  }

  private void climb(Effort effort, Ladder ladder) throws IOException {
    Map<String, String> rungs = ladder.rungs();
    results.progress(
        ladder.word() + ": " + rungs.size() + " rungs, " + effort.forks() + " forks each");
    String prefix = ladder.benchmarks().getName() + ".";
    Map<String, Cost> costs =
        Jmh.run(
            rungs.keySet().stream().map(prefix::concat).toList(),
            effort,
            results.json(ladder.word()));
    Cost peer = costs.getOrDefault(prefix + ladder.peer(), Cost.UNKNOWN);
    Table table =
        new Table("subject", "ns/op", "±", "B/op", "caller's", "time to peer", "bytes to peer");
    rungs.forEach(
        (method, subject) -> {
          Cost cost = costs.getOrDefault(prefix + method, Cost.UNKNOWN);
          table.add(
              subject,
              Table.figure(cost.nanos(), 1),
              Table.figure(cost.error(), 1),
              Table.figure(cost.bytes(), 0),
              Table.figure(cost.callerBytes(), 0),
              Table.ratio(cost.nanos(), peer.nanos()),
              Table.ratio(ladder.comparedBytes(cost), ladder.comparedBytes(peer)));
        });
    results.show(
        ladder.word(),
        ladder.title(),
        effort.word() + " run",
        table,
        "The peer is \""
            + rungs.get(ladder.peer())
            + "\". Bytes are of the best fork: all, and those of the calling thread\nalone. "
            + ladder.compared()
            + " are compared.");
  }

  private int profile() throws IOException {
    Budgets.profile(results);
    return 0;
  }

  private int budget() throws IOException {
    // JMH refuses to run beside another JMH, since times suffer; bytes, on which this decides, do
    // not.
    System.setProperty("jmh.ignoreLock", "true");
    List<String> broken = Budgets.check(results);
    broken.forEach(line -> System.err.println("BUDGET BROKEN: " + line));
    return broken.isEmpty() ? 0 : 1;
  }
}
