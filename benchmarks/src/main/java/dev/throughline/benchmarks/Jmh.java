// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import static java.util.Objects.requireNonNull;

import dev.throughline.benchmarks.AllocationProfile.Site;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Runs rungs with JMH, each in forks of its own. */
final class Jmh {

  private static final String BYTES = "gc.alloc.rate.norm";
  private static final int WARM_UPS = 3;
  // As the SDK does by Subjects, ours says nothing of dropped spans.
  private static final String[] JVM_ARGUMENTS = {"-Xmx1g", "-DFLEET_LOG_LEVEL=ERROR"};

  private Jmh() {}

  /**
   * What a rung costs.
   *
   * @param nanos mean of all forks
   * @param error half of the 99.9 % interval of that
   * @param bytes that the JVM allocates, of the fork with the fewest: compiled twice, the same code
   *     leaves out more objects the one time than the other
   * @param callerBytes what of them the calling thread allocates itself
   */
  record Cost(double nanos, double error, double bytes, double callerBytes) {
    static final Cost UNKNOWN = new Cost(Double.NaN, Double.NaN, Double.NaN, Double.NaN);
  }

  /**
   * Measures rungs.
   *
   * @param rungs methods, in the form {@code package.Class.method}
   * @param json where JMH's own result goes; its log goes beside it
   * @return the costs by rung
   */
  static Map<String, Cost> run(Collection<String> rungs, Effort effort, Path json)
      throws IOException {
    Map<String, List<String>> byJars = new TreeMap<>();
    for (String rung : rungs) {
      byJars.computeIfAbsent(jars(rung), jars -> new ArrayList<>()).add(rung);
    }
    Map<String, Cost> costs = new HashMap<>();
    String classPath = System.getProperty("java.class.path");
    try {
      for (Map.Entry<String, List<String>> group : byJars.entrySet()) {
        String jars = group.getKey();
        if (jars.isEmpty()) {
          costs.putAll(runTogether(group.getValue(), effort, json));
        } else {
          // JMH gives its forks this class path.
          System.setProperty(
              "java.class.path",
              classPath + File.pathSeparator + Path.of("benchmarks", "target", jars, "*"));
          costs.putAll(runTogether(group.getValue(), effort, Path.of(json + "-" + jars + ".json")));
        }
      }
    } finally {
      System.setProperty("java.class.path", classPath);
    }
    return costs;
  }

  private static String jars(String rung) {
    int dot = rung.lastIndexOf('.');
    try {
      for (Method method : Class.forName(rung.substring(0, dot)).getMethods()) {
        Rung annotation = method.getAnnotation(Rung.class);
        if (annotation != null && method.getName().equals(rung.substring(dot + 1))) {
          return annotation.jars();
        }
      }
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException("no such rung: " + rung, e);
    }
    return "";
  }

  private static Map<String, Cost> runTogether(Collection<String> rungs, Effort effort, Path json)
      throws IOException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .addProfiler(GCProfiler.class)
            .addProfiler(CallerBytes.class)
            .forks(effort.forks())
            .jvmArgs(JVM_ARGUMENTS)
            .warmupIterations(WARM_UPS)
            .warmupTime(TimeValue.milliseconds(effort.warmUp().toMillis() / WARM_UPS))
            .measurementIterations(effort.iterations())
            .measurementTime(TimeValue.milliseconds(effort.iteration().toMillis()))
            .shouldFailOnError(true)
            .resultFormat(ResultFormatType.JSON)
            .result(json.toString())
            .output(json + ".log");
    for (String rung : rungs) {
      options.include("^" + Pattern.quote(rung) + "$");
    }
    Map<String, Cost> costs = new HashMap<>();
    try {
      for (RunResult result : new Runner(options.build()).run()) {
        costs.put(
            result.getParams().getBenchmark(),
            new Cost(
                result.getPrimaryResult().getScore(),
                result.getPrimaryResult().getScoreError(),
                least(result, BYTES),
                least(result, CallerBytes.LABEL)));
      }
    } catch (RunnerException e) {
      throw new IOException("JMH failed; its log is " + json + ".log", e);
    }
    for (String rung : List.copyOf(rungs)) {
      if (!costs.containsKey(rung)) {
        throw new IOException("JMH measured no " + rung + "; its log is " + json + ".log");
      }
    }
    return costs;
  }

  /**
   * Counts what a rung's calls allocate, place by place.
   *
   * @return bytes of a call by place, the most first; what is less than an object a call is left
   *     out
   */
  static Map<Site, Double> allocations(String rung, Path json) throws IOException {
    int calls = 2_000;
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + Pattern.quote(rung) + "$")
            .addProfiler(AllocationProfile.class)
            .forks(1)
            .jvmArgs(JVM_ARGUMENTS)
            .jvmArgsAppend(AllocationProfile.JVM_ARGUMENT)
            .mode(Mode.SingleShotTime)
            .warmupIterations(20)
            .warmupBatchSize(10 * calls)
            .measurementIterations(5)
            .measurementBatchSize(calls)
            .shouldFailOnError(true)
            .output(json + ".log");
    Map<Site, Double> bytes = new HashMap<>();
    try {
      for (RunResult result : new Runner(options.build()).run()) {
        for (String label : result.getSecondaryResults().keySet()) {
          double score = result.getSecondaryResults().get(label).getScore();
          if (label.contains(AllocationProfile.LABEL) && score >= 4) {
            bytes.put(Site.parse(label), score);
          }
        }
      }
    } catch (RunnerException e) {
      throw new IOException("JMH failed; its log is " + json + ".log", e);
    }
    Map<Site, Double> sorted = new LinkedHashMap<>();
    bytes.entrySet().stream()
        .sorted(Map.Entry.<Site, Double>comparingByValue().reversed())
        .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    return sorted;
  }

  private static double least(RunResult result, String label) {
    double least = Double.NaN;
    for (BenchmarkResult fork : result.getBenchmarkResults()) {
      double bytes = requireNonNull(fork.getSecondaryResults().get(label), label).getScore();
      least = bytes >= least ? least : bytes;
    }
    return least;
  }
}
