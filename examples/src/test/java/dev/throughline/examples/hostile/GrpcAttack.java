// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Calls of gRPC, as frames of HTTP/2 that no client library would send.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9113#section-4">RFC 9113, frames</a>
 */
final class GrpcAttack extends Attack {

  private static final String[] METADATA = {
    "user-agent",
    "traceparent",
    "tracestate",
    "baggage",
    "x-request-id",
    "grpc-timeout",
    "grpc-encoding",
    "x-bin",
    "x-captured"
  };

  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int GOAWAY = 7;
  private static final int CONTINUATION = 9;
  private static final int END_STREAM = 1;
  private static final int ACK = 1;
  private static final int END_HEADERS = 4;
  private static final int LARGEST_FRAME = 16_384;
  // Fewer than the answers for which a receiver would have to grant more room.
  private static final int MOST_STREAMS = 4_000;
  private static final byte[] EMPTY_MESSAGE = new byte[5];

  private int stream;

  GrpcAttack(int port, Counts counts) {
    super(port, counts);
  }

  @Override
  void request(Noise noise) throws IOException {
    if (stream > MOST_STREAMS) {
      close();
    }
    if (!isOpen()) {
      open();
      stream = -1;
      write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      frame(SETTINGS, 0, 0, new byte[0], 0, 0);
    }
    stream += 2;
    counts.sent.incrementAndGet();
    sendHeaders(headers(noise));
    frame(DATA, END_STREAM, stream, EMPTY_MESSAGE, 0, EMPTY_MESSAGE.length);
    awaitEnd();
  }

  private static byte[] headers(Noise noise) {
    ByteArrayOutputStream headers = new ByteArrayOutputStream();
    put(headers, ":method", noise.oneIn(30) ? noise.word() : "POST");
    put(headers, ":scheme", noise.oneIn(30) ? noise.word() : "http");
    put(headers, ":path", path(noise));
    put(
        headers,
        ":authority",
        noise.oneIn(2) ? noise.header("host") : "h" + noise.random.nextInt());
    put(headers, "content-type", noise.oneIn(30) ? noise.value() : "application/grpc");
    put(headers, "te", "trailers");
    for (String name : METADATA) {
      if (noise.oneIn(name.startsWith("grpc-") ? 20 : 2)) {
        for (int times = noise.oneIn(20) ? 3 : 1; times > 0; times--) {
          put(headers, name, noise.header(name));
        }
      }
    }
    if (noise.oneIn(30)) {
      put(headers, noise.word(), noise.value());
    }
    return headers.toByteArray();
  }

  private static String path(Noise noise) {
    return switch (noise.random.nextInt(8)) {
      case 0 -> noise.word();
      case 1 -> "/unknown.Service/" + noise.word();
      case 2 -> "/" + noise.word() + "/" + noise.word();
      default -> "/any.Service/" + noise.word();
    };
  }

  /** A literal without indexing, by RFC 7541. */
  private static void put(ByteArrayOutputStream headers, String name, String value) {
    headers.write(0);
    for (String text : new String[] {name, value}) {
      byte[] bytes = text.getBytes(ISO_8859_1);
      int length = bytes.length;
      if (length < 127) {
        headers.write(length);
      } else {
        headers.write(127);
        for (length -= 127; length >= 128; length >>= 7) {
          headers.write(length & 127 | 128);
        }
        headers.write(length);
      }
      headers.writeBytes(bytes);
    }
  }

  private void sendHeaders(byte[] headers) throws IOException {
    int sent = 0;
    do {
      int length = Math.min(LARGEST_FRAME, headers.length - sent);
      int flags = sent + length == headers.length ? END_HEADERS : 0;
      frame(sent == 0 ? HEADERS : CONTINUATION, flags, stream, headers, sent, length);
      sent += length;
    } while (sent < headers.length);
  }

  private void frame(int type, int flags, int id, byte[] payload, int offset, int length)
      throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(9 + length);
    frame.put((byte) (length >> 16)).putShort((short) length);
    frame.put((byte) type).put((byte) flags).putInt(id).put(payload, offset, length);
    write(frame.array());
  }

  private void awaitEnd() throws IOException {
    while (true) {
      ByteBuffer head = ByteBuffer.wrap(read(9));
      int length = (head.get() & 0xFF) << 16 | head.getShort() & 0xFFFF;
      int type = head.get();
      int flags = head.get();
      int id = head.getInt();
      byte[] payload = read(length);
      boolean isAck = (flags & ACK) != 0;
      if (type == GOAWAY) {
        throw new IOException("the server said goodbye");
      } else if (type == SETTINGS && !isAck) {
        frame(SETTINGS, ACK, 0, new byte[0], 0, 0);
      } else if (type == PING && !isAck) {
        frame(PING, ACK, 0, payload, 0, payload.length);
      } else if (id == stream
          && (type == RST_STREAM || (type <= HEADERS && (flags & END_STREAM) != 0))) {
        counts.answered.incrementAndGet();
        return;
      }
    }
  }
}
