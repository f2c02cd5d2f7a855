// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggerContextListener;
import dev.throughline.telemetry.instrument.ScopeHook;
import io.opentelemetry.instrumentation.logback.appender.v1_0.OpenTelemetryAppender;
import org.slf4j.LoggerFactory;

/** OpenTelemetry's appender at Logback's root logger, with the application kept apart from it. */
final class LogbackRecords extends OpenTelemetryAppender {

  private final LogRecords records;
  private final ScopeHook hook;

  private LogbackRecords(LogRecords records, ScopeHook hook) {
    this.records = records;
    this.hook = hook;
  }

  static void install(LogRecords records, ScopeHook hook) {
    Internals.chooseStableNames();
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    LogbackRecords appender = new LogbackRecords(records, hook);
    appender.setName(records.appenderName);
    appender.setContext(context);
    appender.setCaptureCodeAttributes(true);
    appender.setMdcAttributesIncluded("*");
    appender.setMdcAttributesExcluded(LogRecords.IDS);
    appender.setKeyValuePairAttributesIncluded("*");
    appender.setOpenTelemetry(records.openTelemetry);
    appender.attach(context);
    Reattach listener = new Reattach(appender);
    context.addListener(listener);
    records.onClose(
        () -> {
          context.removeListener(listener);
          context.getLogger(Logger.ROOT_LOGGER_NAME).detachAppender(appender);
          appender.stop();
        });
  }

  private void attach(LoggerContext context) {
    start();
    context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(this);
  }

  @Override
  protected void append(ILoggingEvent event) {
    if (!records.begin(event.getLoggerName(), hook)) {
      return;
    }
    try {
      super.append(event);
    } catch (Throwable t) {
      records.caught(t);
    } finally {
      records.end();
    }
  }

  /** Logback drops all appenders when it is configured anew. */
  private record Reattach(LogbackRecords appender) implements LoggerContextListener {

    @Override
    public boolean isResetResistant() {
      return true;
    }

    @Override
    public void onReset(LoggerContext context) {
      appender.attach(context);
    }

    @Override
    public void onStart(LoggerContext context) {}

    @Override
    public void onStop(LoggerContext context) {}

    @Override
    public void onLevelChange(Logger logger, Level level) {}
  }
}
