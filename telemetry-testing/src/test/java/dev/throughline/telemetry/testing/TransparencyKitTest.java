// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** An adapter that changes something fails the kit, in the scenario that shows it. */
class TransparencyKitTest {

  private static final List<String> STARTED = Collections.synchronizedList(new ArrayList<>());

  /** An adapter, as what it makes of an answer in a mode. */
  private static BinaryOperator<String> adapter;

  static class Kit extends TransparencyKit<BinaryOperator<String>> {

    @Override
    protected BinaryOperator<String> start(@Nullable Telemetry telemetry, Mode mode) {
      STARTED.add(mode.name());
      assertThat(telemetry == null).isEqualTo(mode.equals(BARE));
      return (scenario, answer) ->
          telemetry == null ? answer : adapter.apply(scenario + ", " + mode.name(), answer);
    }

    @Override
    protected void stop(BinaryOperator<String> subject) {
      STARTED.remove(STARTED.size() - 1);
    }

    @Override
    protected List<Scenario<BinaryOperator<String>>> scenarios() {
      return List.of(
          new Scenario<>("short", subject -> subject.apply("short", "200\r\nA: 1\r\n\r\nbody")),
          new Scenario<>("long", subject -> subject.apply("long", "200\n" + "x".repeat(50_000))));
    }

    @Override
    Duration longest() {
      return Duration.ofSeconds(3);
    }
  }

  @Test
  void anAdapterThatChangesNothingPasses() {
    JUnitRun run = run((scenario, answer) -> answer);
    assertThat(run.failures()).isEmpty();
    assertThat(run.tests().keySet())
        .containsExactlyInAnyOrder(
            "short, on",
            "short, unsampled",
            "short, request ids",
            "short, excluded",
            "short, off",
            "long, on",
            "long, unsampled",
            "long, request ids",
            "long, excluded",
            "long, off");
    assertThat(STARTED).isEmpty();
  }

  @Test
  void tellsTheLinesThatDiffer() {
    JUnitRun run =
        run(
            (scenario, answer) ->
                scenario.equals("short, off") ? answer.replace("A: 1\r", "A: 2") : answer);
    assertThat(run.failures()).containsOnlyKeys("short, off");
    assertThat(run.failure("short, off"))
        .isInstanceOf(AssertionError.class)
        .hasMessage(
            "\"short\" differs with telemetry off:%nline 2%n  bare: A: 1\\r%n  seen: A: 2"
                .formatted());
  }

  @Test
  void tellsAnEndOfLineThatIsLost() {
    JUnitRun run = run((scenario, answer) -> answer.replace("body", "body\n"));
    assertThat(run.failures())
        .containsOnlyKeys(
            "short, on", "short, unsampled", "short, request ids", "short, excluded", "short, off");
    assertThat(run.failure("short, on")).hasMessageContaining("line 5");
  }

  @Test
  void tellsOfALongLineTheEndThatDiffers() {
    JUnitRun run =
        run((scenario, answer) -> scenario.equals("long, on") ? answer + "more" : answer);
    assertThat(run.failures()).containsOnlyKeys("long, on");
    assertThat(run.failures().get("long, on")).endsWith("xmore").hasSizeLessThan(1_000);
  }

  @Test
  void tellsWhichScenarioDoesNotReturn() {
    JUnitRun run =
        run(
            (scenario, answer) -> {
              if (scenario.equals("long, excluded")) {
                awaitForEver();
              }
              return answer;
            });
    assertThat(run.failures()).containsOnlyKeys("long, excluded");
    assertThat(run.failures().get("long, excluded"))
        .startsWith("\"long\" does not return, excluded");
  }

  private static JUnitRun run(BinaryOperator<String> adapter) {
    TransparencyKitTest.adapter = adapter;
    JUnitRun run = JUnitRun.of(Kit.class);
    assertThat(run.containerFailures()).isEmpty();
    assertThat(run.tests()).hasSize(10);
    return run;
  }

  private static void awaitForEver() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
