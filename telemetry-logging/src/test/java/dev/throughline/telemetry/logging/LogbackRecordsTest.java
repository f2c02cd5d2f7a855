// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.ContextInitializer;
import ch.qos.logback.core.joran.spi.JoranException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/** The kit of log records on Logback. */
class LogbackRecordsTest extends RecordsKit {

  private final LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();

  private Logger root() {
    return context.getLogger(Logger.ROOT_LOGGER_NAME);
  }

  @Override
  void setLevel(String level) {
    root().setLevel(Level.valueOf(level));
  }

  @Override
  void reconfigure() {
    context.reset();
    assertThat(appenders()).singleElement().asString().startsWith("throughline");
    try {
      new ContextInitializer(context).autoConfig();
    } catch (JoranException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  List<String> appenders() {
    List<String> names = new ArrayList<>();
    root().iteratorForAppenders().forEachRemaining(appender -> names.add(appender.getName()));
    return names;
  }
}
