// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.Wait;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(90)
class SegmentsTest {

  private static final AttributeKey<Long> NUMBER = longKey("throughline.segment.number");
  private static final AttributeKey<Long> MESSAGES = longKey("messages");
  private static final String TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PARENT_ID = "00f067aa0ba902b7";
  private static final String TRACEPARENT = "00-" + TRACE_ID + "-" + PARENT_ID + "-01";

  private final List<SpanData> ended = new CopyOnWriteArrayList<>();
  private final List<InMemoryMetricReader> metrics = new ArrayList<>();
  private final AtomicInteger started = new AtomicInteger();
  private final List<Telemetry> opened = new ArrayList<>();
  private final List<Boolean> endedWhilePresent = new CopyOnWriteArrayList<>();
  private volatile @Nullable InstrumentedRequest<Stream, String> watched;

  private Telemetry telemetry(String limit, String... properties) {
    InMemoryMetricReader reader = InMemoryMetricReader.create();
    metrics.add(reader);
    var builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addProperty("telemetry.segment.limit", limit)
            .addMetricReader(reader)
            .addSpanProcessor(new Watch());
    for (int i = 0; i < properties.length; i += 2) {
      builder.addProperty(properties[i], properties[i + 1]);
    }
    Telemetry telemetry = builder.build();
    opened.add(telemetry);
    return telemetry;
  }

  @AfterEach
  void close() {
    opened.forEach(Telemetry::close);
    Wait.until("no thread is left", () -> threads() == 0);
  }

  private static RequestInstrumenter<Stream, String> instrumenter(
      Telemetry telemetry, RequestConvention<Stream, String> convention) {
    return telemetry
        .instrumenter("test.scope", convention)
        .setDurationHistogram("test.duration", "Duration.", List.of(0.1, 1d))
        .build();
  }

  private static InstrumentedRequest<Stream, String> start(
      Telemetry telemetry, Convention convention, Stream stream, @Nullable String traceparent) {
    Context parent =
        traceparent == null
            ? Context.root()
            : telemetry.extract(Map.of("traceparent", traceparent, "baggage", "customer_id=c1"));
    InstrumentedRequest<Stream, String> request =
        instrumenter(telemetry, convention).start(parent, stream);
    assertThat(request).isNotNull();
    return request;
  }

