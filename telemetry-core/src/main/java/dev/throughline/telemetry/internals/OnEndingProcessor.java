// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.internals;

import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.internal.ExtendedSpanProcessor;

/** A span processor that the SDK also calls right before a span ends, while it can be changed. */
public interface OnEndingProcessor extends ExtendedSpanProcessor {

  /** Whether the SDK would call a processor then. */
  static boolean isRequired(SpanProcessor processor) {
    return processor instanceof ExtendedSpanProcessor extended && extended.isOnEndingRequired();
  }

  /** Calls a processor of which it is required. */
  static void call(SpanProcessor processor, ReadWriteSpan span) {
    ((ExtendedSpanProcessor) processor).onEnding(span);
  }
}
