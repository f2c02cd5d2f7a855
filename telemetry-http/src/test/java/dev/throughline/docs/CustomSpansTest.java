// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The snippets of docs/custom-spans.md. */
class CustomSpansTest extends ReadmeKit {

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  private final Telemetry telemetry = recorded.telemetry();
  private final ExecutorService executor = Executors.newSingleThreadExecutor();
  private boolean fails;

  @Override
  protected Path readme() {
    return Pages.ROOT.resolve("docs/custom-spans.md");
  }

  @AfterEach
  void stop() throws InterruptedException {
    executor.shutdownNow();
    assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aPieceOfWork() throws Exception {
    String orderId = "o-1";
    List<String> items = List.of("a", "b");
    // region
    telemetry
        .span("order.process")
        .attribute("order.id", orderId)
        .attribute("order.items", items.size())
        .run(() -> process(items));
    // endregion
    assertThat(recorded).tree("order.process  order.id=o-1 order.items=2");
  }

  @Test
  void aResult() throws IOException {
    // region
    Screen screen = telemetry.span("vnc.connect").kind(SpanKind.CLIENT).call(() -> dial());
    // endregion
    assertThat(screen.width()).isEqualTo(800);
    assertThat(recorded).tree("vnc.connect  CLIENT");
  }

  @Test
  void whatItsSpanIsTold() throws IOException {
    // region
    Screen screen =
        telemetry
            .span("vnc.connect")
            .call(
                span -> {
                  Screen opened = dial();
                  span.attribute("vnc.width", opened.width());
                  span.event("bmc.connected", Attributes.of(AttributeKey.longKey("attempt"), 1L));
                  return opened;
                });
    // endregion
    assertThat(screen.width()).isEqualTo(800);
    SpanData span = recorded.takeSpan();
    assertThat(span.getEvents()).singleElement().extracting("name").isEqualTo("bmc.connected");
  }

  @Test
  void typesOfAttributes() {
    List<String> hosts = List.of("bmc-1", "bmc-2");
    // region
    telemetry
        .span("discovery.scan")
        .attribute("bmc.type", "ipmi")
        .attribute("bmc.count", 12)
        .attribute("scan.ratio", 0.5)
        .attribute("scan.full", true)
        .attribute(AttributeKey.stringArrayKey("scan.hosts"), hosts)
        .run(this::scan);
    // endregion
    assertThat(recorded)
        .tree(
            """
            discovery.scan  bmc.type=ipmi bmc.count=12 scan.ratio=0.5 scan.full=true \
            scan.hosts="[bmc-1, bmc-2]"
            """);
  }

  // region
  Screen connect() throws IOException {
    return telemetry.span("vnc.connect").call(() -> dial());
  }

  // endregion

  @Test
  void anError() {
    fails = true;
    assertThatThrownBy(this::connect).isExactlyInstanceOf(IOException.class);
    assertThat(recorded).tree("vnc.connect  ERROR error.type=java.io.IOException");
  }

  // region
  Session find(String id) throws NotFoundException {
    return telemetry
        .span("session.find")
        .errorIf(thrown -> !(thrown instanceof NotFoundException))
        .call(() -> load(id));
  }

  // endregion

  @Test
  void anExceptionThatIsNoError() {
    assertThatThrownBy(() -> find("s-1")).isInstanceOf(NotFoundException.class);
    assertThat(recorded).tree("session.find");
  }

  // region
  boolean reachable() {
    return telemetry
        .span("bmc.ping")
        .call(
            span -> {
              try {
                dial();
                return true;
              } catch (IOException e) {
                span.fail(e).attribute("error.type", "unreachable").attribute("bmc.host", "bmc-1");
                return false;
              }
            });
  }

  // endregion

  @Test
  void anErrorThatIsNotThrown() {
    fails = true;
    assertThat(reachable()).isFalse();
    assertThat(recorded).tree("bmc.ping  ERROR error.type=unreachable bmc.host=bmc-1");
  }

  @Test
  void workThatGoesOn() throws Exception {
    // region
    CompletableFuture<Screen> screen = telemetry.span("vnc.connect").callAsync(() -> dialAsync());
    // endregion
    assertThat(screen.get(10, TimeUnit.SECONDS).width()).isEqualTo(800);
    assertThat(recorded).tree("vnc.connect");
  }

  @Test
  void aBlock() throws IOException {
    // region
    try (ActiveSpan span = telemetry.span("sol.stream").open()) {
      span.event("bmc.connected");
      dial();
    }
    // endregion
    assertThat(recorded).tree("sol.stream");
  }

  @Test
  void aSpanThatEndsElsewhere() throws Exception {
    // region
    ActiveSpan transfer = telemetry.span("vnc.transfer").start();
    executor.execute(
        () -> {
          try (Scope scope = transfer.makeCurrent()) { // spans made in here are below it
            copy();
          } catch (RuntimeException e) {
            transfer.fail(e);
          } finally {
            transfer.end();
          }
        });
    // endregion
    assertThat(recorded).tree("vnc.transfer\n  vnc.copy");
  }

  @Test
  void baggage() {
    // region
    telemetry
        .span("session.create")
        .baggage("session_id", "s-1")
        .baggage("server_id", "srv-1")
        .run(() -> audit());
    // endregion
    assertThat(recorded)
        .tree(
            """
            session.create        baggage.session_id=s-1 baggage.server_id=srv-1
              session.audit       baggage.session_id=s-1 baggage.server_id=srv-1 audited=s-1
            """);
  }

  // region
  void publish(Map<String, String> event) {
    telemetry
        .span("clusters.publish")
        .kind(SpanKind.PRODUCER)
        .run(
            () -> {
              telemetry.inject(event); // adds traceparent, tracestate and baggage
              send(event);
            });
  }

  void receive(Map<String, String> event) {
    telemetry
        .span("adapter.process")
        .kind(SpanKind.CONSUMER)
        .parent(telemetry.extract(event))
        .run(() -> handle(event));
  }

  // endregion

  @Test
  void carriers() {
    Map<String, String> event = new HashMap<>();
    publish(event);
    assertThat(event).containsKey("traceparent");
    receive(event);
    assertThat(recorded)
        .tree(
            """
            clusters.publish    PRODUCER
              adapter.process   CONSUMER
            """);
  }

  @Test
  void whatComesFirst() {
    Context received = telemetry.extract(Map.of("baggage", "customer_id=c-1"));
    // region
    telemetry.span("adapter.process").parent(received).baggage("session_id", "s-1").run(this::scan);
    // endregion
    assertThat(recorded).tree("adapter.process  baggage.customer_id=c-1 baggage.session_id=s-1");
  }

  @Test
  void aBatch() {
    List<Map<String, String>> events = List.of(new HashMap<>(), new HashMap<>());
    events.forEach(this::publish);
    // region
    var batch = telemetry.span("adapter.batch").kind(SpanKind.CONSUMER).noParent();
    for (Map<String, String> event : events) {
      batch.link(Span.fromContext(telemetry.extract(event)).getSpanContext());
    }
    batch.attribute("batch.size", events.size()).run(() -> events.forEach(this::handle));
    // endregion
    List<SpanData> spans = recorded.takeSpans(3);
    assertThat(spans.get(2).getLinks()).hasSize(2);
    assertThat(spans.get(2).getParentSpanContext().isValid()).isFalse();
  }

  @Test
  void aLateStart() {
    Instant queuedAt = Instant.parse("2026-01-01T00:00:00Z");
    // region
    telemetry.span("queue.wait").startTime(queuedAt).start().end();
    // endregion
    assertThat(recorded.takeSpan().getStartEpochNanos())
        .isEqualTo(TimeUnit.SECONDS.toNanos(queuedAt.getEpochSecond()));
  }

  @Test
  void whatIsCurrentOnOtherThreads() throws Exception {
    // region
    ExecutorService traced = Context.taskWrapping(executor);
    telemetry.span("power.cycle").run(() -> traced.submit(this::copy).get());
    // endregion
    assertThat(recorded).tree("power.cycle\n  vnc.copy");

    // region
    telemetry.span("power.cycle").run(() -> executor.execute(Context.current().wrap(this::copy)));
    // endregion
    assertThat(recorded).tree("power.cycle\n  vnc.copy");

    telemetry.span("power.cycle").run(() -> executor.submit(this::copy).get());
    assertThat(recorded).tree("power.cycle\nvnc.copy");
  }

  // region
  static void retried(int attempt) {
    ActiveSpan.current()
        .attribute("retry.attempt", attempt)
        .attribute("retry.session", ActiveSpan.currentBaggage("session_id"));
  }

  // endregion

  @Test
  void codeDeepBelow() {
    retried(1);
    telemetry.span("bmc.call").baggage("session_id", "s-1").run(() -> retried(2));
    assertThat(recorded).tree("bmc.call  retry.attempt=2 retry.session=s-1");
  }

  @Test
  void openTelemetrysOwn() {
    // region
    Span span = telemetry.tracer().spanBuilder("raw.work").startSpan();
    try (Scope scope = span.makeCurrent()) {
      copy();
    } finally {
      span.end();
    }

    LongCounter retries = telemetry.meter().counterBuilder("bmc.retries").build(); // to be kept
    retries.add(1, Attributes.of(AttributeKey.stringKey("bmc.type"), "ipmi"));
    // endregion
    assertThat(recorded).tree("raw.work\n  vnc.copy");
    assertThat(recorded.metric("bmc.retries").getLongSumData().getPoints()).hasSize(1);
  }

  private record Screen(int width, int height) {}

  private record Session(String id) {}

  private static final class NotFoundException extends Exception {
    private static final long serialVersionUID = 1;
  }

  private void process(List<String> items) throws IOException {
    assertThat(items).isNotEmpty();
  }

  private Screen dial() throws IOException {
    if (fails) {
      throw new IOException("no answer");
    }
    return new Screen(800, 600);
  }

  private CompletableFuture<Screen> dialAsync() {
    return CompletableFuture.supplyAsync(() -> new Screen(800, 600), executor);
  }

  private void scan() {}

  private Session load(String id) throws NotFoundException {
    throw new NotFoundException();
  }

  private void copy() {
    telemetry.span("vnc.copy").run(() -> {});
  }

  private void audit() {
    telemetry
        .span("session.audit")
        .run(span -> span.attribute("audited", ActiveSpan.currentBaggage("session_id")));
  }

  private void send(Map<String, String> event) {}

  private void handle(Map<String, String> event) {}
}
