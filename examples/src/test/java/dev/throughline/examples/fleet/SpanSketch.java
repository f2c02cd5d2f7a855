// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import java.util.TreeMap;

/** A received span whose name is its id, with times in milliseconds. */
record SpanSketch(
    String name,
    String parent,
    SpanKind kind,
    String service,
    long start,
    long end,
    String failure,
    TreeMap<String, String> attributes) {

  static SpanSketch span(String name, String parent) {
    return new SpanSketch(
        name, parent, SpanKind.SPAN_KIND_INTERNAL, "service", 0, 1, null, new TreeMap<>());
  }

  SpanSketch from(long millis) {
    return new SpanSketch(name, parent, kind, service, millis, end, failure, attributes);
  }

  SpanSketch to(long millis) {
    return new SpanSketch(name, parent, kind, service, start, millis, failure, attributes);
  }

  SpanSketch kind(SpanKind kind) {
    return new SpanSketch(name, parent, kind, service, start, end, failure, attributes);
  }

  SpanSketch of(String service) {
    return new SpanSketch(name, parent, kind, service, start, end, failure, attributes);
  }

  SpanSketch failed(String reason) {
    return new SpanSketch(name, parent, kind, service, start, end, reason, attributes);
  }

  SpanSketch with(String key, String value) {
    TreeMap<String, String> more = new TreeMap<>(attributes);
    more.put(key, value);
    return new SpanSketch(name, parent, kind, service, start, end, failure, more);
  }

  ReceivedSpan received() {
    return new ReceivedSpan(
        "trace",
        name,
        parent,
        name,
        kind,
        service,
        start * 1_000_000,
        end * 1_000_000,
        failure,
        attributes);
  }
}
