// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.testing.TelemetryExtension;
import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Messages and upgrades that nobody has thought of: no payload is lost, and nothing is thrown. Each
 * round has a seed of its own, which a failure names.
 */
class FuzzTest {

  private static final long SEED = 20_261_121;

  private static final String CONTEXT = "traceparent:" + WebSocketKit.TRACEPARENT + "\n";

  /** Read off docs/websocket-envelope.md, not off the code. */
  private static final Pattern ENVELOPE =
      Pattern.compile("\u001eTL1([0-3][0-9a-f]{3}|4000)(.*)", Pattern.DOTALL);

  private static final Pattern FIELDS = Pattern.compile("([a-z0-9_.-]+:[ -~]*\n)*+");

  @RegisterExtension
  final TelemetryExtension telemetry =
      TelemetryExtension.builder().addProperty("otel.traces.sampler", "always_off").build();

  private final Sockets sockets =
      new Sockets(
          WebSocketTelemetry.builder(telemetry.telemetry())
              .setMessageSpans((sent, text, bytes) -> bytes % 2 == 0)
              .addContextSource(ContextSource.QUERY)
              .addContextSource(ContextSource.SUB_PROTOCOL)
              .addContextSource(ContextSource.FIRST_MESSAGE));

  private final SocketSession sender = session();
  private final SocketSession receiver = session();
  private long envelopes;
  private long faults;

  private SocketSession session() {
    Upgrade upgrade = Upgrade.sent(URI.create("ws://localhost/fuzz"));
    upgrade.envelopes = true;
    return sockets.open(upgrade);
  }

  @Test
  void whateverComesInGoesThrough() {
    fuzz(SEED, 20_000);
  }

  /** All of it takes minutes. */
  @Test
  @Tag("full")
  void aMillionOfThatGoThrough() {
    fuzz(SEED, 1_000_000);
  }

  private void fuzz(long first, int rounds) {
    for (long seed = first; seed < first + rounds; seed++) {
      try {
        round(new SplittableRandom(seed));
      } catch (Throwable t) {
        throw new AssertionError("the round of seed " + seed, t);
      }
    }

    assertThat(envelopes).as("messages with an envelope").isGreaterThan(rounds / 4);
    assertThat(faults).as("messages with none after all").isGreaterThan(rounds / 10);
    assertThat(
            telemetry.metric("throughline.websocket.envelope.faults").getLongSumData().getPoints())
        .singleElement()
        .satisfies(point -> assertThat(point.getValue()).isEqualTo(faults));
    assertThat(sockets.guard.hits()).as("what threw").isZero();
    sender.end(1000, null);
    receiver.end(1000, null);
  }

  private void round(SplittableRandom random) throws Exception {
    String foreign = foreign(random);
    if (!received(foreign, random).equals(payload(foreign))) {
      throw new AssertionError("not handed over as it is: " + foreign);
    }
    boolean text = random.nextBoolean();
    String own = noise(random, random.nextInt(60)) + (text ? "\u20ac" : "");
    String handed = received(sent(own, text, random), text, random);
    if (!handed.equals(own)) {
      throw new AssertionError("sent and not received: " + own);
    }
    upgrade(random);
  }

  /** What a reader is to make of a message; counts what it finds. */
  private String payload(String message) {
    if (!message.startsWith(Envelope.MAGIC)) {
      return message;
    }
    Matcher envelope = ENVELOPE.matcher(message);
    if (envelope.matches()) {
      int length = Integer.parseInt(envelope.group(1), 16);
      String rest = envelope.group(2);
      if (rest.length() >= length && FIELDS.matcher(rest.substring(0, length)).matches()) {
        envelopes++;
        return rest.substring(length);
      }
    }
    faults++;
    return message;
  }

  /** Valid envelopes, broken ones, oversized ones, beginnings of ones, and noise. */
  private static String foreign(SplittableRandom random) {
    String payload = noise(random, random.nextInt(40));
    int form = random.nextInt(8);
    if (form == 0) {
      return payload;
    }
    String context =
        switch (random.nextInt(64)) {
          case 0 -> "x:" + "y".repeat(Envelope.MAX_CONTEXT - 10 + random.nextInt(20)) + "\n";
          case 1, 2, 3, 4, 5, 6, 7, 8 -> "";
          case 9, 10, 11, 12, 13, 14, 15, 16 -> "x:" + "y".repeat(random.nextInt(300)) + "\n";
          case 17, 18, 19, 20, 21, 22, 23, 24 ->
              CONTEXT + "tracestate:a=1\nbaggage:k=%20,l=2;p=3\n";
          default -> CONTEXT;
        };
    StringBuilder message =
        new StringBuilder(Envelope.MAGIC)
            .append("%04x".formatted(context.length()))
            .append(context)
            .append(payload);
    int changes = form < 4 ? 0 : 1 + random.nextInt(3);
    for (int i = 0; i < changes && message.length() > 0; i++) {
      int at = random.nextInt(Math.min(message.length(), 1 + random.nextInt(120)));
      switch (random.nextInt(4)) {
        case 0 -> message.setCharAt(at, (char) random.nextInt(256));
        case 1 -> message.deleteCharAt(at);
        case 2 -> message.insert(at, (char) random.nextInt(256));
        default -> message.setLength(at);
      }
    }
    return message.toString();
  }

