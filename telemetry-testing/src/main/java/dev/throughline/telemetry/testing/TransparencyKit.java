// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/**
 * The same scenarios on a bare subject and on one with the adapter around it: what each scenario
 * sees has to be the same, with telemetry on, unsampled, off, with request ids, and on a path that
 * is excluded.
 *
 * <pre>{@code
 * class JettyTransparencyTest extends TransparencyKit<Integer> {
 *   @Override protected Integer start(@Nullable Telemetry telemetry, boolean excluded) { ... }
 *   @Override protected void stop(Integer port) { ... }
 *   @Override protected List<Scenario<Integer>> scenarios() { ... }
 * }
 * }</pre>
 *
 * @param <S> what scenarios run on, e.g. a server's port or a client; started once per class and
 *     mode
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class TransparencyKit<S> {

  /** The header that carries request ids, where they are on. */
  protected static final String REQUEST_ID = "X-Request-Id";

  /** The ways in which the subject is started. */
  private enum Mode {
    BARE,
    ON,
    UNSAMPLED,
    REQUEST_IDS,
    EXCLUDED,
    OFF
  }

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

    /** What was seen. */
    String on(S subject) throws Exception;
  }

  private final Map<Scenario<S>, String> bare = new HashMap<>();
  private final Map<Mode, S> subjects = new EnumMap<>(Mode.class);
  private final Map<Mode, Telemetry> telemetries = new EnumMap<>(Mode.class);

  /**
   * Starts what the scenarios run on.
   *
   * @param telemetry what the adapter is made of; null is the subject without the adapter
   * @param excluded whether the adapter is to leave out whatever the scenarios do
   */
  protected abstract S start(@Nullable Telemetry telemetry, boolean excluded) throws Exception;

  /** Stops what {@link #start} started. */
  protected abstract void stop(S subject) throws Exception;

  /** What is done to the subject, in any order. */
  protected abstract List<Scenario<S>> scenarios();

  @TestFactory
  Stream<DynamicTest> seesTheSameWithTheAdapter() {
    return scenarios().stream()
        .flatMap(
            scenario ->
                Stream.of(Mode.values())
                    .filter(mode -> mode != Mode.BARE)
                    .map(
                        mode ->
                            DynamicTest.dynamicTest(
                                scenario.name() + ", " + mode,
                                () -> assertThat(seen(scenario, mode)).isEqualTo(bare(scenario)))));
  }

  @AfterAll
  void stopAll() throws Exception {
    for (S subject : subjects.values()) {
      stop(subject);
    }
    telemetries.values().forEach(Telemetry::close);
  }

  private String bare(Scenario<S> scenario) throws Exception {
    String seen = bare.get(scenario);
    if (seen == null) {
      seen = seen(scenario, Mode.BARE);
      bare.put(scenario, seen);
    }
    return seen;
  }

  private String seen(Scenario<S> scenario, Mode mode) throws Exception {
    S subject = subjects.get(mode);
    if (subject == null) {
      subject = start(telemetry(mode), mode == Mode.EXCLUDED);
      subjects.put(mode, subject);
    }
    return scenario.run().on(subject);
  }

  private @Nullable Telemetry telemetry(Mode mode) {
    if (mode == Mode.BARE) {
      return null;
    }
    Telemetry telemetry =
        switch (mode) {
          case OFF -> Telemetry.noop();
          case UNSAMPLED -> telemetry("otel.traces.sampler", "always_off");
          case REQUEST_IDS -> telemetry("telemetry.request.id.header", REQUEST_ID);
          default -> telemetry("otel.traces.sampler", "always_on");
        };
    telemetries.put(mode, telemetry);
    return telemetry;
  }

  private static Telemetry telemetry(String key, String value) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .addProperty("otel.traces.exporter", "none")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .addProperty(key, value)
        .build();
  }
}
