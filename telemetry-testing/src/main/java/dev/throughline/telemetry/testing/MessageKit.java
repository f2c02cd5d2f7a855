// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The behaviour of an adapter for messages that carry a context each. A subclass opens a real
 * channel with the adapter at both ends:
 *
 * <pre>{@code
 * class TyrusMessagesTest extends MessageKit {
 *   @Override protected Channel open(Setup setup) { ... }
 * }
 * }</pre>
 *
 * <p>Spans of the channel itself, such as that of a connection, are not looked at.
 */
public abstract class MessageKit extends ThrowingHooksKit {

  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PARENT = "00f067aa0ba902b7";

  private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
  private final List<Channel> open = new ArrayList<>();

  /**
   * What to open.
   *
   * @param telemetry what the adapter at both ends is made of; null opens the channel without it
   * @param traced whether each message has spans and carries its context, or none does
   * @param receiver what the channel's other end does with each message; what it throws is to reach
   *     the library
   */
  public record Setup(@Nullable Telemetry telemetry, boolean traced, Receiver receiver) {}

  /** Handles a message, on a thread of the library's. */
  @FunctionalInterface
  public interface Receiver {
    /** Handles it. */
    void receive(String message);
  }

  /** A way from a sender to a receiver, over a real connection. */
  public interface Channel extends AutoCloseable {

    /** Sends a message; those that are sent one after the other are received in that order. */
    void send(String message) throws Exception;

    /** Closes both ends. */
    @Override
    void close() throws Exception;
  }

  /** Opens a channel. */
  protected abstract Channel open(Setup setup) throws Exception;

  /** The name of a span in which a message is sent. */
  protected abstract String sendName();

  /** The name of a span in which a message is received. */
  protected abstract String receiveName();

  @AfterEach
  void closeChannels() throws Exception {
    for (Channel channel : open) {
      channel.close();
    }
    assertThat(telemetry.spans().giveUpRunning(telemetry.timeout()))
        .as("spans that did not end")
        .isEmpty();
    assertThat(telemetry.spans().takeLeftovers())
        .as("spans of messages that were not taken")
        .noneMatch(MessageKit::isOfAMessage);
  }

  @Test
  protected void carriesTheContextOfEachMessage() throws Exception {
    Channel channel = open(true, this::handle);

    command("power.on", channel);
    command("power.off", channel);

    Map<String, List<SpanData>> traces =
        telemetry
            .takeSpans(spans -> ofMessages(spans).size() >= 4 && named("handle", spans) == 2)
            .stream()
            .filter(span -> isOfAMessage(span) || span.getName().matches("handle|power\\.(on|off)"))
            .collect(Collectors.groupingBy(SpanData::getTraceId));
    assertThat(traces).hasSize(2);
    traces
        .values()
        .forEach(
            trace -> {
              SpanData command = one(trace, "power\\.(on|off)");
              SpanData sent = one(trace, sendName());
              SpanData taken = one(trace, receiveName());
              SpanData handled = one(trace, "handle");
              assertThat(sent.getKind()).isEqualTo(SpanKind.PRODUCER);
              assertThat(sent.getParentSpanId()).isEqualTo(command.getSpanId());
              assertThat(taken.getKind()).isEqualTo(SpanKind.CONSUMER);
              assertThat(taken.getParentSpanContext().isRemote()).isTrue();
              assertThat(taken.getParentSpanId()).isEqualTo(sent.getSpanId());
              assertThat(handled.getParentSpanId()).isEqualTo(taken.getSpanId());
              assertThat(attributes(handled)).containsEntry("message", command.getName());
            });
  }

  @Test
  protected void carriesBaggageAndTracestate() throws Exception {
    BlockingQueue<Map<String, String>> contexts = new LinkedBlockingQueue<>();
    Channel channel =
        open(
            true,
            message -> {
              Map<String, String> carrier = new HashMap<>();
              telemetry.telemetry().inject(carrier);
              carrier.put("customer", String.valueOf(ActiveSpan.currentBaggage("customer_id")));
              contexts.add(carrier);
            });

    try (Scope ignored =
        telemetry
            .telemetry()
            .extract(
                Map.of(
                    "traceparent",
                    "00-" + TRACE + "-" + PARENT + "-01",
                    "tracestate",
                    "vendor=1",
                    "baggage",
                    "customer_id=c%C3%A9+1"))
            .makeCurrent()) {
      channel.send("with baggage");
    }

    Map<String, String> context = take(contexts);
    assertThat(context)
        .containsEntry("tracestate", "vendor=1")
        .containsEntry("customer", "cé+1")
        .hasEntrySatisfying("traceparent", traceparent -> assertThat(traceparent).contains(TRACE));
    List<SpanData> spans = takeMessages(2);
    assertThat(spans).extracting(SpanData::getTraceId).containsOnly(TRACE);
    assertThat(attributes(one(spans, receiveName()))).containsEntry("baggage.customer_id", "cé+1");
  }

  @Test
  protected void aMessageWithoutASpanAroundItIsReceivedBelowItsOwn() throws Exception {
    Channel channel = open(true, this::note);

    channel.send("alone");

    assertThat(take(received)).isEqualTo("alone");
    List<SpanData> spans = takeMessages(2);
    assertThat(one(spans, receiveName()).getParentSpanId())
        .isEqualTo(one(spans, sendName()).getSpanId());
  }

