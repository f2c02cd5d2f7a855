// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** An encoded message. */
final class Body extends OutputStream {

  private static final int SMALLEST = 1 << 12;

  private byte[] bytes;
  private int length;
  private volatile boolean leaving;
  private @Nullable Runnable onLeaving;

  Body(byte[] bytes) {
    this.bytes = bytes;
  }

  /** An array for so many bytes; a little more, so that it serves the next body as well. */
  static byte[] array(int capacity) {
    return new byte[Math.max(SMALLEST, capacity + capacity / 32)];
  }

  byte[] bytes() {
    return bytes;
  }

  int length() {
    return length;
  }

  /** Sets the action of the sender before the first byte leaves. */
  void onLeaving(Runnable onLeaving) {
    this.onLeaving = onLeaving;
  }

  /** Whether some of it has left, and no answer has come yet. */
  boolean isLeaving() {
    return leaving;
  }

  void leave() {
    leaving = true;
    if (onLeaving != null) {
      onLeaving.run();
    }
  }

  void stay() {
    leaving = false;
  }

  @Override
  public void write(int b) {
    ensure(1);
    bytes[length++] = (byte) b;
  }

  @Override
  public void write(byte[] source, int offset, int count) {
    ensure(count);
    System.arraycopy(source, offset, bytes, length, count);
    length += count;
  }

  void write(ByteBuffer source) {
    int count = source.remaining();
    ensure(count);
    source.get(bytes, length, count);
    length += count;
  }

  private void ensure(int count) {
    int needed = Math.addExact(length, count);
    if (needed > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(needed, (int) Math.min(2L * bytes.length, 1 << 30)));
    }
  }
}
