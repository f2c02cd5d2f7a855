// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import io.opentelemetry.instrumentation.log4j.appender.v2_17.OpenTelemetryAppender;
import java.beans.PropertyChangeEvent;
import java.beans.PropertyChangeListener;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.core.impl.ContextDataFactory;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.message.SimpleMessage;
import org.apache.logging.log4j.util.StringMap;

/**
 * Makes records of Log4j's lines, by OpenTelemetry's appender.
 *
 * <p>A line is appended at each configured logger from its own upwards, until a logger is not
 * additive. So an appender of this stands at the root, and at each logger that has others.
 */
final class Log4jRecords implements PropertyChangeListener {

  private final LogRecords records;
  private final LoggerContext context;
  private final OpenTelemetryAppender mapper;

  private Log4jRecords(LogRecords records, LoggerContext context) {
    this.records = records;
    this.context = context;
    OpenTelemetryAppender.Builder<?> builder = OpenTelemetryAppender.builder();
    builder.setName("OpenTelemetry");
    builder.setCaptureCodeAttributes(true);
    builder.setContextDataAttributesIncluded("*");
    builder.setContextDataAttributesExcluded(LogRecords.IDS);
    builder.setOpenTelemetry(records.openTelemetry);
    mapper = builder.build();
    mapper.start();
  }

  static void install(LogRecords records) {
    Internals.chooseStableNames();
    Log4jRecords installed =
        new Log4jRecords(records, (LoggerContext) LogManager.getContext(false));
    installed.attach();
    installed.context.addPropertyChangeListener(installed);
    records.onClose(installed::detach);
  }

  /** Log4j drops all appenders when it is configured again. */
  @Override
  public void propertyChange(PropertyChangeEvent change) {
    if (LoggerContext.PROPERTY_CONFIG.equals(change.getPropertyName())) {
      attach();
    }
  }

  private synchronized void attach() {
    boolean attached = false;
    for (LoggerConfig logger : context.getConfiguration().getLoggers().values()) {
      boolean appends = logger.getParent() == null || !logger.getAppenders().isEmpty();
      if (appends && !logger.getAppenders().containsKey(records.appenderName)) {
        logger.addAppender(new End(logger), null, null);
        attached = true;
      }
    }
    if (attached) {
      // This is a change as well, of which we are told.
      context.updateLoggers();
    }
  }

  private void detach() {
    context.removePropertyChangeListener(this);
    for (LoggerConfig logger : context.getConfiguration().getLoggers().values()) {
      logger.removeAppender(records.appenderName);
    }
    context.updateLoggers();
    mapper.stop();
  }

  /** Takes the lines that end at a logger. */
  private final class End extends AbstractAppender {

    private final LoggerConfig logger;

    End(LoggerConfig logger) {
      super(records.appenderName, null, null, true, Property.EMPTY_ARRAY);
      this.logger = logger;
      start();
    }

    @Override
    public void append(LogEvent event) {
      if (logger.getParent() == null || !logger.isAdditive()) {
        records.emit(event.getLoggerName(), event, mapper::append, Log4jRecords::readable);
      }
    }
  }

  /** A copy of an event that can't be read as it is. */
  private static LogEvent readable(LogEvent event) {
    StringMap data = ContextDataFactory.createContextData(event.getContextData());
    if (event.getThrown() != null) {
      LogRecords.exception(event.getThrown()).forEach(data::putValue);
    }
    return Log4jLogEvent.newBuilder()
        .setLoggerName(event.getLoggerName())
        .setLevel(event.getLevel())
        .setMessage(
            new SimpleMessage(LogRecords.text(() -> event.getMessage().getFormattedMessage())))
        .setThreadName(event.getThreadName())
        .setThreadId(event.getThreadId())
        .setInstant(event.getInstant())
        .setContextData(data)
        .setSource(event.getSource())
        .build();
  }
}
