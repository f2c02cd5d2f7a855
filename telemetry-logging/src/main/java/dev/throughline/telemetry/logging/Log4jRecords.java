// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import dev.throughline.telemetry.instrument.ScopeHook;
import io.opentelemetry.instrumentation.log4j.appender.v2_17.OpenTelemetryAppender;
import java.beans.PropertyChangeListener;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;

/** OpenTelemetry's appender at Log4j's root logger, with the application kept apart from it. */
final class Log4jRecords extends AbstractAppender {

  private final LogRecords records;
  private final ScopeHook hook;
  private final OpenTelemetryAppender appender;

  private Log4jRecords(LogRecords records, ScopeHook hook, OpenTelemetryAppender appender) {
    super(records.appenderName, null, null, true, Property.EMPTY_ARRAY);
    this.records = records;
    this.hook = hook;
    this.appender = appender;
  }

  static void install(LogRecords records, ScopeHook hook) {
    Internals.chooseStableNames();
    LoggerContext context = (LoggerContext) LogManager.getContext(false);
    Log4jRecords appender = new Log4jRecords(records, hook, appender(records));
    appender.start();
    attach(appender, context);
    // Log4j drops all appenders when it is configured anew.
    PropertyChangeListener listener =
        change -> {
          if (LoggerContext.PROPERTY_CONFIG.equals(change.getPropertyName())) {
            attach(appender, context);
          }
        };
    context.addPropertyChangeListener(listener);
    records.onClose(
        () -> {
          context.removePropertyChangeListener(listener);
          context.getConfiguration().getRootLogger().removeAppender(appender.getName());
          context.updateLoggers();
          appender.stop();
        });
  }

  private static OpenTelemetryAppender appender(LogRecords records) {
    OpenTelemetryAppender.Builder<?> builder = OpenTelemetryAppender.builder();
    builder.setName("OpenTelemetry");
    builder.setCaptureCodeAttributes(true);
    builder.setContextDataAttributesIncluded("*");
    builder.setContextDataAttributesExcluded(LogRecords.IDS);
    builder.setOpenTelemetry(records.openTelemetry);
    OpenTelemetryAppender appender = builder.build();
    appender.start();
    return appender;
  }

  private static void attach(Log4jRecords appender, LoggerContext context) {
    LoggerConfig root = context.getConfiguration().getRootLogger();
    if (root.getAppenders().get(appender.getName()) != appender) {
      root.addAppender(appender, null, null);
      // This is a change as well, of which we are told.
      context.updateLoggers();
    }
  }

  @Override
  public void append(LogEvent event) {
    if (!records.begin(event.getLoggerName(), hook)) {
      return;
    }
    try {
      appender.append(event);
    } catch (Throwable t) {
      records.caught(t);
    } finally {
      records.end();
    }
  }
}
