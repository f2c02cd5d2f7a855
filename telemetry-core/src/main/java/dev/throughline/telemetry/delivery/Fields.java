// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.nio.charset.StandardCharsets;

/**
 * Walks over the fields of one message of Protocol Buffers; malformed bytes end it.
 *
 * @see <a href="https://protobuf.dev/programming-guides/encoding/">Encoding</a>
 */
final class Fields {

  private static final int VARINT = 0;
  private static final int FIXED_64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED_32 = 5;

  private final byte[] bytes;
  private final int end;
  private int position;
  private int tagAt;
  private int field;
  private long number;
  private int start;
  private int length;

  Fields(byte[] bytes, int from, int to) {
    this.bytes = bytes;
    position = from;
    end = to;
  }

  boolean next() {
    if (position >= end) {
      return false;
    }
    tagAt = position;
    long tag = varint();
    field = (int) (tag >>> 3);
    number = 0;
    length = 0;
    switch ((int) tag & 7) {
      case VARINT -> number = varint();
      case FIXED_64 -> skip(8);
      case BYTES -> skip(varint());
      case FIXED_32 -> skip(4);
      default -> position = end + 1;
    }
    return position <= end;
  }

  /** Writes the field as it stands. */
  void copyTo(Body out) {
    out.write(bytes, tagAt, position - tagAt);
  }

  int field() {
    return field;
  }

  boolean is(int number) {
    return field == number;
  }

  int length() {
    return length;
  }

  long number() {
    return number;
  }

  String text() {
    return new String(bytes, start, length, StandardCharsets.UTF_8);
  }

  Fields message() {
    return new Fields(bytes, start, start + length);
  }

  private void skip(long count) {
    if (count < 0 || count > end - position) {
      position = end + 1;
      return;
    }
    start = position;
    length = (int) count;
    position += length;
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64 && position < end; shift += 7) {
      byte next = bytes[position++];
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    position = end + 1;
    return 0;
  }
}
