// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** What the library says while this is open, on whichever thread. */
public final class LogCapture implements AutoCloseable {

  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.throughline.telemetry");
  private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

  public LogCapture() {
    // Workers log while the test reads.
    appender.list = new CopyOnWriteArrayList<>();
    appender.start();
    logger.addAppender(appender);
  }

  public List<String> warnings() {
    return lines(Level.WARN);
  }

  public List<String> infos() {
    return lines(Level.INFO);
  }

  private List<String> lines(Level level) {
    return appender.list.stream()
        .filter(event -> event.getLevel() == level)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  /** All that a reader of the log sees, stack traces too. */
  public String everything() {
    StringBuilder text = new StringBuilder();
    for (ILoggingEvent event : appender.list) {
      text.append(event.getLevel()).append(' ').append(event.getFormattedMessage()).append('\n');
      for (var cause = event.getThrowableProxy(); cause != null; cause = cause.getCause()) {
        text.append(cause.getClassName()).append(": ").append(cause.getMessage()).append('\n');
      }
    }
    return text.toString();
  }

  @Override
  public void close() {
    logger.detachAppender(appender);
  }
}