  @Test
  protected void aMessageWithoutSpanLeavesNone() throws Exception {
    Set<Boolean> inContext = ConcurrentHashMap.newKeySet();
    Channel channel =
        open(
            false,
            message -> {
              inContext.add(Span.current().getSpanContext().isValid());
              note(message);
            });

    channel.send("one");
    channel.send("two");

    assertThat(take(received)).isEqualTo("one");
    assertThat(take(received)).isEqualTo("two");
    assertThat(inContext).as("within the context of the channel").containsOnly(true);
  }

  @Test
  protected void keepsMessagesApart() throws Exception {
    Map<String, String> traces = new ConcurrentHashMap<>();
    Channel channel =
        open(
            true,
            message -> {
              traces.put(message, Span.current().getSpanContext().getTraceId());
              note(message);
            });
    Map<String, String> sent = new HashMap<>();
    for (int i = 0; i < 100; i++) {
      String message = "message " + i;
      telemetry
          .telemetry()
          .span("command")
          .noParent()
          .run(
              () -> {
                sent.put(message, Span.current().getSpanContext().getTraceId());
                channel.send(message);
              });
    }
    for (int i = 0; i < 100; i++) {
      assertThat(take(received)).isEqualTo("message " + i);
    }

    assertThat(traces).isEqualTo(sent);
    assertThat(Set.copyOf(sent.values())).hasSize(100);
    takeMessages(200);
  }

  @Test
  protected void payloadsArriveAsTheyWereSent() throws Exception {
    List<String> payloads =
        List.of(
            "plain",
            "{\"json\":[1,2]}",
            "traceparent:00-" + TRACE + "-" + PARENT + "-01\n",
            "\u001e",
            "\u001eTL1",
            "\u001eTL10000",
            "\u001eTL1000",
            "\u001eTL1zzzz",
            "\u001eTL1ffff and more",
            "\u001eTL1000bname:value\npayload",
            "caf\u00e9 \u20ac \ud83d\ude80",
            "0123456789abcdef".repeat(400));
    for (boolean traced : List.of(true, false)) {
      Channel channel = open(traced, this::note);
      for (String payload : payloads) {
        channel.send(payload);
        assertThat(take(received)).isEqualTo(payload);
      }
    }
    takeMessages(2 * payloads.size());
  }

  @Test
  protected void aReceiverThatThrowsFailsItsSpan() throws Exception {
    Channel channel =
        open(
            true,
            message -> {
              note(message);
              throw new IllegalStateException("of the receiver");
            });

    channel.send("bad");

    assertThat(take(received)).isEqualTo("bad");
    SpanData failed = one(takeMessages(2), receiveName());
    assertThat(attributes(failed))
        .containsEntry("error.type", IllegalStateException.class.getName());
  }

  @Test
  protected void sendsMessagesAsTheyAreWhenOff() throws Exception {
    Channel channel = open(new Setup(Telemetry.noop(), true, this::note));
    open.add(channel);

    channel.send("off");

    assertThat(take(received)).isEqualTo("off");
  }

  @Override
  protected Exchange exchange() {
    return exchange(
        telemetry ->
            open(
                new Setup(
                    telemetry,
                    true,
                    message -> {
                      note(message);
                      if (message.equals("bad")) {
                        throw new IllegalStateException("of the receiver");
                      }
                    })));
  }

  /** Opens a channel in its own way. */
  @FunctionalInterface
  protected interface Opening {
    /** Opens it; the receiver is to be {@link #note}. */
    Channel open(@Nullable Telemetry telemetry) throws Exception;
  }

  /**
   * The exchange that {@link #exchange()} is, over another channel: for a hook of the adapter's.
   */
  protected final Exchange exchange(Opening opening) {
    return over -> {
      received.clear();
      List<String> outcomes = new ArrayList<>();
      try (Scope ignored =
              telemetry.telemetry().extract(Map.of("baggage", "customer_id=c1")).makeCurrent();
          Channel channel = opening.open(over)) {
        for (String message : List.of("first", "second", "bad")) {
          channel.send(message);
          outcomes.add(take(received));
        }
      }
      return outcomes;
    };
  }

  /** Takes note of a message that was received. */
  protected final void note(String message) {
    received.add(message);
  }

  private void handle(String message) {
    telemetry.telemetry().span("handle").attribute("message", message).run(() -> note(message));
  }

  private void command(String name, Channel channel) throws Exception {
    telemetry.telemetry().span(name).noParent().run(() -> channel.send(name));
    assertThat(take(received)).isEqualTo(name);
  }

  private Channel open(boolean traced, Receiver receiver) throws Exception {
    Channel channel = open(new Setup(telemetry.telemetry(), traced, receiver));
    open.add(channel);
    return channel;
  }

  private <T> T take(BlockingQueue<T> queue) throws InterruptedException {
    T taken = queue.poll(telemetry.timeout().toMillis(), TimeUnit.MILLISECONDS);
    if (taken == null) {
      throw new AssertionError("no message was received");
    }
    return taken;
  }

  private List<SpanData> takeMessages(int count) {
    return ofMessages(telemetry.takeSpans(spans -> ofMessages(spans).size() >= count));
  }

  private static List<SpanData> ofMessages(List<SpanData> spans) {
    return spans.stream().filter(MessageKit::isOfAMessage).toList();
  }

  private static boolean isOfAMessage(SpanData span) {
    return span.getKind() == SpanKind.PRODUCER || span.getKind() == SpanKind.CONSUMER;
  }

  private static long named(String name, List<SpanData> spans) {
    return spans.stream().filter(span -> span.getName().equals(name)).count();
  }

  private static SpanData one(List<SpanData> spans, String name) {
    List<SpanData> found = spans.stream().filter(span -> span.getName().matches(name)).toList();
    assertThat(found).as(name).hasSize(1);
    return found.get(0);
  }
}