  /** Characters that are bytes, with much of what envelopes begin with among them. */
  private static String noise(SplittableRandom random, int length) {
    StringBuilder noise = new StringBuilder(length);
    if (random.nextInt(4) == 0) {
      noise.append(Envelope.EMPTY, 0, random.nextInt(Envelope.EMPTY.length() + 1));
    }
    while (noise.length() < length) {
      noise.append(
          random.nextInt(10) == 0
              ? Envelope.MAGIC.charAt(random.nextInt(4))
              : (char) random.nextInt(256));
    }
    return noise.toString();
  }

  private String received(String message, SplittableRandom random) throws Exception {
    return received(message, random.nextBoolean(), random);
  }

  /** Hands a message over in a form that is drawn by chance: whole, in parts, or as a stream. */
  private String received(String message, boolean text, SplittableRandom random) throws Exception {
    Incoming<?, ?> incoming = text ? receiver.text : receiver.binary;
    StringBuilder received = new StringBuilder();
    int form = random.nextInt(3);
    if (form == 0) {
      if (text) {
        StringWriter whole = new StringWriter();
        receiver.text.open(new StringReader(message)).transferTo(whole);
        received.append(whole);
      } else {
        byte[] bytes = message.getBytes(ISO_8859_1);
        received.append(
            new String(
                receiver.binary.open(new ByteArrayInputStream(bytes)).readAllBytes(), ISO_8859_1));
      }
    } else {
      for (int at = 0, next; at >= 0; at = next) {
        int end =
            form == 1 ? message.length() : Math.min(message.length(), at + random.nextInt(12));
        boolean last = end == message.length();
        String part = message.substring(at, end);
        if (text) {
          CharSequence payload = receiver.text.take(part, last);
          received.append(payload == null ? "" : payload);
        } else {
          ByteBuffer payload =
              receiver.binary.take(ByteBuffer.wrap(part.getBytes(ISO_8859_1)), last);
          received.append(payload == null ? "" : ISO_8859_1.decode(payload));
        }
        next = last ? -1 : end;
      }
    }
    incoming.end(null);
    return received.toString();
  }

  /** What goes out for a payload, which is sent whole or in parts. */
  private String sent(String payload, boolean text, SplittableRandom random) {
    Outgoing<?> outgoing = text ? sender.textSent : sender.binarySent;
    StringBuilder sent = new StringBuilder();
    boolean whole = random.nextBoolean();
    for (int at = 0, next; at >= 0; at = next) {
      int end = whole ? payload.length() : Math.min(payload.length(), at + random.nextInt(12));
      boolean last = end == payload.length();
      String part = payload.substring(at, end);
      if (text) {
        sent.append(sender.textSent.put(part));
      } else {
        sent.append(
            ISO_8859_1.decode(sender.binarySent.put(ByteBuffer.wrap(part.getBytes(ISO_8859_1)))));
      }
      SocketMessage.finish(outgoing.sent(last), null);
      next = last ? -1 : end;
    }
    outgoing.end(null);
    return sent.toString();
  }

  /** A request with what no client would send. */
  private void upgrade(SplittableRandom random) {
    Map<String, List<String>> headers =
        Map.of(
            random.nextBoolean() ? "traceparent" : "Baggage",
            List.of(header(random)),
            "tracestate",
            List.of(header(random), header(random)),
            Upgrade.PROTOCOLS_HEADER,
            List.of(Upgrade.CONTEXT_SUB_PROTOCOL + header(random) + ", " + header(random)),
            Envelope.HEADER,
            List.of(header(random)),
            "Host",
            List.of(header(random)));
    URI uri =
        URI.create(
            "ws://localhost/a/b?traceparent="
                + query(header(random))
                + "&"
                + query(noise(random, 9)));
    Upgrade upgrade =
        Upgrade.received(uri, "/b", headers, random.nextBoolean() ? sockets.sources : Set.of());
    InstrumentedRequest<Upgrade, Upgrade> request = sockets.serve(upgrade);
    // What samplers and spans are told.
    new Upgrade.Convention(true).onStart(request, upgrade);
    List<String> offered = Upgrade.protocols(headers.get(Upgrade.PROTOCOLS_HEADER));
    Protocols.answer(header(random), offered, true, true);
    Protocols.applications(offered);
    upgrade.status = Upgrade.SWITCHING_PROTOCOLS;
    request.end(upgrade, null);
  }

  private static String query(String value) {
    StringBuilder query = new StringBuilder();
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c > ' ' && c < 0x7f && "\"<>\\^`{|}%#[]".indexOf(c) < 0) {
        query.append(c);
      } else {
        // Half of them not as a decoder wants it.
        query.append(c % 2 == 0 ? "%25%" : "%").append(Character.forDigit(c >> 4 & 15, 16));
        query.append(Character.forDigit(c & 15, 16));
      }
    }
    return query.toString();
  }

  private static String header(SplittableRandom random) {
    StringBuilder header =
        new StringBuilder(
            switch (random.nextInt(5)) {
              case 0 -> WebSocketKit.TRACEPARENT;
              case 1 -> "k=v;p=q, l=%C3%A9";
              case 2 -> "localhost:8080";
              case 3 -> "[::1]:99999999999";
              default -> noise(random, random.nextInt(80));
            });
    if (random.nextBoolean() && header.length() > 0) {
      header.setCharAt(random.nextInt(header.length()), (char) random.nextInt(256));
    }
    return header.toString();
  }
}
