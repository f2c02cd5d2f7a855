// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.time.Instant;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The span API over an OpenTelemetry of somebody else's, in which one method throws. */
class ForeignOpenTelemetryTest {

  private final OpenTelemetrySdk working =
      OpenTelemetrySdk.builder().setTracerProvider(SdkTracerProvider.builder().build()).build();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Tracer.spanBuilder",
        "SpanBuilder.setSpanKind",
        "SpanBuilder.setParent",
        "SpanBuilder.addLink",
        "SpanBuilder.setAttribute",
        "SpanBuilder.setStartTimestamp",
        "SpanBuilder.startSpan",
        "Span.isRecording",
        "Span.setAttribute",
        "Span.addEvent",
        "Span.setStatus",
        "Span.recordException",
        "Span.end"
      })
  void theWorkIsDoneWhateverThrows(String method) {
    ThrowingOpenTelemetry throwing = new ThrowingOpenTelemetry(method);
    Telemetry foreign = Telemetry.of(throwing.over(working));
    String result =
        foreign
            .span("foreign.work")
            .kind(SpanKind.CLIENT)
            .link(SpanContext.getInvalid())
            .link(SpanContext.getInvalid(), Attributes.empty())
            .attribute("text", "a")
            .attribute("long", 1)
            .attribute("double", 1.5)
            .attribute("boolean", true)
            .attribute(AttributeKey.stringKey("key"), "b")
            .startTime(Instant.now())
            .call(
                span -> {
                  span.attribute("text", "a").attribute("long", 1).attribute("double", 1.5);
                  span.attribute("boolean", true).attribute(AttributeKey.stringKey("key"), "b");
                  span.event("one").event("two", Attributes.empty());
                  span.status(StatusCode.OK).status(StatusCode.ERROR, "why").fail(null);
                  return "done";
                });
    assertThat(result).isEqualTo("done");
    IllegalStateException thrown = new IllegalStateException("of the work");
    assertThatThrownBy(
            () ->
                foreign
                    .span("foreign.failure")
                    .run(
                        () -> {
                          ActiveSpan.current().attribute("text", "a").event("one");
                          throw thrown;
                        }))
        .isSameAs(thrown);
    try (ActiveSpan open = foreign.span("foreign.open").open()) {
      open.fail(thrown);
    }
    assertThat(throwing.calls()).isPositive();
  }
}
