// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.util.ArrayList;
import java.util.List;

/**
 * Divides an encoded OTLP request between its items: spans, log records, or the points of metrics.
 * Each part has the resources, scopes and metrics that its items stand in.
 *
 * @see <a
 *     href="https://github.com/open-telemetry/opentelemetry-proto/blob/v1.11.0/opentelemetry/proto/trace/v1/trace.proto">TracesData</a>,
 *     whose fields have the same numbers as those of logs and, down to the metric, of metrics
 */
final class Division {

  // The fields that lead to the items, from the request on.
  private static final List<List<Integer>> TO_SPANS = List.of(List.of(1), List.of(2), List.of(2));
  // A metric has its points in one of gauge, sum, histogram, exponential histogram and summary.
  private static final List<List<Integer>> TO_POINTS =
      List.of(List.of(1), List.of(2), List.of(2), List.of(5, 7, 9, 10, 11), List.of(1));

  private static final int LONGEST_VARINT = 5;
  private static final int BYTES = 2;

  private final List<List<Integer>> path;
  private final int from;
  private final int to;
  private int passed;

  private Division(List<List<Integer>> path, int from, int to) {
    this.path = path;
    this.from = from;
    this.to = to;
  }

  /**
   * A part of a request.
   *
   * @param items how many it has
   */
  record Part(int items, Body message) {}

  /** Two halves; empty if there are not two items in it. */
  static List<Part> halves(byte[] message, boolean metrics) {
    List<List<Integer>> path = metrics ? TO_POINTS : TO_SPANS;
    Division all = new Division(path, 0, Integer.MAX_VALUE);
    boolean unused = all.write(new Fields(message, 0, message.length), 0, new Body(new byte[0]));
    int half = all.passed / 2;
    List<Part> halves = new ArrayList<>();
    if (half > 0) {
      halves.add(part(message, path, 0, half));
      halves.add(part(message, path, half, all.passed));
    }
    return halves;
  }

  private static Part part(byte[] message, List<List<Integer>> path, int from, int to) {
    Body out = new Body(new byte[message.length / 2 + LONGEST_VARINT]);
    boolean unused =
        new Division(path, from, to).write(new Fields(message, 0, message.length), 0, out);
    return new Part(to - from, out);
  }

  /** Writes what is in the part; false if none of the items are. */
  private boolean write(Fields fields, int depth, Body out) {
    boolean any = false;
    while (fields.next()) {
      if (!path.get(depth).contains(fields.field())) {
        fields.copyTo(out);
      } else if (depth == path.size() - 1) {
        if (passed >= from && passed < to) {
          fields.copyTo(out);
          any = true;
        }
        passed++;
      } else {
        Body inner = new Body(new byte[fields.length()]);
        if (write(fields.message(), depth + 1, inner)) {
          writeVarint(out, fields.field() << 3 | BYTES);
          writeVarint(out, inner.length());
          out.write(inner.bytes(), 0, inner.length());
          any = true;
        }
      }
    }
    return any;
  }

  private static void writeVarint(Body out, int value) {
    int left = value;
    while ((left & ~0x7f) != 0) {
      out.write((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    out.write(left);
  }
}
