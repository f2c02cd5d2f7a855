// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** The transparency kit on {@code java.util.logging}, which has no records. */
class JulTransparencyTest extends TransparencyKit {

  // Loggers are collected as garbage, and their settings with them.
  private final List<Logger> loggers = new ArrayList<>();

  @Override
  List<String> configure() {
    List<String> lines = new ArrayList<>();
    Logger acme = logger("com.acme", false);
    acme.addHandler(handler("root", lines));
    logger("com.acme.audit", false).addHandler(handler("audit", lines));
    logger("com.acme.silent", false);
    logger("dev.throughline", false).setLevel(Level.OFF);
    return lines;
  }

  private Logger logger(String name, boolean useParentHandlers) {
    Logger logger = Logger.getLogger(name);
    logger.setUseParentHandlers(useParentHandlers);
    logger.setLevel(Level.INFO);
    loggers.add(logger);
    return logger;
  }

  private static Handler handler(String name, List<String> lines) {
    SimpleFormatter formatter = new SimpleFormatter();
    return new Handler() {
      @Override
      public void publish(LogRecord line) {
        lines.add(
            Stacks.shortened(
                name
                    + ' '
                    + line.getLevel()
                    + ' '
                    + line.getLoggerName()
                    + ' '
                    + formatter.formatMessage(line)
                    + ' '
                    + (line.getThrown() == null ? "" : line.getThrown().getClass())));
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }

  @Override
  boolean hasRecords() {
    return false;
  }

  @Override
  void restore() {
    for (Logger logger : loggers) {
      for (Handler handler : logger.getHandlers()) {
        logger.removeHandler(handler);
      }
      logger.setUseParentHandlers(true);
      logger.setLevel(null);
    }
  }
}
