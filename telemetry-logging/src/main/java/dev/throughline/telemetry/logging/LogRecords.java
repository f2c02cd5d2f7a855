// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.ScopeHook;
import dev.throughline.telemetry.instrument.ScopeHooks;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Which lines of a log become records of one telemetry. */
final class LogRecords {

  /** Ids are part of a record by themselves. */
  static final String IDS = "trace_id,span_id,trace_flags";

  private static final StackWalker STACK =
      StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

  private static final AtomicInteger count = new AtomicInteger();

  /** Log4j tells appenders apart by their names. */
  final String appenderName = "throughline-" + count.incrementAndGet();

  final OpenTelemetry openTelemetry;
  private final Guard guard;
  private final ThreadLocal<@Nullable Boolean> emitting = new ThreadLocal<>();
  private @Nullable Runnable remove;
  private boolean closed;

  LogRecords(OpenTelemetry openTelemetry, Guard guard) {
    this.openTelemetry = openTelemetry;
    this.guard = guard;
  }

  /**
   * Whether a line becomes a record; then {@link #end} is to follow. Those of the library itself,
   * of OpenTelemetry and of its sender don't, nor what is logged while a record is made or sent:
   * each record could make another one.
   */
  boolean begin(@Nullable String loggerName, ScopeHook hook) {
    if (loggerName != null
        && (loggerName.startsWith("dev.throughline.telemetry")
            || loggerName.startsWith("io.opentelemetry.")
            || loggerName.startsWith("okhttp3."))) {
      return false;
    }
    Context context = Context.current();
    if (emitting.get() != null || Internals.isSuppressed(context) || isExporting(context)) {
      return false;
    }
    // A line within a span of another telemetry is the other's.
    ScopeHook current = ScopeHooks.of(context);
    if (current != null && current != hook) {
      return false;
    }
    emitting.set(true);
    return true;
  }

  /**
   * Whether an exporter is on the stack. A processor of the service's own, or OpenTelemetry's, has
   * threads of its own, of which the context says nothing.
   */
  private static boolean isExporting(Context context) {
    return Span.fromContextOrNull(context) == null
        && STACK.walk(
            frames ->
                frames.anyMatch(
                    frame -> LogRecordExporter.class.isAssignableFrom(frame.getDeclaringClass())));
  }

  void end() {
    emitting.remove();
  }

  void caught(Throwable thrown) {
    guard.caught("OpenTelemetryAppender.append", thrown);
  }

  /** What takes the appender away again, run on close. */
  synchronized void onClose(Runnable remove) {
    if (closed) {
      remove.run();
    } else {
      this.remove = remove;
    }
  }

  synchronized void close() {
    closed = true;
    if (remove != null) {
      remove.run();
      remove = null;
    }
  }
}
