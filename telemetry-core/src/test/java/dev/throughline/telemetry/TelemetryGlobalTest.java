// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import org.junit.jupiter.api.Test;

/** What a process has once; each of these runs in one of its own. */
class TelemetryGlobalTest {

  private static ChildJvm run(Class<?> main) {
    return ChildJvm.of(main)
        .environment("OTEL_TRACES_EXPORTER", "none")
        .environment("OTEL_METRICS_EXPORTER", "none")
        .environment("OTEL_LOGS_EXPORTER", "none")
        .start();
  }

  private static void say(String what, Object value) {
    System.out.println("said " + what + ": " + value);
  }

  @Test
  void theFirstIsGlobalUntilItIsClosed() {
    try (ChildJvm child = run(InitMain.class)) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("said "))
          .containsExactly(
              "noop before: true",
              "first is global: true",
              "OpenTelemetry's global records: true",
              "second is another: true",
              "first is still global: true",
              "first survives the second's close: true",
              "noop after the close: true",
              "OpenTelemetry's global records after the close: false",
              "third is global: true",
              "OpenTelemetry's global records again: true",
              "and it is the third's: true",
              "a builder's is not: true");
      assertThat(child.output()).noneMatch(line -> line.contains("WARN"));
    }
  }

  /** Starts telemetry again and again. */
  static final class InitMain {

    public static void main(String[] args) {
      say("noop before", Telemetry.global() == Telemetry.noop());
      Telemetry first = Telemetry.init("first");
      say("first is global", Telemetry.global() == first);
      say("OpenTelemetry's global records", records());
      Telemetry second = Telemetry.init("second");
      say("second is another", first != second && second.isEnabled());
      say("first is still global", Telemetry.global() == first);
      second.close();
      say("first survives the second's close", Telemetry.global() == first);
      first.close();
      say("noop after the close", Telemetry.global() == Telemetry.noop());
      say("OpenTelemetry's global records after the close", records());
      try (Telemetry third = Telemetry.init("third")) {
        say("third is global", Telemetry.global() == third);
        say("OpenTelemetry's global records again", records());
        say(
            "and it is the third's",
            GlobalOpenTelemetry.getTracerProvider().get("t")
                == third.openTelemetry().getTracer("t"));
        try (Telemetry built = Telemetry.builder().build()) {
          say("a builder's is not", Telemetry.global() == third && built != third);
        }
      }
    }

    private static boolean records() {
      return GlobalOpenTelemetry.getTracer("library").spanBuilder("s").startSpan().isRecording();
    }
  }

  @Test
  void aGlobalOfSomeoneElsesStays() {
    try (ChildJvm child = run(OtherMain.class)) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("said "))
          .containsExactly(
              "the other's tracer stays: true", "ours is ours: true", "ours records: true");
      assertThat(child.output())
          .filteredOn(line -> line.contains("WARN"))
          .singleElement()
          .asString()
          .contains("OpenTelemetry's global instance was there before Telemetry.init, set at ")
          .contains("TelemetryGlobalTest$OtherMain.main(TelemetryGlobalTest.java:")
          .contains("Telemetry.of(GlobalOpenTelemetry.get())");
    }
  }

  @Test
  void whoeverAsksForTheGlobalInstanceEarlyIsTold() {
    try (ChildJvm child = run(EarlyMain.class)) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("said ")).containsExactly("ours is ours: true", "ours records: true");
      assertThat(child.output())
          .filteredOn(line -> line.contains("WARN"))
          .singleElement()
          .asString()
          .contains("was there before Telemetry.init, asked for at ")
          .contains("TelemetryGlobalTest$EarlyMain.<clinit>(TelemetryGlobalTest.java:")
          .contains("Call Telemetry.init first thing in main()");
    }
  }

  /** A library's tracer, in a static field. */
  static final class EarlyMain {

    private static final Tracer LIBRARY = GlobalOpenTelemetry.getTracer("library");

    public static void main(String[] args) {
      try (Telemetry telemetry = Telemetry.init("ours")) {
        say("ours is ours", Telemetry.global() == telemetry && LIBRARY != telemetry.tracer());
        say("ours records", telemetry.tracer().spanBuilder("s").startSpan().isRecording());
      }
    }
  }

  /** A framework has set OpenTelemetry's global instance before. */
  static final class OtherMain {

    public static void main(String[] args) {
      OpenTelemetry other = OpenTelemetrySdk.builder().build();
      GlobalOpenTelemetry.set(other);
      try (Telemetry telemetry = Telemetry.init("ours")) {
        say("the other's tracer stays", GlobalOpenTelemetry.getTracer("t") == other.getTracer("t"));
        say("ours is ours", Telemetry.global() == telemetry);
        say("ours records", telemetry.tracer().spanBuilder("s").startSpan().isRecording());
      }
    }
  }

  @Test
  void offIsGlobalToo() {
    try (ChildJvm child =
        ChildJvm.of(OffMain.class).environment("OTEL_SDK_DISABLED", "true").start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("said "))
          .containsExactly("off is global: true", "nothing is recorded: true");
    }
  }

  /** A service that is switched off. */
  static final class OffMain {

    public static void main(String[] args) {
      try (Telemetry telemetry = Telemetry.init("off")) {
        say("off is global", Telemetry.global() == telemetry && !telemetry.isEnabled());
        say(
            "nothing is recorded",
            !GlobalOpenTelemetry.getTracer("t")
                .spanBuilder("s")
                .startSpan()
                .getSpanContext()
                .isValid());
      }
    }
  }

  @Test
  void aServiceHasAName() {
    assertThatThrownBy(() -> Telemetry.init(null)).isInstanceOf(NullPointerException.class);
    assertThat(Telemetry.global()).isSameAs(Telemetry.noop());
  }
}