  private List<SpanData> finished() {
    return ended;
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("telemetry-segments"))
        .count();
  }

  private long durations() {
    return metrics.stream()
        .flatMap(reader -> reader.collectAllMetrics().stream())
        .filter(metric -> metric.getName().equals("test.duration"))
        .flatMap(metric -> metric.getHistogramData().getPoints().stream())
        .mapToLong(HistogramPointData::getCount)
        .sum();
  }

  @Test
  void aStreamIsSeenBeforeItEnds() {
    Telemetry telemetry = telemetry("10ms");
    Stream stream = new Stream();
    stream.messages.set(7);
    InstrumentedRequest<Stream, String> request =
        start(telemetry, new Convention(), stream, TRACEPARENT);
    Context first = request.context();
    Wait.until("two segments have ended", () -> finished().size() >= 2);
    assertThat(request.context()).isNotSameAs(first);
    stream.messages.set(9);
    Context present = request.context();
    request.end("ok", null);

    List<SpanData> segments = finished();
    SpanData whole = segments.get(segments.size() - 1);
    for (int i = 0; i < segments.size(); i++) {
      SpanData segment = segments.get(i);
      assertThat(segment.getName()).isEqualTo("late name");
      assertThat(segment.getTraceId()).isEqualTo(TRACE_ID);
      assertThat(segment.getParentSpanId()).isEqualTo(PARENT_ID);
      assertThat(segment.getKind()).isEqualTo(SpanKind.SERVER);
      assertThat(segment.getAttributes().get(NUMBER)).isEqualTo(i + 1);
      assertThat(segment.getAttributes().get(stringKey("start"))).isEqualTo("s");
      assertThat(segment.getAttributes().get(stringKey("baggage.customer_id"))).isEqualTo("c1");
      assertThat(segment.getAttributes().get(stringKey("end")))
          .isEqualTo(segment == whole ? "ok" : null);
      assertThat(segment.getLinks())
          .extracting(LinkData::getSpanContext)
          .isEqualTo(i == 0 ? List.of() : List.of(segments.get(i - 1).getSpanContext()));
    }
    assertThat(segments.get(0).getAttributes().get(MESSAGES)).isEqualTo(7);
    assertThat(InstrumentedRequest.fromContext(present)).isSameAs(request);
    assertThat(durations()).isEqualTo(1);
  }

  @Test
  void nothingIsHandledInASegmentThatHasEnded() {
    InstrumentedRequest<Stream, String> request =
        start(telemetry("10ms"), new Convention(), new Stream(), TRACEPARENT);
    watched = request;
    Wait.until("two segments have ended", () -> endedWhilePresent.size() >= 2);
    watched = null;
    request.end("ok", null);

    assertThat(endedWhilePresent).containsOnly(false);
  }

  @Test
  void theLastSegmentHasTheError() {
    InstrumentedRequest<Stream, String> request =
        start(telemetry("10ms"), new Convention(), new Stream(), TRACEPARENT);
    Wait.until("a segment has ended", () -> !finished().isEmpty());
    request.end(null, new IllegalStateException("broken"));

    List<SpanData> segments = finished();
    assertThat(segments.get(0).getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(segments.get(segments.size() - 1).getStatus().getStatusCode())
        .isEqualTo(StatusCode.ERROR);
  }

  @Test
  void theSegmentsOfARootAreBelowTheFirst() {
    InstrumentedRequest<Stream, String> request =
        start(telemetry("10ms"), new Convention(), new Stream(), null);
    Wait.until("three segments have ended", () -> finished().size() >= 3);
    request.end("ok", null);

    SpanData first = finished().get(0);
    assertThat(first.getParentSpanContext().isValid()).isFalse();
    assertThat(finished().subList(1, finished().size()))
        .allSatisfy(
            segment -> {
              assertThat(segment.getTraceId()).isEqualTo(first.getTraceId());
              assertThat(segment.getParentSpanId()).isEqualTo(first.getSpanId());
            });
  }

  @Test
  void whatEndsBeforeTheLimitIsOneSpan() {
    InstrumentedRequest<Stream, String> request =
        start(telemetry("1h"), new Convention(), new Stream(), TRACEPARENT);
    request.end("ok", null);

    assertThat(finished()).hasSize(1);
    assertThat(finished().get(0).getAttributes().get(NUMBER)).isNull();
    assertThat(finished().get(0).getLinks()).isEmpty();
  }

  @Test
  void onlyWhatIsOpenEndedAndRecordedIsWatched() {
    Convention unary = new Convention();
    unary.openEnded = false;
    InstrumentedRequest<Stream, String> request =
        start(telemetry("1ms"), unary, new Stream(), TRACEPARENT);
    assertThat(threads()).isZero();
    request.end("ok", null);
    assertThat(finished()).hasSize(1);

    Context sent = request.context();
    InstrumentedRequest<Stream, String> unsampled =
        start(
            telemetry("1ms", "otel.traces.sampler", "always_off"),
            new Convention(),
            new Stream(),
            TRACEPARENT);
    assertThat(threads()).isZero();
    assertThat(Span.fromContext(unsampled.context()).getSpanContext().getTraceId())
        .isEqualTo(Span.fromContext(sent).getSpanContext().getTraceId());
    unsampled.end("ok", null);
    assertThat(finished()).hasSize(1);
    assertThat(durations()).isEqualTo(2);

    InstrumentedRequest<Stream, String> never =
        start(telemetry("0"), new Convention(), new Stream(), TRACEPARENT);
    assertThat(threads()).isZero();
    never.end("ok", null);
    assertThat(finished()).hasSize(2);
  }

  @Test
  void theThreadIsThereWhileThereIsWork() {
    Telemetry telemetry = telemetry("20ms");
    assertThat(threads()).isZero();
    InstrumentedRequest<Stream, String> one =
        start(telemetry, new Convention(), new Stream(), null);
    assertThat(threads()).isEqualTo(1);
    InstrumentedRequest<Stream, String> two =
        start(telemetry, new Convention(), new Stream(), null);
    assertThat(threads()).isEqualTo(1);
    one.end("ok", null);
    two.end("ok", null);
    Wait.until("the thread has stopped", () -> threads() == 0);

    InstrumentedRequest<Stream, String> later =
        start(telemetry, new Convention(), new Stream(), null);
    int before = finished().size();
    Wait.until("it is watched as well", () -> finished().size() > before);
    later.end("ok", null);
  }

  @Test
  void closingEndsOpenSegments() {
    Telemetry telemetry = telemetry("1h");
    Stream stream = new Stream();
    InstrumentedRequest<Stream, String> request =
        start(telemetry, new Convention(), stream, TRACEPARENT);
    stream.messages.set(3);
    telemetry.close();

    assertThat(finished()).hasSize(1);
    assertThat(finished().get(0).getAttributes().get(NUMBER)).isEqualTo(1);
    assertThat(finished().get(0).getAttributes().get(MESSAGES)).isEqualTo(3);
    request.end("ok", null);
    assertThat(finished()).hasSize(1);
    assertThat(start(telemetry, new Convention(), new Stream(), null)).isNotNull();
    Wait.until("the thread has stopped", () -> threads() == 0);
  }

  @Test
  void closingEndsOpenSegmentsOfSomeoneElsesInstance() {
    Telemetry owner = telemetry("1h");
    Telemetry standing = Telemetry.of(owner.openTelemetry());
    start(standing, new Convention(), new Stream(), TRACEPARENT);
    standing.close();

    assertThat(finished()).hasSize(1);
  }

  @Test
  void eachEndsOnceHoweverEndsAndSegmentsMeet() throws Exception {
    Telemetry telemetry = telemetry("1ms");
    RequestInstrumenter<Stream, String> instrumenter = instrumenter(telemetry, new Convention());
    int requests = 2_000;
    for (int i = 0; i < requests; i++) {
      Stream stream = new Stream();
      InstrumentedRequest<Stream, String> request = instrumenter.start(Context.root(), stream);
      assertThat(request).isNotNull();
      CountDownLatch go = new CountDownLatch(1);
      Thread other =
          new Thread(
              () -> {
                go.countDown();
                LockSupport.parkNanos(900_000);
                request.end("other", null);
              });
      other.start();
      go.await();
      LockSupport.parkNanos(900_000);
      request.end("this", null);
      other.join();
    }

    assertThat(started).hasValue(finished().size());
    assertThat(finished().size()).as("some rolled over").isGreaterThan(requests);
    Map<String, List<SpanData>> byTrace =
        finished().stream().collect(Collectors.groupingBy(SpanData::getTraceId));
    assertThat(byTrace).hasSize(requests);
    for (List<SpanData> segments : byTrace.values()) {
      segments.sort(Comparator.comparing(SpanData::getStartEpochNanos));
      assertThat(segments)
          .filteredOn(segment -> segment.getAttributes().get(stringKey("end")) != null)
          .containsExactly(segments.get(segments.size() - 1));
    }
    assertThat(durations()).isEqualTo(requests);
  }

  enum Hook {
    IS_OPEN_ENDED,
    SPAN_NAME,
    LATE_SPAN_NAME,
    ON_START,
    ON_SEGMENT
  }

  @ParameterizedTest
  @EnumSource(Hook.class)
  void aThrowingHookCostsWhatItSays(Hook hook) {
    Convention convention = new Convention();
    convention.throwing = hook;
    Telemetry telemetry = telemetry("5ms");
    RequestInstrumenter<Stream, String> instrumenter = instrumenter(telemetry, convention);
    InstrumentedRequest<Stream, String> request = instrumenter.start(Context.root(), new Stream());
    assertThat(request).isNotNull();
    if (hook != Hook.IS_OPEN_ENDED) {
      Wait.until("three segments have ended", () -> finished().size() >= 3);
    }
    request.end("ok", null);

    assertThat(instrumenter.guard.hits()).isPositive();
    assertThat(started).hasValue(finished().size());
    assertThat(finished().get(finished().size() - 1).getAttributes().get(stringKey("end")))
        .isEqualTo("ok");
  }

  private static final class Stream {
    final AtomicInteger messages = new AtomicInteger();
  }

  private final class Watch implements SpanProcessor {
    @Override
    public void onStart(Context parentContext, ReadWriteSpan span) {
      started.incrementAndGet();
    }

    @Override
    public boolean isStartRequired() {
      return true;
    }

    @Override
    public void onEnd(ReadableSpan span) {
      InstrumentedRequest<Stream, String> request = watched;
      if (request != null) {
        endedWhilePresent.add(
            Span.fromContext(request.context()).getSpanContext().equals(span.getSpanContext()));
      }
      ended.add(span.toSpanData());
    }

    @Override
    public boolean isEndRequired() {
      return true;
    }
  }

  private static final class Convention implements RequestConvention<Stream, String> {

    @Nullable Hook throwing;
    boolean openEnded = true;

    private void at(Hook hook) {
      if (hook == throwing) {
        throw new NoSuchMethodError("made by the test");
      }
    }

    @Override
    public SpanKind kind() {
      return SpanKind.SERVER;
    }

    @Override
    public String spanName(Stream request) {
      at(Hook.SPAN_NAME);
      return "name";
    }

    @Override
    public String lateSpanName(Stream request) {
      at(Hook.LATE_SPAN_NAME);
      return "late name";
    }

    @Override
    public boolean isOpenEnded(Stream request) {
      at(Hook.IS_OPEN_ENDED);
      return openEnded;
    }

    @Override
    public void onStart(AttributeSink attributes, Stream request) {
      at(Hook.ON_START);
      attributes.set(stringKey("start"), "s");
    }

    @Override
    public void onSegment(AttributeSink attributes, Stream request) {
      at(Hook.ON_SEGMENT);
      attributes.set(MESSAGES, request.messages.longValue());
    }

    @Override
    public void onEnd(
        AttributeSink attributes,
        Stream request,
        @Nullable String response,
        @Nullable Throwable error) {
      attributes.set(stringKey("end"), response);
    }

    @Override
    public @Nullable String errorType(
        Stream request, @Nullable String response, @Nullable Throwable error) {
      return error == null ? null : error.getClass().getName();
    }

    @Override
    public Attributes durationAttributes(
        Stream request, @Nullable String response, @Nullable Throwable error) {
      return Attributes.empty();
    }
  }
}
