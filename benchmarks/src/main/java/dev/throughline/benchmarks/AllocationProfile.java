// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import static java.util.Comparator.comparing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedClass;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordedThread;
import jdk.jfr.consumer.RecordingFile;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;
import org.openjdk.jmh.runner.IterationType;

/**
 * Each object that a call makes on its own thread. In a JVM without thread-local buffers every
 * allocation that the compiler left in is an event, so these are counts, not samples.
 */
public final class AllocationProfile implements InternalProfiler {

  static final String LABEL = "allocated: ";

  /** What a JVM needs for it. */
  static final String JVM_ARGUMENT = "-XX:-UseTLAB";

  private static final String EVENT = "jdk.ObjectAllocationOutsideTLAB";

  private Recording recording = new Recording();

  /** For JMH. */
  public AllocationProfile() {}

  /**
   * Objects of one class that are made in one place.
   *
   * @param what the class
   * @param where the method that makes it, the JDK's own left out
   */
  record Site(String what, String where) {

    static Site parse(String label) {
      String[] parts = label.substring(label.indexOf(LABEL) + LABEL.length()).split(" by ", 2);
      return new Site(parts[0], parts[1]);
    }

    String label() {
      return LABEL + what + " by " + where;
    }
  }

  @Override
  public String getDescription() {
    return "Objects that the measuring threads make";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    recording = new Recording();
    recording.enable(EVENT).withStackTrace();
    recording.start();
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    recording.stop();
    try {
      if (iteration.getType() != IterationType.MEASUREMENT) {
        return List.of();
      }
      double operations = iteration.getBatchSize();
      List<ScalarResult> results = new ArrayList<>();
      bytes()
          .forEach(
              (site, bytes) ->
                  results.add(
                      new ScalarResult(
                          site.label(), bytes / operations, "B/op", AggregationPolicy.AVG)));
      results.sort(comparing(ScalarResult::getLabel));
      return results;
    } catch (IOException e) {
      throw new IllegalStateException("Cannot read the recording", e);
    } finally {
      recording.close();
    }
  }

  private Map<Site, Long> bytes() throws IOException {
    Path file = Files.createTempFile("allocations", ".jfr");
    try {
      recording.dump(file);
      Map<Site, Long> bytes = new HashMap<>();
      try (RecordingFile events = new RecordingFile(file)) {
        while (events.hasMoreEvents()) {
          RecordedEvent event = events.readEvent();
          RecordedThread thread = event.getThread();
          if (event.getEventType().getName().equals(EVENT)
              && thread != null
              && thread.getJavaName() != null
              && thread.getJavaName().contains("jmh-worker")) {
            bytes.merge(site(event), event.getLong("allocationSize"), Long::sum);
          }
        }
      }
      return bytes;
    } finally {
      Files.delete(file);
    }
  }

  private static Site site(RecordedEvent event) {
    RecordedClass allocated = event.getValue("objectClass");
    String where = "the JVM";
    if (event.getStackTrace() != null) {
      for (RecordedFrame frame : event.getStackTrace().getFrames()) {
        RecordedMethod method = frame.getMethod();
        String owner = method.getType().getName();
        if (!owner.startsWith("java.") && !owner.startsWith("jdk.")) {
          where = simple(owner) + "." + method.getName();
          break;
        }
      }
    }
    return new Site(className(allocated.getName()), where);
  }

  /** The JVM's name of a class as one reads it: {@code [J} is {@code long[]}. */
  private static String className(String name) {
    if (!name.startsWith("[")) {
      return simple(name);
    }
    String element = name.substring(1);
    return switch (element.charAt(0)) {
          case 'L' -> simple(element.substring(1, element.length() - 1));
          case '[' -> className(element);
          case 'B' -> "byte";
          case 'C' -> "char";
          case 'I' -> "int";
          case 'J' -> "long";
          default -> element;
        }
        + "[]";
  }

  private static String simple(String className) {
    if (className.contains("$$Lambda")) {
      return "lambda";
    }
    return className.substring(className.lastIndexOf('.') + 1).replace('$', '.');
  }
}
