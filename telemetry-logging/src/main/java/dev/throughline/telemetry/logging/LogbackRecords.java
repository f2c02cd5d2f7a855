// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.LoggerContextListener;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.spi.FilterReply;
import io.opentelemetry.instrumentation.logback.appender.v1_0.OpenTelemetryAppender;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;

/**
 * Makes records of Logback's lines, by OpenTelemetry's appender.
 *
 * <p>A line is appended at each logger from its own upwards, until a logger is not additive. So an
 * appender of this stands at the root, and at each such logger that has others. Nobody tells when a
 * logger ceases to be additive, but a turbo filter is asked before each line.
 */
final class LogbackRecords extends TurboFilter implements LoggerContextListener {

  private final LogRecords records;
  private final LoggerContext loggers;
  private final Logger root;
  private final Mapper mapper = new Mapper();
  private final Map<Logger, Logger> parents = new ConcurrentHashMap<>();

  private LogbackRecords(LogRecords records, LoggerContext loggers) {
    this.records = records;
    this.loggers = loggers;
    root = loggers.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    mapper.setContext(loggers);
    mapper.setName("OpenTelemetry");
    mapper.setCaptureCodeAttributes(true);
    mapper.setMdcAttributesIncluded("*");
    mapper.setMdcAttributesExcluded(LogRecords.IDS);
    mapper.setKeyValuePairAttributesIncluded("*");
    mapper.setOpenTelemetry(records.openTelemetry);
    mapper.start();
    setContext(loggers);
    setName(records.appenderName);
    start();
  }

  static void install(LogRecords records) {
    Internals.chooseStableNames();
    LogbackRecords installed =
        new LogbackRecords(records, (LoggerContext) LoggerFactory.getILoggerFactory());
    installed.attach();
    installed.loggers.addListener(installed);
    records.onClose(installed::detach);
  }

  private void attach() {
    // First, so that another one that accepts a line does not keep it from this.
    loggers.getTurboFilterList().add(0, this);
    attach(root);
  }

  private void attach(Logger logger) {
    synchronized (root) {
      if (logger.getAppender(getName()) == null) {
        logger.addAppender(new End(logger));
      }
    }
  }

  private void detach() {
    loggers.removeListener(this);
    loggers.getTurboFilterList().remove(this);
    loggers.getLoggerList().forEach(logger -> logger.detachAppender(getName()));
    mapper.stop();
  }

  @Override
  public FilterReply decide(
      @Nullable Marker marker,
      Logger logger,
      Level level,
      @Nullable String format,
      Object @Nullable [] arguments,
      @Nullable Throwable thrown) {
    try {
      // Another filter may accept what the level does not.
      if (level.isGreaterOrEqual(logger.getEffectiveLevel())
          || loggers.getTurboFilterList().size() > 1) {
        attachWhereLinesEnd(logger);
      }
    } catch (Throwable t) {
      records.caught("TurboFilter.decide", t);
    }
    return FilterReply.NEUTRAL;
  }

  private void attachWhereLinesEnd(Logger from) {
    boolean appends = false;
    for (Logger logger = from; logger != root; logger = parent(logger)) {
      appends = appends || logger.iteratorForAppenders().hasNext();
      if (!logger.isAdditive()) {
        // Without any appender the application wants its lines nowhere.
        if (appends && logger.getAppender(getName()) == null) {
          attach(logger);
        }
        return;
      }
    }
  }

  private Logger parent(Logger logger) {
    Logger known = parents.get(logger);
    return known == null ? parents.computeIfAbsent(logger, this::findParent) : known;
  }

  private Logger findParent(Logger logger) {
    String name = logger.getName();
    int separator = Math.max(name.lastIndexOf('.'), name.lastIndexOf('$'));
    Logger parent = separator < 0 ? null : loggers.exists(name.substring(0, separator));
    return parent == null ? root : parent;
  }

  @Override
  public boolean isResetResistant() {
    return true;
  }

  /** Logback drops all appenders and filters when it is configured again. */
  @Override
  public void onReset(LoggerContext context) {
    attach();
  }

  /** Frameworks stop the context and start it again; all listeners are dropped then. */
  @Override
  public void onStop(LoggerContext context) {
    records.lost(
        () -> {
          loggers.addListener(this);
          attach();
        });
  }

  @Override
  public void onStart(LoggerContext context) {}

  @Override
  public void onLevelChange(Logger logger, Level level) {}

  /** Takes the lines that end at a logger. */
  private final class End extends UnsynchronizedAppenderBase<ILoggingEvent> {

    private final Logger logger;

    End(Logger logger) {
      this.logger = logger;
      setContext(loggers);
      setName(LogbackRecords.this.getName());
      start();
    }

    @Override
    protected void append(ILoggingEvent event) {
      // Additive again, and the line goes on to the next one of these.
      if (logger == root || !logger.isAdditive()) {
        records.emit(event.getLoggerName(), event, mapper::emit, LogbackRecords::readable);
      }
    }
  }

  /** OpenTelemetry's appender, whose exceptions are for whoever calls it. */
  private static final class Mapper extends OpenTelemetryAppender {

    void emit(ILoggingEvent event) {
      append(event);
    }
  }

  /** A copy of an event that can't be read as it is. */
  private static ILoggingEvent readable(ILoggingEvent event) {
    LoggingEvent copy = new LoggingEvent();
    copy.setLoggerName(event.getLoggerName());
    copy.setLevel(event.getLevel());
    copy.setThreadName(event.getThreadName());
    copy.setMessage(LogRecords.text(event::getFormattedMessage));
    copy.setInstant(event.getInstant());
    copy.setCallerData(event.getCallerData());
    copy.setMDCPropertyMap(event.getMDCPropertyMap());
    IThrowableProxy proxy = event.getThrowableProxy();
    if (proxy instanceof ThrowableProxy thrown) {
      LogRecords.exception(thrown.getThrowable())
          .forEach((key, value) -> copy.addKeyValuePair(new KeyValuePair(key, value)));
    }
    List<KeyValuePair> pairs = event.getKeyValuePairs();
    if (pairs != null) {
      for (KeyValuePair pair : pairs) {
        Object value = pair.value;
        copy.addKeyValuePair(
            value == null || value instanceof Number || value instanceof Boolean
                ? pair
                : new KeyValuePair(pair.key, LogRecords.text(() -> String.valueOf(value))));
      }
    }
    return copy;
  }
}
