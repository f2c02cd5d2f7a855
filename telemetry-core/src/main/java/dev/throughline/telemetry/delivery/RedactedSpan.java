// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.common.InstrumentationLibraryInfo;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.data.DelegatingSpanData;
import io.opentelemetry.sdk.trace.data.SpanData;
import org.jspecify.annotations.Nullable;

/**
 * A span of a library's own telemetry without the URL of a database in it, which holds the password
 * where the application opened the connection by a URL that does. MySQL Connector/J sets it.
 *
 * @see <a
 *     href="https://opentelemetry.io/docs/specs/semconv/registry/attributes/db/">db.connection_string</a>
 */
final class RedactedSpan implements ReadableSpan {

  private static final AttributeKey<String> CONNECTION_STRING =
      AttributeKey.stringKey("db.connection_string");

  private static final String REDACTED = "REDACTED";

  private final ReadableSpan span;

  private RedactedSpan(ReadableSpan span) {
    this.span = span;
  }

  /** The span itself if it has no connection string. */
  static ReadableSpan of(ReadableSpan span) {
    return span.getAttribute(CONNECTION_STRING) == null ? span : new RedactedSpan(span);
  }

  private static Attributes redacted(Attributes attributes) {
    return attributes.toBuilder().put(CONNECTION_STRING, REDACTED).build();
  }

  @Override
  public SpanData toSpanData() {
    return new Data(span.toSpanData());
  }

  private static final class Data extends DelegatingSpanData {

    private final Attributes attributes;

    Data(SpanData data) {
      super(data);
      attributes = redacted(data.getAttributes());
    }

    @Override
    public Attributes getAttributes() {
      return attributes;
    }
  }

  @Override
  @SuppressWarnings("unchecked") // equal keys have the same type
  public <T> @Nullable T getAttribute(AttributeKey<T> key) {
    return key.equals(CONNECTION_STRING) ? (T) REDACTED : span.getAttribute(key);
  }

  @Override
  public Attributes getAttributes() {
    return redacted(span.getAttributes());
  }

  @Override
  public SpanContext getSpanContext() {
    return span.getSpanContext();
  }

  @Override
  public SpanContext getParentSpanContext() {
    return span.getParentSpanContext();
  }

  @Override
  public String getName() {
    return span.getName();
  }

  @Override
  @Deprecated
  public InstrumentationLibraryInfo getInstrumentationLibraryInfo() {
    return span.getInstrumentationLibraryInfo();
  }

  @Override
  public InstrumentationScopeInfo getInstrumentationScopeInfo() {
    return span.getInstrumentationScopeInfo();
  }

  @Override
  public boolean hasEnded() {
    return span.hasEnded();
  }

  @Override
  public long getLatencyNanos() {
    return span.getLatencyNanos();
  }

  @Override
  public SpanKind getKind() {
    return span.getKind();
  }
}
