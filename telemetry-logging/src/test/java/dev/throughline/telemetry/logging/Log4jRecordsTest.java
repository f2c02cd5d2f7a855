// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.Configurator;

/** The kit of log records on Log4j 2. */
class Log4jRecordsTest extends RecordsKit {

  private final LoggerContext context = (LoggerContext) LogManager.getContext(false);

  @Override
  void setLevel(String level) {
    Configurator.setRootLevel(Level.valueOf(level));
  }

  @Override
  void reconfigure() {
    context.reconfigure();
  }

  @Override
  List<String> appenders() {
    return new ArrayList<>(context.getConfiguration().getRootLogger().getAppenders().keySet());
  }

  /** The extension sees a WARN where Logback logs; that the application goes on is seen anyway. */
  @Override
  void guardLogged(String line) {}
}
