// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

/**
 * What the MDC and log records say of the current context.
 *
 * @see <a
 *     href="https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/">Trace
 *     context in log formats</a>
 */
final class LogKeys {

  static final String TRACE_ID = "trace_id";
  static final String SPAN_ID = "span_id";
  static final String TRACE_FLAGS = "trace_flags";
  static final String REQUEST_ID = "request_id";

  private LogKeys() {}
}
