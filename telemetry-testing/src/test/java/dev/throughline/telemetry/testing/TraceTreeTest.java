// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.opentest4j.AssertionFailedError;

/** Assertions on trees of spans, and the messages of those that fail. */
class TraceTreeTest {

  @RegisterExtension
  final TelemetryExtension extension =
      TelemetryExtension.builder().setTimeout(Duration.ofMillis(500)).build();

  private final Telemetry telemetry = extension.telemetry();

  @Test
  void readsAsItIsWritten() {
    createSession();

    assertThat(extension)
        .tree(
            """
            POST /CreateVNCSession  SERVER
              session.create        session.id="a b"
              SELECT sessions       CLIENT
              GET                   CLIENT ERROR http.response.status_code=503 hosts="[a, b]"
            """);
  }

  @Test
  void marksTheLinesThatDiffer() {
    createSession();

    AssertionFailedError failure =
        catchThrowableOfType(
            AssertionFailedError.class,
            () ->
                assertThat(extension)
                    .tree(
                        """
                        POST /CreateVNCSession  SERVER
                          session.create        session.id=ab
                            SELECT sessions     CLIENT
                          GET                   CLIENT http.response.status_code=503 absent=1
                          DELETE                CLIENT
                        """));

    assertThat(failure)
        .hasMessage(
            """
            The trace tree differs (- expected, + actual):
              POST /CreateVNCSession  SERVER
            -   session.create  session.id=ab
            -     SELECT sessions  CLIENT
            -   GET  CLIENT http.response.status_code=503 absent=1
            -   DELETE  CLIENT
            +   session.create  session.id="a b"
            +   SELECT sessions  CLIENT
            +   GET  CLIENT ERROR http.response.status_code=503""");
    assertThat(failure.getActual().getStringRepresentation())
        .isEqualTo(
            """
            POST /CreateVNCSession  SERVER
              session.create  session.id="a b"
              SELECT sessions  CLIENT
              GET  CLIENT ERROR http.response.status_code=503""");
    assertThat(failure.getExpected().getStringRepresentation())
        .startsWith("POST /CreateVNCSession  SERVER\n  session.create  session.id=ab\n");
  }

  @Test
  void marksALineThatIsTooMuchAndOneThatIsMissing() {
    telemetry.span("root").run(() -> telemetry.span("extra").run(() -> {}));
    telemetry.span("second").run(() -> {});

    assertThatThrownBy(() -> assertThat(extension).tree("root\nsecond\nthird"))
        .hasMessage(
            """
            The trace tree differs (- expected, + actual):
              root
            +   extra
              second
            - third""");
  }

  @Test
  void waitsUntilTheTraceIsWhole() {
    ActiveSpan root = telemetry.span("root").start();
    CompletableFuture<Void> late =
        CompletableFuture.runAsync(
            () -> {
              telemetry.span("late").parent(root.context()).run(() -> {});
              root.end();
            },
            CompletableFuture.delayedExecutor(20, TimeUnit.MILLISECONDS));

    assertThat(extension).tree("root\n  late");
    late.join();
  }

  @Test
  void tellsWhatIsStillRunning() {
    ActiveSpan root = telemetry.span("root").start();
    telemetry.span("below").parent(root.context()).run(() -> {});

    assertThatThrownBy(() -> assertThat(extension).tree("root\n  below"))
        .hasMessage(
            """
            The trace tree differs (- expected, + actual):
            - root
            -   below
            + below
            Started and not ended: [root]""");
    root.end();
    extension.takeSpan();
  }

  @Test
  void rootsOfSeveralTracesStandInTheOrderTheyStarted() {
    ActiveSpan first = telemetry.span("z").start();
    telemetry.span("y").run(() -> {});
    telemetry
        .span("x")
        .parent(
            telemetry.extract(
                Map.of("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")))
        .run(() -> {});
    first.end();

    assertThat(extension).tree("z\ny\nx");
  }

  @Test
  void siblingsOfOneNanosecondStandByName() {
    ActiveSpan root = telemetry.span("root").start();
    for (String name : List.of("b", "c", "a")) {
      telemetry
          .tracer()
          .spanBuilder(name)
          .setParent(root.context())
          .setStartTimestamp(1, TimeUnit.SECONDS)
          .startSpan()
          .end();
    }
    root.end();

    assertThat(extension).tree("root\n  a\n  b\n  c");
  }

  @Test
  void noSpansAreAnEmptyTree() {
    assertThat(extension).tree("");
    assertThatThrownBy(() -> assertThat(extension).tree("a"))
        .hasMessage("The trace tree differs (- expected, + actual):\n- a");
  }

  @Test
  void refusesWhatCannotBeRead() {
    assertThatThrownBy(() -> assertThat(extension).tree("a  SERVRE"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("\"SERVRE\" is neither a span's kind, nor ERROR, nor key=value");
    assertThatThrownBy(() -> assertThat(extension).tree("a\n    b\n  c"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("\"  c\" is indented as no line above it");
  }

  private void createSession() {
    telemetry
        .span("POST /CreateVNCSession")
        .kind(SpanKind.SERVER)
        .run(
            () -> {
              telemetry.span("session.create").attribute("session.id", "a b").run(() -> {});
              telemetry.span("SELECT sessions").kind(SpanKind.CLIENT).run(() -> {});
              telemetry
                  .span("GET")
                  .kind(SpanKind.CLIENT)
                  .attribute("http.response.status_code", 503)
                  .attribute(AttributeKey.stringArrayKey("hosts"), List.of("a", "b"))
                  .run(span -> span.status(StatusCode.ERROR));
            });
  }
}
