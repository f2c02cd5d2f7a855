// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Upgrades and messages.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6455">RFC 6455</a>
 */
final class WebSocketAttack extends Attack {

  private static final String[] HEADERS = {
    "Host",
    "User-Agent",
    "Origin",
    "traceparent",
    "tracestate",
    "baggage",
    "X-Request-Id",
    "Sec-WebSocket-Extensions"
  };

  private static final int TEXT = 0x81;
  private static final int BINARY = 0x82;
  private static final int CLOSE = 0x88;

  WebSocketAttack(int port, Counts counts) {
    super(port, counts);
  }

  @Override
  void request(Noise noise) throws IOException {
    open();
    counts.sent.incrementAndGet();
    write(text(noise));
    if (!answer().startsWith("HTTP/1.1 101")) {
      return;
    }
    for (int i = 0; i < 3; i++) {
      counts.sent.incrementAndGet();
      String message = message(noise);
      if (noise.oneIn(4)) {
        frame(BINARY, message.getBytes(ISO_8859_1));
      } else {
        frame(TEXT, message.getBytes(noise.oneIn(30) ? ISO_8859_1 : UTF_8));
      }
    }
    frame(CLOSE, noise.oneIn(4) ? noise.word().getBytes(UTF_8) : new byte[] {3, (byte) 232});
    while (in.read() >= 0) {
      // Echoes, until the server closes.
    }
    counts.answered.addAndGet(3);
    close();
  }

  private static String text(Noise noise) {
    StringBuilder request = new StringBuilder(1_024);
    request.append("GET ").append(target(noise)).append(" HTTP/1.1\r\n");
    request.append("Upgrade: websocket\r\nConnection: Upgrade\r\n");
    request.append("Sec-WebSocket-Key: ");
    request.append(noise.oneIn(20) ? noise.value() : "AAAAAAAAAAAAAAAAAAAAAA==").append("\r\n");
    request.append("Sec-WebSocket-Version: ");
    request.append(noise.oneIn(20) ? noise.word() : "13").append("\r\n");
    boolean hasHost = false;
    for (String header : HEADERS) {
      if (noise.oneIn(2) && (!header.contains("Extensions") || noise.oneIn(10))) {
        hasHost |= header.equals("Host");
        request.append(header).append(": ").append(noise.header(header)).append("\r\n");
      }
    }
    if (!hasHost) {
      request.append("Host: h\r\n");
    }
    if (noise.oneIn(2)) {
      String protocol = noise.oneOf("traceparent." + noise.traceparent(), "throughline.0", "p");
      request.append("Sec-WebSocket-Protocol: throughline.1, ").append(protocol).append(", ");
      request.append(noise.word()).append("\r\n");
    }
    if (noise.oneIn(2)) {
      request.append("throughline-envelope: ").append(noise.oneIn(2) ? "1" : noise.value());
      request.append("\r\n");
    }
    return request.append("\r\n").toString();
  }

  private static String target(Noise noise) {
    String path =
        switch (noise.random.nextInt(10)) {
          case 0 -> "/app/./ws/" + noise.word();
          case 1 -> "/" + noise.word() + "/../app/ws/x";
          case 2 -> "/app;" + noise.word() + "/ws;a=" + noise.word() + "/x";
          case 3 -> "/%61pp/ws/" + noise.word();
          case 4 -> "//app//ws//" + noise.word();
          case 5 -> "/app/" + noise.word() + "/ws/x";
          case 6 -> noise.oneOf("ws", "evil" + noise.random.nextInt()) + "://h/app/ws/x";
          default -> "/app/ws/" + noise.word();
        };
    return noise.oneIn(3)
        ? path + "?traceparent=" + noise.traceparent() + "&baggage=customer_id%3D" + noise.word()
        : path;
  }

  private static String message(Noise noise) {
    String fields =
        "traceparent:" + noise.traceparent() + "\nbaggage:" + noise.header("baggage") + "\n";
    return switch (noise.random.nextInt(5)) {
      case 0 -> fields;
      case 1 -> "\u001eTL1" + String.format("%04x", fields.length()) + fields + noise.value();
      case 2 -> "\u001eTL1" + noise.oneOf("ffff", "4000", "zz", "0001") + fields;
      default -> noise.value();
    };
  }

  private void frame(int first, byte[] payload) throws IOException {
    int length = payload.length;
    ByteBuffer frame = ByteBuffer.allocate(14 + length).put((byte) first);
    if (length < 126) {
      frame.put((byte) (0x80 | length));
    } else if (length < 65_536) {
      frame.put((byte) 0xFE).putShort((short) length);
    } else {
      frame.put((byte) 0xFF).putLong(length);
    }
    // A mask of zeros leaves the payload as it is.
    frame.putInt(0).put(payload).flip();
    byte[] bytes = new byte[frame.remaining()];
    frame.get(bytes);
    write(bytes);
  }
}
