// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** A run of test classes within a test, and how each of their tests ended. */
final class JUnitRun implements TestExecutionListener {

  private final Map<String, TestExecutionResult> tests = new ConcurrentHashMap<>();
  private final List<Throwable> containerFailures = new ArrayList<>();

  static JUnitRun of(Class<?> testClass) {
    return run(1, List.of(selectClass(testClass)));
  }

  static JUnitRun of(Class<?> testClass, String method) {
    return run(1, List.of(selectMethod(testClass, method)));
  }

  static JUnitRun inParallel(Class<?>... classes) {
    return run(2, Arrays.stream(classes).map(DiscoverySelectors::selectClass).toList());
  }

  private static JUnitRun run(int threads, List<? extends DiscoverySelector> selectors) {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectors)
            .configurationParameter("junit.jupiter.execution.parallel.enabled", "" + (threads > 1))
            .configurationParameter("junit.jupiter.execution.parallel.mode.default", "same_thread")
            .configurationParameter(
                "junit.jupiter.execution.parallel.mode.classes.default", "concurrent")
            .configurationParameter("junit.jupiter.execution.parallel.config.strategy", "fixed")
            .configurationParameter(
                "junit.jupiter.execution.parallel.config.fixed.parallelism", "" + threads)
            .build();
    JUnitRun run = new JUnitRun();
    LauncherFactory.create().execute(request, run);
    return run;
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (test.isTest()) {
      tests.put(test.getDisplayName().replace("()", ""), result);
    } else {
      result.getThrowable().ifPresent(containerFailures::add);
    }
  }

  /** The tests that failed, with what they failed for. */
  Map<String, String> failures() {
    Map<String, String> failures = new TreeMap<>();
    tests.forEach(
        (name, result) -> {
          if (result.getStatus() == Status.FAILED) {
            failures.put(name, failure(name).getMessage());
          }
        });
    return failures;
  }

  Throwable failure(String test) {
    return tests.get(test).getThrowable().orElseThrow();
  }

  Map<String, TestExecutionResult> tests() {
    return tests;
  }

  List<Throwable> containerFailures() {
    return containerFailures;
  }
}
