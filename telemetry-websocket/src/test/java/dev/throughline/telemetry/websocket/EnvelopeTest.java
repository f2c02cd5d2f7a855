// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import dev.throughline.telemetry.websocket.Envelope.Found;
import dev.throughline.telemetry.websocket.Envelope.Opened;
import io.opentelemetry.context.Context;
import java.io.StringReader;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EnvelopeTest {

  private static final String CONTEXT = "traceparent:" + WebSocketKit.TRACEPARENT + "\n";

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  /** docs/websocket-envelope.md has these very bytes. */
  @Test
  void isTheSameByteByByte() {
    assertThat(Envelope.of(CONTEXT)).isEqualTo("\u001eTL10044" + CONTEXT);
    assertThat(Envelope.of("")).isEqualTo(Envelope.EMPTY).isEqualTo("\u001eTL10000");
  }

  @Test
  void givesBackWhatWasPutIn() {
    StringBuilder lines = new StringBuilder();
    Envelope.Fields.append(lines, "TraceParent", "00-a");
    Envelope.Fields.append(lines, "baggage", "a=1,b=2;p");
    Envelope.Fields.append(lines, "bad name", "dropped");
    Envelope.Fields.append(lines, "bad-value", "new\nline");
    Envelope.Fields.append(lines, "baggage", "c=3");
    Opened opened = Envelope.open(Envelope.of(lines) + "payload", true);

    assertThat(opened.found()).isEqualTo(Found.ENVELOPE);
    assertThat(opened.payload()).isEqualTo(Envelope.HEAD + lines.length());
    assertThat(opened.fields().lines("traceparent")).containsExactly("00-a");
    assertThat(opened.fields().lines("baggage")).containsExactly("a=1,b=2;p", "c=3");
    assertThat(opened.fields().lines("bad-value")).isNull();
  }

  @Test
  void aContextThatIsTooLongHasNone() {
    String longest = "a:" + "x".repeat(Envelope.MAX_CONTEXT - 3) + "\n";
    assertThat(Envelope.of(longest)).startsWith("\u001eTL14000");
    assertThat(Envelope.open(Envelope.of(longest), true).found()).isEqualTo(Found.ENVELOPE);
    assertThat(Envelope.of("x" + longest)).isNull();
    assertThat(Envelope.open("\u001eTL14001" + "x" + longest, true).found()).isEqualTo(Found.FAULT);
  }

  @Test
  void tellsAtEachLengthWhetherMoreIsToCome() {
    String message = Envelope.of(CONTEXT) + "payload";
    for (int length = 0; length <= message.length(); length++) {
      Found soFar = Envelope.open(message.substring(0, length), false).found();
      Found whole = Envelope.open(message.substring(0, length), true).found();
      if (length >= Envelope.HEAD + CONTEXT.length()) {
        assertThat(List.of(soFar, whole)).containsOnly(Found.ENVELOPE);
      } else {
        assertThat(soFar).isEqualTo(Found.MORE);
        assertThat(whole).isEqualTo(length < 4 ? Found.NONE : Found.FAULT);
      }
    }
  }

  @Test
  void countsBytesAsUtf8Has() {
    for (String text : List.of("", "a", "\u00e9", "\u20ac", "\ud83d\ude80", "a\u00e9\u20acz")) {
      assertThat(SocketSession.bytes(text))
          .isEqualTo(text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length);
    }
  }

  /** A hundredth of all; the whole million takes half a minute. */
  @Test
  void whateverComesInGoesThrough() throws Exception {
    fuzz(10_000, 20_261_121);
  }

  @Test
  @Tag("full")
  void aMillionFuzzedEnvelopesAndHeadersGoThrough() throws Exception {
    fuzz(1_000_000, 4711);
  }

  /**
   * Each round takes a message through a session that has agreed on envelopes, and a request's
   * headers through an upgrade. What begins with a valid envelope loses that alone; all else
   * arrives as it was.
   */
  private void fuzz(int rounds, long seed) throws Exception {
    Random random = new Random(seed);
    Sockets sockets =
        new Sockets(
            WebSocketTelemetry.builder(telemetry.telemetry())
                .addContextSource(ContextSource.QUERY)
                .addContextSource(ContextSource.SUB_PROTOCOL)
                .addContextSource(ContextSource.FIRST_MESSAGE));
    Upgrade upgrade = Upgrade.sent(URI.create("ws://localhost/fuzz"));
    upgrade.setEnvelopes(true);
    SocketSession session = sockets.open(upgrade);
    int faults = 0;
    int envelopes = 0;
    for (int i = 0; i < rounds; i++) {
      String message = message(random);
      Opened opened = Envelope.open(message, true);
      String expected = message;
      if (opened.found() == Found.ENVELOPE) {
        envelopes++;
        expected = message.substring(opened.payload());
      } else if (opened.found() == Found.FAULT) {
        faults++;
      }
      assertThat(received(session, message, random)).isEqualTo(expected);
      headers(sockets, random);
    }
    session.end(1000, null);

    assertThat(faults).isGreaterThan(rounds / 20);
    assertThat(envelopes).isGreaterThan(rounds / 20);
    // The messages' own spans; those of the headers are closed as they are made.
    telemetry.takeSpans(1);
    List<io.opentelemetry.sdk.trace.data.SpanData> spans = new ArrayList<>();
    spans.addAll(telemetry.takeSpans(all -> true));
    assertThat(
            telemetry.metric("throughline.websocket.envelope.faults").getLongSumData().getPoints())
        .singleElement()
        .satisfies(point -> assertThat(point.getValue()).isPositive());
    assertThat(sockets.guard.hits()).as("what threw").isZero();
  }

  /** Valid envelopes, broken ones, beginnings of ones, and noise. */
  private static String message(Random random) {
    String payload = noise(random, random.nextInt(40));
    StringBuilder message = new StringBuilder();
    int form = random.nextInt(8);
    if (form == 0) {
      return payload;
    }
    String context =
        switch (random.nextInt(4)) {
          case 0 -> CONTEXT;
          case 1 -> CONTEXT + "tracestate:a=1\nbaggage:k=%20,l=2;p=3\n";
          case 2 -> "";
          default -> "x:" + "y".repeat(random.nextInt(300)) + "\n";
        };
    message.append(Envelope.of(context)).append(payload);
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

  private static String noise(Random random, int length) {
    StringBuilder noise = new StringBuilder();
    for (int i = 0; i < length; i++) {
      noise.append(
          random.nextInt(10) == 0
              ? Envelope.MAGIC.charAt(random.nextInt(4))
              : (char) random.nextInt(256));
    }
    return noise.toString();
  }

  /** Hands a message over in a form that is drawn by chance, whole or in parts. */
  private static String received(SocketSession session, String message, Random random)
      throws Exception {
    StringBuilder received = new StringBuilder();
    boolean text = random.nextBoolean();
    int form = random.nextInt(3);
    if (form == 0) {
      byte[] bytes = message.getBytes(ISO_8859_1);
      if (text) {
        java.io.StringWriter writer = new java.io.StringWriter();
        session.text.open(new StringReader(message)).transferTo(writer);
        session.text.end(null);
        return writer.toString();
      }
      byte[] read = session.binary.open(new java.io.ByteArrayInputStream(bytes)).readAllBytes();
      session.binary.end(null);
      return new String(read, ISO_8859_1);
    }
    int at = 0;
    boolean last = false;
    while (!last) {
      int length =
          form == 1 ? message.length() : Math.min(message.length() - at, random.nextInt(12));
      String part = message.substring(at, at + length);
      at += length;
      last = at == message.length();
      if (text) {
        CharSequence payload = session.text.take(part, last);
        received.append(payload == null ? "" : payload);
      } else {
        ByteBuffer payload = session.binary.take(ByteBuffer.wrap(part.getBytes(ISO_8859_1)), last);
        received.append(payload == null ? "" : ISO_8859_1.decode(payload));
      }
    }
    if (text) {
      session.text.end(null);
    } else {
      session.binary.end(null);
    }
    return received.toString();
  }

  private static void headers(Sockets sockets, Random random) {
    Map<String, List<String>> headers =
        Map.of(
            random.nextBoolean() ? "traceparent" : "Baggage",
            List.of(header(random)),
            "tracestate",
            List.of(header(random), header(random)),
            Upgrade.PROTOCOLS_HEADER,
            List.of("traceparent." + header(random) + ", " + header(random)),
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
        Upgrade.received(uri, "/b", headers, random.nextBoolean() ? sockets.sources() : Set.of());
    assertThat(upgrade.route()).isEqualTo("/a/b");
    upgrade.host();
    upgrade.port();
    Upgrade.GETTER.get(upgrade, "traceparent");
    sockets.extract(Context.root(), new SocketMessage(true, Envelope.Fields.parse(CONTEXT)));
    Protocols.answer(
        header(random), Upgrade.protocols(headers.get(Upgrade.PROTOCOLS_HEADER)), true, true);
  }

  private static String query(String value) {
    StringBuilder query = new StringBuilder();
    for (char c : value.toCharArray()) {
      query.append(c > ' ' && c < 0x7f && "\"<>\\^`{|}%#[]".indexOf(c) < 0 ? c : '%');
      if (query.charAt(query.length() - 1) == '%') {
        query.append("%02x".formatted((int) c & 0xff));
      }
    }
    return query.toString();
  }

  private static String header(Random random) {
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
