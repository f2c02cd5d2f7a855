// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.throughline.telemetry.Telemetry;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.util.diff.Delta;
import org.assertj.core.util.diff.DiffUtils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.opentest4j.AssertionFailedError;

/**
 * The same scenarios on a bare subject and on one with the adapter around it: each scenario has to
 * see the same, byte for byte, with telemetry on, unsampled, off, with request ids, and where the
 * adapter excludes what the scenarios do. A failure names the scenario and the lines that differ.
 *
 * <pre>{@code
 * class JettyTransparencyTest extends TransparencyKit<Integer> {
 *   @Override protected Integer start(@Nullable Telemetry telemetry, Mode mode) { ... }
 *   @Override protected void stop(Integer port) { ... }
 *   @Override protected List<Scenario<Integer>> scenarios() { ... }
 * }
 * }</pre>
 *
 * @param <S> the subject, e.g. a server's port, a channel or a client; started once per class and
 *     mode
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class TransparencyKit<S> {

  /** The header that carries request ids in the mode {@link #REQUEST_IDS}. */
  protected static final String REQUEST_ID = "X-Request-Id";

  /** Without the adapter. */
  protected static final Mode BARE = new Mode("bare", "", "");

  /** Every request is recorded. */
  protected static final Mode ON = new Mode("on", "otel.traces.sampler", "always_on");

  /** No span is sampled. */
  protected static final Mode UNSAMPLED =
      new Mode("unsampled", "otel.traces.sampler", "always_off");

  /** Every request is recorded, and has an id. */
  protected static final Mode REQUEST_IDS =
      new Mode("request ids", "telemetry.request.id.header", REQUEST_ID);

  /** The adapter leaves out whatever the scenarios do. */
  protected static final Mode EXCLUDED = new Mode("excluded", "otel.traces.sampler", "always_on");

  /** Telemetry is off. */
  protected static final Mode OFF = new Mode("off", "otel.sdk.disabled", "true");

  // Many times what a scenario takes on a machine that is busy.
  private static final Duration LONGEST = Duration.ofMinutes(2);
  private static final int SHOWN = 300;

  /**
   * A way in which the subject is started.
   *
   * @param name stands behind the scenario's in a test's name
   * @param key the setting of the telemetry, e.g. {@code otel.traces.sampler}
   * @param value its value
   */
  public record Mode(String name, String key, String value) {}

  /**
   * Something that is done to the subject.
   *
   * @param run tells all that an application or its peer can see, without what differs from run to
   *     run, such as a date or a port
   */
  public record Scenario<S>(String name, Run<S> run) {}

  /** Runs a scenario. */
  @FunctionalInterface
  public interface Run<S> {

    /** The lines that are compared. */
    String on(S subject) throws Exception;
  }

  private final Map<Scenario<S>, String> bare = new HashMap<>();
  private final Map<Mode, S> subjects = new HashMap<>();
  private final Map<Mode, Telemetry> telemetries = new HashMap<>();

  /**
   * Starts what the scenarios run on.
   *
   * @param telemetry the adapter's; null for {@link #BARE}, the subject without the adapter
   * @param mode {@link #BARE}, or one of {@link #modes()}
   */
  protected abstract S start(@Nullable Telemetry telemetry, Mode mode) throws Exception;

  /** Stops what {@link #start} started. */
  protected abstract void stop(S subject) throws Exception;

  /** The scenarios; they run in any order, each on a thread of its own. */
  protected abstract List<Scenario<S>> scenarios();

  /** The modes that are compared with the bare subject; an adapter adds its own, or leaves out. */
  protected List<Mode> modes() {
    return List.of(ON, UNSAMPLED, REQUEST_IDS, EXCLUDED, OFF);
  }

  /** How long a scenario may take; one that takes longer fails, and its thread is interrupted. */
  Duration longest() {
    return LONGEST;
  }

  @TestFactory
  Stream<DynamicTest> seesTheSameWithTheAdapter() {
    return scenarios().stream()
        .flatMap(
            scenario ->
                modes().stream()
                    .map(
                        mode ->
                            DynamicTest.dynamicTest(
                                scenario.name() + ", " + mode.name(),
                                () -> compare(scenario, mode))));
  }

  @AfterAll
  void stopAll() throws Exception {
    for (S subject : subjects.values()) {
      stop(subject);
    }
    telemetries.values().forEach(Telemetry::close);
  }

  private void compare(Scenario<S> scenario, Mode mode) throws Exception {
    String expected = bare.get(scenario);
    if (expected == null) {
      expected = seen(scenario, BARE);
      bare.put(scenario, expected);
    }
    String seen = seen(scenario, mode);
    if (!seen.equals(expected)) {
      throw new AssertionFailedError(
          "\"%s\" differs with telemetry %s:%n%s"
              .formatted(scenario.name(), mode.name(), differences(expected, seen)),
          expected,
          seen);
    }
  }

  private String seen(Scenario<S> scenario, Mode mode) throws Exception {
    S started = subjects.get(mode);
    if (started == null) {
      started = start(telemetry(mode), mode);
      subjects.put(mode, started);
    }
    S subject = started;
    return assertTimeoutPreemptively(
        longest(),
        () -> scenario.run().on(subject),
        () -> "\"%s\" does not return, %s".formatted(scenario.name(), mode.name()));
  }

  private static String differences(String bare, String seen) {
    return DiffUtils.diff(lines(bare), lines(seen)).getDeltas().stream()
        .map(TransparencyKit::difference)
        .collect(Collectors.joining("\n"));
  }

  private static List<String> lines(String text) {
    // The end of a line is compared as well.
    return List.of(text.replace("\r", "\\r").split("\n", -1));
  }

  private static String difference(Delta<String> delta) {
    String bare = String.join("\n", delta.getOriginal().getLines());
    String seen = String.join("\n", delta.getRevised().getLines());
    int same = 0;
    while (same < Math.min(bare.length(), seen.length())
        && bare.charAt(same) == seen.charAt(same)) {
      same++;
    }
    return "line %d%n  bare: %s%n  seen: %s"
        .formatted(delta.lineNumber(), from(same, bare), from(same, seen));
  }

  /** A long text from a little before the first difference on. */
  private static String from(int same, String text) {
    int start = text.length() <= SHOWN ? 0 : Math.max(0, same - SHOWN / 4);
    int end = Math.min(text.length(), start + SHOWN);
    return (start > 0 ? "..." : "")
        + text.substring(start, end)
        + (end < text.length() ? "..." : "");
  }

  private @Nullable Telemetry telemetry(Mode mode) {
    if (mode.equals(BARE)) {
      return null;
    }
    Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addProperty(mode.key(), mode.value())
            .build();
    telemetries.put(mode, telemetry);
    return telemetry;
  }
}
