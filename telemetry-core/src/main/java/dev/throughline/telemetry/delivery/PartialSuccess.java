// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.util.concurrent.TimeUnit;

/**
 * The message of an OTLP receiver beside its status. The few fields are read by hand: of all
 * Protocol Buffers in a service these may be the only ones.
 *
 * @param rejected items that it did not take
 * @param message why, or a warning where nothing was rejected; empty where there is none
 * @see <a
 *     href="https://github.com/open-telemetry/opentelemetry-proto/blob/v1.11.0/opentelemetry/proto/collector/trace/v1/trace_service.proto">ExportTraceServiceResponse</a>,
 *     whose fields have the same numbers for metrics and logs
 */
record PartialSuccess(long rejected, String message) {

  static final PartialSuccess NONE = new PartialSuccess(0, "");

  /** Of an {@code ExportTraceServiceResponse} or its like; what can't be read rejects nothing. */
  static PartialSuccess read(byte[] response, int from, int to) {
    long rejected = 0;
    String message = "";
    Fields fields = new Fields(response, from, to);
    while (fields.next()) {
      if (fields.is(1)) {
        Fields partial = fields.message();
        while (partial.next()) {
          if (partial.is(1)) {
            rejected = partial.number();
          } else if (partial.is(2)) {
            message = partial.text();
          }
        }
      }
    }
    return rejected == 0 && message.isEmpty() ? NONE : new PartialSuccess(rejected, message);
  }

  /** The message of a {@code google.rpc.Status}; empty where there is none. */
  static String statusMessage(byte[] status) {
    Fields fields = new Fields(status, 0, status.length);
    String message = "";
    while (fields.next()) {
      if (fields.is(2)) {
        message = fields.text();
      }
    }
    return message;
  }

  /**
   * The delay in the {@code google.rpc.RetryInfo} of a {@code google.rpc.Status}.
   *
   * @return nanoseconds; -1 where it has none
   */
  static long retryDelayNanos(byte[] status) {
    Fields fields = new Fields(status, 0, status.length);
    while (fields.next()) {
      if (fields.is(3)) {
        Fields any = fields.message();
        String type = "";
        Fields value = new Fields(status, 0, 0);
        while (any.next()) {
          if (any.is(1)) {
            type = any.text();
          } else if (any.is(2)) {
            value = any.message();
          }
        }
        if (type.endsWith("/google.rpc.RetryInfo")) {
          return delay(value);
        }
      }
    }
    return -1;
  }

  /** Not negative; one that would overflow is as long as can be. */
  private static long delay(Fields retryInfo) {
    long seconds = 0;
    long nanos = 0;
    while (retryInfo.next()) {
      if (retryInfo.is(1)) {
        Fields duration = retryInfo.message();
        while (duration.next()) {
          if (duration.is(1)) {
            seconds = duration.number();
          } else if (duration.is(2)) {
            nanos = duration.number();
          }
        }
      }
    }
    long most = TimeUnit.SECONDS.toNanos(1) - 1;
    long whole = Math.min(TimeUnit.SECONDS.toNanos(seconds), Long.MAX_VALUE - most);
    return Math.max(0, whole + Math.max(0, Math.min(nanos, most)));
  }
}
