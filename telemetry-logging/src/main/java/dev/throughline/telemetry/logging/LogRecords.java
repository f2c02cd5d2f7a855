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
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Decides which lines of a log become records of one telemetry, and what of them can be read. */
final class LogRecords {

  /** Ids are part of a record by themselves. */
  static final String IDS = "trace_id,span_id,trace_flags";

  /** As SLF4J writes an argument whose {@code toString} throws. */
  static final String UNREADABLE = "[FAILED toString()]";

  private static final StackWalker STACK =
      StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

  private static final AtomicInteger count = new AtomicInteger();

  /** Log4j tells appenders apart by their names. */
  final String appenderName = "throughline-" + count.incrementAndGet();

  final OpenTelemetry openTelemetry;
  private final Guard guard;
  private final ThreadLocal<@Nullable Boolean> emitting = new ThreadLocal<>();
  private @Nullable ScopeHook hook;
  private volatile @Nullable Runnable attach;
  private @Nullable Runnable remove;
  private boolean closed;

  LogRecords(OpenTelemetry openTelemetry, Guard guard) {
    this.openTelemetry = openTelemetry;
    this.guard = guard;
  }

  /** Sets the hook of this telemetry's contexts; before any line. */
  void setHook(ScopeHook hook) {
    this.hook = hook;
  }

  /**
   * Makes a record of a line, if it becomes one; never throws.
   *
   * @param emitter makes it
   * @param readable copies an event that {@code emitter} could not read, so that it can
   */
  <E> void emit(
      @Nullable String loggerName, E event, Consumer<E> emitter, UnaryOperator<E> readable) {
    try {
      if (!isRecord(loggerName)) {
        return;
      }
      emitting.set(true);
      try {
        emitter.accept(event);
      } catch (Throwable t) {
        if (isMade(t)) {
          throw t;
        }
        emitter.accept(readable.apply(event));
      } finally {
        emitting.remove();
      }
    } catch (Throwable t) {
      caught("OpenTelemetryAppender.append", t);
    }
  }

  /**
   * Whether a line becomes a record. Those of the library itself, of OpenTelemetry and of its
   * sender don't, nor what is logged while a record is made or sent: each record could make another
   * one.
   */
  private boolean isRecord(@Nullable String loggerName) {
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
    return current == null || current == hook;
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

  /** Whether it was thrown by what got the record: to make it again would give it to all twice. */
  private static boolean isMade(Throwable thrown) {
    for (StackTraceElement frame : thrown.getStackTrace()) {
      if (frame.getMethodName().equals("emit")
          && frame.getClassName().startsWith("io.opentelemetry.sdk.logs.")) {
        return true;
      }
    }
    return Guard.isFatal(thrown);
  }

  void caught(String hook, Throwable thrown) {
    guard.caught(hook, thrown);
  }

  /** What the application's code says, or that it threw. */
  static String text(Supplier<@Nullable String> code) {
    try {
      return String.valueOf(code.get());
    } catch (Throwable t) {
      if (Guard.isFatal(t)) {
        throw t;
      }
      return UNREADABLE;
    }
  }

  /** The attributes of an exception, each as far as it can be read. */
  static Map<String, String> exception(Throwable thrown) {
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("exception.type", thrown.getClass().getName());
    attributes.put("exception.message", text(thrown::getMessage));
    attributes.put(
        "exception.stacktrace",
        text(
            () -> {
              StringWriter stack = new StringWriter();
              thrown.printStackTrace(new PrintWriter(stack));
              return stack.toString();
            }));
    return attributes;
  }

  /** Sets what attaches the appenders, when the back end drops them and tells nothing later. */
  void lost(Runnable attach) {
    this.attach = attach;
  }

  /** Attaches the appenders if they were lost. */
  void restore() {
    Runnable lost = attach;
    if (lost != null) {
      attach = null;
      lost.run();
    }
  }

  /** Sets what takes the appenders away again, run on close. */
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
