// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.sdk.common.export.Compressor;
import io.opentelemetry.sdk.common.export.MessageWriter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.function.IntFunction;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * How a message stands in a request: compressed or not, and over gRPC behind the prefix that tells
 * its length.
 *
 * @param compressor by gzip; null if messages are not compressed
 * @see <a
 *     href="https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests">Length-Prefixed-Message</a>
 */
record Encoding(boolean grpc, @Nullable Compressor compressor) {

  private static final int PREFIX = 5;
  private static final int MAX_DIVIDED_BYTES = 32 << 20;
  private static final byte[] NONE = new byte[0];

  /** The name of the compression; null if there is none. */
  @Nullable String name() {
    return compressor == null ? null : compressor.getEncoding();
  }

  boolean isCompressed() {
    return compressor != null;
  }

  /** Stands before a message of so many bytes. */
  byte[] prefix(int length) {
    if (!grpc) {
      return NONE;
    }
    return ByteBuffer.allocate(PREFIX)
        .put((byte) (compressor == null ? 0 : 1))
        .putInt(length)
        .array();
  }

  /**
   * Encodes a message.
   *
   * @param arrays makes an array for about so many bytes
   */
  Body encode(MessageWriter message, IntFunction<byte[]> arrays) throws IOException {
    int length = message.getContentLength();
    Body body = new Body(arrays.apply(compressor == null ? length : length / 4));
    if (compressor == null) {
      message.writeMessage(body);
    } else {
      try (OutputStream compressed = compressor.compress(body)) {
        message.writeMessage(compressed);
      }
    }
    return body;
  }

  /** Encodes a message that is encoded but for its compression. */
  Body encode(Body message) throws IOException {
    return encode(new Spool.Stored(false, ByteBuffer.wrap(message.bytes(), 0, message.length())));
  }

  /** The message in a body, without compression. */
  byte[] decode(Body body) throws IOException {
    try (InputStream message = new ByteArrayInputStream(body.bytes(), 0, body.length())) {
      return compressor == null ? message.readAllBytes() : expand(message, MAX_DIVIDED_BYTES);
    }
  }

  /** As much as delivery may have compressed: what is on disk may be someone else's. */
  private static byte[] expand(InputStream compressed, int most) throws IOException {
    byte[] message = new GZIPInputStream(compressed).readNBytes(most + 1);
    if (message.length > most) {
      throw new IOException("a request has more than " + most + " bytes when it is expanded");
    }
    return message;
  }

  /** Encodes a message of the spool, which may have been compressed there or not. */
  Body encode(Spool.Stored stored) throws IOException {
    Body body = new Body(Body.array(stored.message().remaining()));
    if (stored.compressed() == isCompressed()) {
      body.write(stored.message());
    } else if (compressor == null) {
      byte[] message = expand(stored.stream(), SpoolFile.MAX_REQUEST_BYTES);
      body.write(message, 0, message.length);
    } else {
      try (OutputStream compressed = compressor.compress(body)) {
        stored.stream().transferTo(compressed);
      }
    }
    return body;
  }
}
