// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.ScopeHook;
import dev.throughline.telemetry.instrument.ScopeHooks;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.context.Context;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Which lines of a log become records of one telemetry. */
final class LogRecords {

  /** Ids are part of a record by themselves. */
  static final String IDS = "trace_id,span_id,trace_flags";

  private static final String EXPORTING_THREAD = "BatchLogRecordProcessor_WorkerThread";
  private static final String OPT_IN = "otel.semconv-stability.opt-in";

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
    if (Thread.currentThread().getName().startsWith(EXPORTING_THREAD)) {
      return false;
    }
    // A line within a span of another telemetry is the other's.
    ScopeHook current = ScopeHooks.of(Context.current());
    if (emitting.get() != null || (current != null && current != hook)) {
      return false;
    }
    emitting.set(true);
    return true;
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

  /**
   * Has the appenders write code locations under the stable names. They take the former ones unless
   * a system property says otherwise, which they read once.
   */
  static void chooseStableNames() {
    if (System.getProperty(OPT_IN) != null
        || System.getenv("OTEL_SEMCONV_STABILITY_OPT_IN") != null) {
      return;
    }
    System.setProperty(OPT_IN, "code");
    try {
      Class.forName("io.opentelemetry.instrumentation.api.internal.SemconvStability");
    } catch (ClassNotFoundException e) {
      // Another version, which has the names that it has.
    } finally {
      System.clearProperty(OPT_IN);
    }
  }
}
