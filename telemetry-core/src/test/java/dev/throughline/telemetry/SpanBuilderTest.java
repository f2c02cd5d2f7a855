// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static io.opentelemetry.api.common.AttributeKey.booleanKey;
import static io.opentelemetry.api.common.AttributeKey.doubleKey;
import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringArrayKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SpanBuilderTest {

  private static final Map<String, String> INCOMING =
      Map.of(
          "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          "baggage", "customer_id=c1");

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final Telemetry telemetry = recording(spans).build();

  static TelemetryBuilder recording(InMemorySpanExporter spans) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .setServiceName("test")
        .addProperty("otel.traces.exporter", "none")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .addSpanProcessor(SimpleSpanProcessor.create(spans));
  }

  @AfterEach
  void nothingStaysCurrent() {
    assertThat(Context.current()).isSameAs(Context.root());
    telemetry.close();
  }

  private SpanData onlySpan() {
    assertThat(spans.getFinishedSpanItems()).hasSize(1);
    return spans.getFinishedSpanItems().get(0);
  }

  @Test
  void describesTheSpan() {
    SpanContext linked = Span.fromContext(telemetry.extract(INCOMING)).getSpanContext();
    Instant start = Instant.parse("2026-01-01T00:00:00Z");
    telemetry
        .span("vnc.connect")
        .kind(SpanKind.CLIENT)
        .attribute("string", "s")
        .attribute("long", 1)
        .attribute("double", 1.5)
        .attribute("boolean", true)
        .attribute(stringArrayKey("list"), List.of("a", "b"))
        .attribute("null", null)
        .attribute(stringKey("null"), null)
        .link(linked)
        .link(linked, Attributes.of(stringKey("why"), "retry"))
        .startTime(start)
        .run(() -> {});

    SpanData span = onlySpan();
    assertThat(span.getName()).isEqualTo("vnc.connect");
    assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(span.getInstrumentationScopeInfo().getName()).isEqualTo("test");
    assertThat(span.getAttributes().asMap())
        .isEqualTo(
            Attributes.builder()
                .put(stringKey("string"), "s")
                .put(longKey("long"), 1L)
                .put(doubleKey("double"), 1.5)
                .put(booleanKey("boolean"), true)
                .put(stringArrayKey("list"), List.of("a", "b"))
                .build()
                .asMap());
    assertThat(span.getLinks()).hasSize(2);
    assertThat(span.getLinks().get(1).getAttributes().get(stringKey("why"))).isEqualTo("retry");
    assertThat(span.getStartEpochNanos()).isEqualTo(start.getEpochSecond() * 1_000_000_000L);
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
  }

  @Test
  void theScopeNameIsSetAtBuildTime() {
    try (Telemetry named = recording(spans).setScopeName("com.example.gateway").build()) {
      named.span("work").run(() -> {});
      assertThat(onlySpan().getInstrumentationScopeInfo().getName())
          .isEqualTo("com.example.gateway");
    }
  }

  @Test
  void isTheChildOfTheCurrentSpan() {
    telemetry.span("outer").run(() -> telemetry.span("inner").run(() -> {}));
    SpanData inner = spans.getFinishedSpanItems().get(0);
    SpanData outer = spans.getFinishedSpanItems().get(1);
    assertThat(inner.getParentSpanId()).isEqualTo(outer.getSpanId());
    assertThat(inner.getTraceId()).isEqualTo(outer.getTraceId());
  }

  @Test
  void isTheChildOfAnExplicitOrRemoteParent() {
    telemetry
        .span("work")
        .parent(telemetry.extract(INCOMING))
        .run(() -> assertThat(ActiveSpan.currentBaggage("customer_id")).isEqualTo("c1"));
    SpanData span = onlySpan();
    assertThat(span.getTraceId()).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
    assertThat(span.getParentSpanId()).isEqualTo("00f067aa0ba902b7");
    assertThat(span.getParentSpanContext().isRemote()).isTrue();
    assertThat(span.getAttributes().get(stringKey("baggage.customer_id"))).isEqualTo("c1");
  }

  @Test
  void startsANewTraceWithoutAParent() {
    try (Scope ignored = telemetry.extract(INCOMING).makeCurrent()) {
      telemetry
          .span("work")
          .noParent()
          .run(() -> assertThat(ActiveSpan.currentBaggage("customer_id")).isEqualTo("c1"));
    }
    SpanData span = onlySpan();
    assertThat(span.getParentSpanContext().isValid()).isFalse();
    assertThat(span.getTraceId()).isNotEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
  }

  @Test
  void baggageIsCurrentInsideAndOnEverySpanBelow() {
    telemetry
        .span("outer")
        .baggage("session_id", "s-1")
        .baggage("unlisted", "x")
        .baggage("null", null)
        .run(
            () -> {
              assertThat(Baggage.current().asMap()).containsOnlyKeys("session_id", "unlisted");
              telemetry.span("inner").baggage("server_id", "7").run(() -> {});
              telemetry.tracer().spanBuilder("raw").startSpan().end();
            });
    assertThat(Baggage.current().isEmpty()).isTrue();
    assertThat(spans.getFinishedSpanItems())
        .extracting(SpanData::getName, span -> span.getAttributes().asMap())
        .containsExactly(
            tuple(
                "inner",
                Attributes.of(
                        stringKey("baggage.session_id"), "s-1", stringKey("baggage.server_id"), "7")
                    .asMap()),
            tuple("raw", Attributes.of(stringKey("baggage.session_id"), "s-1").asMap()),
            tuple("outer", Attributes.of(stringKey("baggage.session_id"), "s-1").asMap()));
  }

  @Test
  void baggageAddsToTheParentsWhicheverIsNamedFirst() {
    telemetry
        .span("work")
        .baggage("session_id", "s-1")
        .parent(telemetry.extract(INCOMING))
        .run(
            () ->
                assertThat(Baggage.current().asMap())
                    .containsOnlyKeys("session_id", "customer_id"));
    assertThat(onlySpan().getAttributes().get(stringKey("baggage.customer_id"))).isEqualTo("c1");
  }

  @Test
  void theServiceListsTheBaggageKeysThatBecomeAttributes() {
    try (Telemetry listed =
        recording(spans).addProperty("telemetry.baggage.attributes", "tenant").build()) {
      listed.span("work").baggage("tenant", "t").baggage("session_id", "s").run(() -> {});
      assertThat(onlySpan().getAttributes().asMap())
          .isEqualTo(Attributes.of(stringKey("baggage.tenant"), "t").asMap());
    }
  }

  @Test
  void givesWhatTheWorkReturns() {
    String value = telemetry.span("work").call(() -> "value");
    String withSpan =
        telemetry
            .span("work")
            .call(
                span -> {
                  span.attribute("seen", true);
                  return "with span";
                });
    assertThat(value).isEqualTo("value");
    assertThat(withSpan).isEqualTo("with span");
    assertThat(spans.getFinishedSpanItems().get(1).getAttributes().get(booleanKey("seen")))
        .isTrue();
  }

  @Test
  void recordsWhatTheWorkThrowsAndThrowsItOn() {
    IOException thrown = new IOException("bmc is gone");
    // Compiles only while a checked exception keeps its own type.
    try {
      telemetry
          .span("work")
          .run(
              () -> {
                throw thrown;
              });
    } catch (IOException e) {
      assertThat(e).isSameAs(thrown);
    }
    assertFailed(onlySpan(), "java.io.IOException", "bmc is gone");
  }

  @Test
  void recordsWhatEveryFormOfWorkThrows() {
    IllegalStateException thrown = new IllegalStateException("no");
    SpanBuilder.Call<String, RuntimeException> call =
        () -> {
          throw thrown;
        };
    SpanBuilder.SpanCall<String, RuntimeException> spanCall =
        span -> {
          throw thrown;
        };
    SpanBuilder.SpanRun<RuntimeException> spanRun =
        span -> {
          throw thrown;
        };
    SpanBuilder.Call<CompletableFuture<String>, RuntimeException> async =
        () -> {
          throw thrown;
        };
    assertThatThrownBy(() -> telemetry.span("a").call(call)).isSameAs(thrown);
    assertThatThrownBy(() -> telemetry.span("b").call(spanCall)).isSameAs(thrown);
    assertThatThrownBy(() -> telemetry.span("c").run(spanRun)).isSameAs(thrown);
    assertThatThrownBy(() -> telemetry.span("d").callAsync(async)).isSameAs(thrown);
    assertThat(spans.getFinishedSpanItems())
        .hasSize(4)
        .allSatisfy(span -> assertFailed(span, "java.lang.IllegalStateException", "no"));
  }

  @Test
  void errorsThatAreNoErrorsLeaveNoTraceOnTheSpan() {
    assertThatThrownBy(
            () ->
                telemetry
                    .span("work")
                    .errorIf(t -> !(t instanceof CancellationException))
                    .run(
                        () -> {
                          throw new CancellationException();
                        }))
        .isInstanceOf(CancellationException.class);
    assertThat(onlySpan().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(onlySpan().getEvents()).isEmpty();
  }

  @Test
  void aPredicateThatThrowsChangesNothingForTheApplication() {
    Predicate<Throwable> throwing =
        t -> {
          throw new AssertionError("hook");
        };
    assertThatThrownBy(
            () ->
                telemetry
                    .span("work")
                    .errorIf(throwing)
                    .run(
                        () -> {
                          throw new IOException("app");
                        }))
        .isInstanceOf(IOException.class)
        .hasMessage("app");
    assertFailed(onlySpan(), "java.io.IOException", "app");
    assertThat(telemetry.guard().hits()).isEqualTo(1);
  }

  @Test
  void anExceptionWhoseMessageThrowsChangesNothingForTheApplication() {
    RuntimeException hostile =
        new RuntimeException() {
          @Override
          public String getMessage() {
            throw new UnsupportedOperationException("message");
          }
        };
    Throwable[] caught = new Throwable[1];
    try {
      telemetry
          .span("work")
          .run(
              () -> {
                throw hostile;
              });
    } catch (RuntimeException e) {
      caught[0] = e;
    }
    assertThat(caught[0]).isSameAs(hostile);
    assertThat(onlySpan().getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
  }

  @Test
  void theSpanOfAStageEndsWithTheStage() {
    CompletableFuture<String> stage = new CompletableFuture<>();
    AtomicReference<Span> current = new AtomicReference<>();
    CompletableFuture<String> returned =
        telemetry
            .span("work")
            .callAsync(
                () -> {
                  current.set(Span.current());
                  return stage;
                });
    assertThat(returned).isSameAs(stage);
    assertThat(current.get().getSpanContext().isValid()).isTrue();
    assertThat(Span.current().getSpanContext().isValid()).isFalse();
    assertThat(spans.getFinishedSpanItems()).isEmpty();

    stage.complete("done");
    assertThat(onlySpan().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
  }

  @Test
  void theSpanOfAStageFailsWithTheStage() {
    CompletableFuture<String> stage = new CompletableFuture<>();
    CompletableFuture<Integer> dependent = stage.thenApply(String::length);
    CompletableFuture<Integer> unused = telemetry.span("work").callAsync(() -> dependent);
    stage.completeExceptionally(new IOException("gone"));
    // The dependent stage wraps what its source threw; the span tells the cause.
    assertThatThrownBy(dependent::join).isInstanceOf(CompletionException.class);
    assertFailed(onlySpan(), "java.io.IOException", "gone");
    assertThat(unused).isSameAs(dependent);
  }

  @Test
  void theSpanOfAStageEndsWhenTheStageIsCancelled() {
    CompletableFuture<String> stage = telemetry.span("work").callAsync(CompletableFuture::new);
    stage.cancel(true);
    assertThat(onlySpan().getAttributes().get(stringKey("error.type")))
        .isEqualTo("java.util.concurrent.CancellationException");
  }

  @Test
  void noStageEndsTheSpanAtOnce() {
    CompletableFuture<String> none = telemetry.span("work").callAsync(() -> null);
    assertThat(none).isNull();
    assertThat(onlySpan().hasEnded()).isTrue();
  }

  @Test
  void anOpenSpanIsCurrentUntilItIsClosed() {
    try (ActiveSpan span = telemetry.span("work").open()) {
      assertThat(Span.current()).isSameAs(span.span());
      ActiveSpan.current()
          .attribute("deep", 1.5)
          .attribute(longKey("typed"), 7L)
          .event("bmc.connected")
          .event("bmc.ready", Attributes.of(stringKey("k"), "v"))
          .status(StatusCode.ERROR, "broken");
      // What belongs to someone else is not ours to end.
      ActiveSpan.current().close();
      ActiveSpan.current().end();
      assertThat(span.span().isRecording()).isTrue();
    }
    SpanData span = onlySpan();
    assertThat(span.getAttributes().asMap())
        .isEqualTo(Attributes.of(doubleKey("deep"), 1.5, longKey("typed"), 7L).asMap());
    assertThat(span.getEvents()).extracting("name").containsExactly("bmc.connected", "bmc.ready");
    assertThat(span.getStatus().getDescription()).isEqualTo("broken");
  }

  @Test
  void withoutACurrentSpanNothingHappens() {
    ActiveSpan.current().attribute("a", "b").event("e").fail(new IOException()).close();
    assertThat(ActiveSpan.currentBaggage("session_id")).isNull();
    assertThat(spans.getFinishedSpanItems()).isEmpty();
  }

  @Test
  void aStartedSpanIsNotCurrentAndEndsOnAnyThread() throws Exception {
    ActiveSpan span = telemetry.span("vnc.transfer").baggage("session_id", "s-1").start();
    assertThat(Span.current().getSpanContext().isValid()).isFalse();
    Thread thread =
        new Thread(
            () -> {
              try (Scope ignored = span.makeCurrent()) {
                assertThat(ActiveSpan.currentBaggage("session_id")).isEqualTo("s-1");
                telemetry.span("inner").run(() -> {});
              }
              span.end();
            });
    thread.start();
    thread.join();
    assertThat(spans.getFinishedSpanItems())
        .extracting(SpanData::getName)
        .containsExactly("inner", "vnc.transfer");
    assertThat(spans.getFinishedSpanItems().get(0).getParentSpanId())
        .isEqualTo(span.span().getSpanContext().getSpanId());
  }

  @Test
  void endsExactlyOnce() {
    ActiveSpan span = telemetry.span("work").open();
    span.close();
    span.end();
    span.close();
    span.attribute("late", "x").event("late").fail(new IOException());
    assertThat(onlySpan().getAttributes().isEmpty()).isTrue();
    assertThat(onlySpan().getEvents()).isEmpty();
    assertThat(onlySpan().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
  }

  @Test
  void failsWithoutAReason() {
    try (ActiveSpan span = telemetry.span("work").open()) {
      span.fail(null);
    }
    assertThat(onlySpan().getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(onlySpan().getEvents()).isEmpty();
  }

  @Test
  void aSamplerThatThrowsCostsTheSpanAlone() {
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder().setSampler(new ThrowingSampler()).build())
            .build();
    Telemetry guarded = Telemetry.of(sdk);
    String value = guarded.span("work").call(() -> "value");
    assertThat(value).isEqualTo("value");
    assertThat(guarded.guard().hits()).isEqualTo(1);
    sdk.close();
  }

  private static void assertFailed(SpanData span, String errorType, String message) {
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(span.getStatus().getDescription()).isEqualTo(message);
    assertThat(span.getAttributes().get(stringKey("error.type"))).isEqualTo(errorType);
    assertThat(span.getEvents()).hasSize(1);
    assertThat(span.getEvents().get(0).getName()).isEqualTo("exception");
    assertThat(span.getEvents().get(0).getAttributes().get(stringKey("exception.type")))
        .isEqualTo(errorType);
  }

  private static final class ThrowingSampler implements Sampler {
    @Override
    public SamplingResult shouldSample(
        Context parentContext,
        String traceId,
        String name,
        SpanKind spanKind,
        Attributes attributes,
        List<LinkData> parentLinks) {
      throw new IllegalStateException("sampler");
    }

    @Override
    public String getDescription() {
      return "throwing";
    }
  }
}
