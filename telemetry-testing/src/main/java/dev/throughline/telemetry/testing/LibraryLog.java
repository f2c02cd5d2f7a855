// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.opentelemetry.context.Context;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;

/** The library's own log, of which each test is told the WARN and ERROR lines, if Logback logs. */
final class LibraryLog {

  private static final String LOGGERS = "dev.throughline";
  private static final boolean LOGBACK = isLogback();

  private LibraryLog() {}

  /**
   * Watches the log, also after Logback was configured anew.
   *
   * @return false where another back end logs, and nothing is seen
   */
  static boolean watch() {
    if (LOGBACK) {
      Appender.attach();
    }
    return LOGBACK;
  }

  private static boolean isLogback() {
    try {
      Class.forName("ch.qos.logback.classic.LoggerContext");
      return Appender.logs(LoggerFactory.getILoggerFactory());
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /** In a class of its own, since Logback is optional. */
  private static final class Appender extends AppenderBase<ILoggingEvent> {

    private static final Appender INSTANCE = new Appender();

    static boolean logs(ILoggerFactory factory) {
      return factory instanceof LoggerContext;
    }

    static void attach() {
      LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
      Logger logger = context.getLogger(LOGGERS);
      synchronized (INSTANCE) {
        if (!logger.isAttached(INSTANCE)) {
          INSTANCE.setContext(context);
          INSTANCE.start();
          logger.addAppender(INSTANCE);
        }
      }
    }

    @Override
    protected void append(ILoggingEvent event) {
      TelemetryExtension owner = Owner.of(Context.current());
      if (owner != null && event.getLevel().isGreaterOrEqual(Level.WARN)) {
        owner
            .warnings()
            .add(
                new Warning(
                    event.getLevel().toString(),
                    event.getLoggerName(),
                    event.getFormattedMessage()));
      }
    }
  }
}
