// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.logs.Severity;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A service's log in its traces: the ids of the current span in SLF4J's MDC, so that each line
 * names its trace, and the lines themselves as log records over OTLP.
 *
 * <pre>{@code
 * Telemetry telemetry = Telemetry.init("bmc-gateway");
 * LoggingTelemetry.create(telemetry).install();
 * }</pre>
 *
 * <p>While a span is current, the MDC has {@code trace_id}, {@code span_id} and {@code
 * trace_flags}, the listed baggage entries under their own keys, and {@code request_id} where the
 * service names a header for it. When its scope is closed, what stood there before stands there
 * again.
 *
 * <p>Log records are sent by OpenTelemetry's appender for Logback or Log4j 2, whichever is SLF4J's
 * back end; it is to be on the class path. Where {@code OTEL_LOGS_EXPORTER} is {@code none}, as it
 * is where no endpoint is set, there is no appender.
 *
 * <p>Thread-safe. What it writes stands in {@code docs/recorded-data.md}.
 */
public final class LoggingTelemetry {

  static final String SCOPE = "dev.throughline.telemetry.logging";

  private static final Logger logger = LoggerFactory.getLogger(LoggingTelemetry.class);
  private static final Set<Telemetry> installed =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  private final Telemetry telemetry;
  private final Guard guard;

  private LoggingTelemetry(Telemetry telemetry) {
    this.telemetry = requireNonNull(telemetry, "telemetry");
    guard = telemetry.guard(SCOPE);
  }

  /**
   * Logging telemetry; {@link #install} switches it on.
   *
   * @throws NullPointerException if {@code telemetry} is null
   */
  public static LoggingTelemetry create(Telemetry telemetry) {
    return new LoggingTelemetry(telemetry);
  }

  /**
   * Fills the MDC from now on, and sends log records, until the telemetry is closed. A second call
   * for one telemetry does nothing; neither does one with telemetry off, or when the OpenTelemetry
   * Java agent runs, which does the same by itself.
   */
  public void install() {
    if (!telemetry.isEnabled() || telemetry.isAgent() || !installed.add(telemetry)) {
      return;
    }
    LogRecords records = new LogRecords(telemetry.openTelemetry(), guard);
    MdcHook hook = new MdcHook(guard, telemetry.baggageKeys(), records);
    telemetry.setScopeHook(hook);
    records.setHook(hook);
    if (hasReceiver()) {
      install(records);
    }
  }

  private boolean hasReceiver() {
    return telemetry
        .openTelemetry()
        .getLogsBridge()
        .loggerBuilder(SCOPE)
        .build()
        .isEnabled(Severity.FATAL4);
  }

  private static void install(LogRecords records) {
    String backEnd = LoggerFactory.getILoggerFactory().getClass().getName();
    try {
      switch (backEnd) {
        case "ch.qos.logback.classic.LoggerContext" -> LogbackRecords.install(records);
        case "org.apache.logging.slf4j.Log4jLoggerFactory" -> Log4jRecords.install(records);
        default ->
            logger.warn(
                "Log records are not sent: SLF4J's back end is {}, and neither Logback nor Log4j 2",
                backEnd);
      }
    } catch (LinkageError e) {
      logger.warn(
          "Log records are not sent: OpenTelemetry's appender for {} is not on the class path ({});"
              + " add opentelemetry-logback-appender-1.0 or opentelemetry-log4j-appender-2.17",
          backEnd,
          e.toString());
    }
  }
}
