// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The behaviour of an adapter when something that it calls throws: what the application sees stays
 * the same, the span ends, and the log names what threw.
 *
 * <p>Everything of OpenTelemetry that an adapter may call for a request throws once; an adapter
 * adds the hooks of its own.
 */
public abstract class ThrowingHooksKit {

  private static final List<String> OPENTELEMETRY =
      List.of(
          "Tracer.spanBuilder",
          "SpanBuilder.setSpanKind",
          "SpanBuilder.setParent",
          "SpanBuilder.setAttribute",
          "SpanBuilder.startSpan",
          "Span.isRecording",
          "Span.setAttribute",
          "Span.addEvent",
          "Span.updateName",
          "Span.recordException",
          "Span.setStatus",
          "Span.end",
          "DoubleHistogram.record",
          "LongUpDownCounter.add",
          "LongCounter.add",
          "TextMapPropagator.extract",
          "TextMapPropagator.inject");

  /** What the conventions advise for durations in seconds. */
  static final Double[] BOUNDARIES = {
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1d, 2.5, 5d, 7.5, 10d
  };

  private static final Duration LATE = Duration.ofMillis(200);

  private static final Set<String> WITHOUT_SPAN =
      Set.of(
          "Tracer.spanBuilder",
          "SpanBuilder.setSpanKind",
          "SpanBuilder.setParent",
          "SpanBuilder.startSpan",
          "Span.end");

  /** What the tests record; each has its own. */
  @RegisterExtension protected final TelemetryExtension telemetry = TelemetryExtension.create();

  /** An exchange between an application and its peer, through an adapter. */
  @FunctionalInterface
  public interface Exchange {

    /**
     * Runs the exchange to its end.
     *
     * @param telemetry what the adapter is made of; null runs the exchange without the adapter
     * @return what the application and its peer see of it, exceptions included; compared by {@code
     *     equals}
     */
    Object run(@Nullable Telemetry telemetry) throws Exception;
  }

  /**
   * A hook of the adapter's own.
   *
   * @param name by which the log names it
   * @param exchange runs with this hook throwing
   */
  public record Hook(String name, Exchange exchange) {}

  /** An exchange that calls as much of the adapter as one can, failures included. */
  protected abstract Exchange exchange();

  /** The hooks of the adapter's own; none by default. */
  protected List<Hook> hooks() {
    return List.of();
  }

  @TestFactory
  protected Stream<DynamicTest> aThrowingHookChangesNothing() throws Exception {
    Object expected = exchange().run(null);
    Stream<DynamicTest> openTelemetry =
        OPENTELEMETRY.stream()
            .map(
                method ->
                    DynamicTest.dynamicTest(method, () -> openTelemetryThrows(method, expected)));
    Stream<DynamicTest> own =
        hooks().stream()
            .map(hook -> DynamicTest.dynamicTest(hook.name, () -> hookThrows(hook, expected)));
    return Stream.concat(openTelemetry, own);
  }

  private void openTelemetryThrows(String method, Object expected) {
    ThrowingOpenTelemetry throwing = new ThrowingOpenTelemetry(method);
    Telemetry over = Telemetry.of(throwing.over(telemetry.telemetry().openTelemetry()));

    Object seen = seen(exchange(), over);

    // A server may still be about to end what its client has seen the end of.
    telemetry.warnings().await(LATE, warnings -> !warnings.isEmpty());
    List<String> running =
        telemetry
            .spans()
            .giveUpRunning(WITHOUT_SPAN.contains(method) ? Duration.ZERO : telemetry.timeout());
    List<SpanData> spans = telemetry.spans().takeLeftovers();
    List<Warning> warnings = telemetry.warnings().takeAll();
    assumeTrue(throwing.calls() > 0, "not called by this adapter");
    assertThat(seen).as("what the application sees").isEqualTo(expected);
    assertThat(warnings).as("the log").isNotEmpty();
    if (!WITHOUT_SPAN.contains(method)) {
      assertThat(spans).as("the spans").isNotEmpty();
      assertThat(running).as("spans that did not end").isEmpty();
    }
  }

  private void hookThrows(Hook hook, Object expected) {
    Object seen = seen(hook.exchange, telemetry.telemetry());

    assertThat(seen).as("what the application sees").isEqualTo(expected);
    telemetry.expectWarn(Pattern.quote(hook.name));
    telemetry.warnings().takeAll();
    assertThat(telemetry.spans().giveUpRunning(telemetry.timeout()))
        .as("spans that did not end")
        .isEmpty();
    assertThat(telemetry.spans().takeLeftovers()).as("the spans").isNotEmpty();
  }

  private static Object seen(Exchange exchange, Telemetry telemetry) {
    try {
      return exchange.run(telemetry);
    } catch (Throwable t) {
      return t;
    }
  }

  static Map<String, Object> attributes(SpanData span) {
    Map<String, Object> attributes = new HashMap<>();
    span.getAttributes().forEach((key, value) -> attributes.put(key.getKey(), value));
    return attributes;
  }
}
