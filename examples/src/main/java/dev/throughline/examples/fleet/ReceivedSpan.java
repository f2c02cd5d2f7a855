// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * A span as it came in.
 *
 * @param parentSpanId empty on a root
 * @param service the {@code service.name} of whoever sent it
 * @param failure why it failed, as far as it says; null where it did not
 * @param attributes all of them as text, by name
 */
record ReceivedSpan(
    String traceId,
    String spanId,
    String parentSpanId,
    String name,
    SpanKind kind,
    String service,
    long startNanos,
    long endNanos,
    @Nullable String failure,
    SortedMap<String, String> attributes) {

  private static final String BAGGAGE = "baggage.";

  static ReceivedSpan of(Span span, String service) {
    boolean failed = span.getStatus().getCode() == StatusCode.STATUS_CODE_ERROR;
    return new ReceivedSpan(
        Otlp.id(span.getTraceId()),
        Otlp.id(span.getSpanId()),
        Otlp.id(span.getParentSpanId()),
        span.getName(),
        span.getKind(),
        service,
        span.getStartTimeUnixNano(),
        span.getEndTimeUnixNano(),
        failed ? span.getStatus().getMessage() : null,
        Otlp.attributes(span.getAttributesList()));
  }

  boolean isRoot() {
    return parentSpanId.isEmpty();
  }

  long durationNanos() {
    return endNanos - startNanos;
  }

  /** The attributes that came from baggage. */
  SortedMap<String, String> baggage() {
    return attributes.subMap(BAGGAGE, BAGGAGE + Character.MAX_VALUE);
  }

  /**
   * Whether it stands for a call of a service that continues the trace. Of a stream that is several
   * segments the first one does.
   */
  boolean isCallOfService() {
    return kind == SpanKind.SPAN_KIND_CLIENT
        && attributes.getOrDefault("throughline.segment.number", "1").equals("1")
        && (attributes.containsKey("http.request.method")
            || attributes.containsKey("rpc.system.name")
            || attributes.containsKey("service.peer.name"));
  }

  /** Whom it calls: a URL or a service. */
  String callee() {
    return attributes.getOrDefault("url.full", attributes.getOrDefault("service.peer.name", ""));
  }

  /** The span and who sent it, e.g. {@code POST /auth of bmc-manager}. */
  @Override
  public String toString() {
    return name + " of " + service;
  }
}
