// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.opentelemetry.sdk.logs.data.LogRecordData;
import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.Test;

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

  private LoggerConfig configured(String logger) {
    Configuration configuration = context.getConfiguration();
    if (!configuration.getLoggers().containsKey(logger)) {
      configuration.addLogger(logger, new LoggerConfig(logger, Level.DEBUG, true));
      context.updateLoggers();
    }
    return configuration.getLoggerConfig(logger);
  }

  @Override
  void setAdditive(String logger, boolean additive) {
    configured(logger).setAdditive(additive);
  }

  @Override
  List<String> append(String logger) {
    List<String> lines = new ArrayList<>();
    AbstractAppender appender =
        new AbstractAppender("lines", null, null, true, Property.EMPTY_ARRAY) {
          @Override
          public void append(LogEvent event) {
            lines.add(event.getMessage().getFormattedMessage());
          }
        };
    appender.start();
    configured(logger).addAppender(appender, null, null);
    context.updateLoggers();
    return lines;
  }

  /** Logback asks an exception for all that it is before there is an event; Log4j doesn't. */
  @Test
  void anExceptionThatCannotBeReadCostsItselfAlone() {
    logger.warn("exception", new UnreadableException());
    LogRecordData log = recorded.takeLog();
    assertThat(log.getBodyValue().asString()).isEqualTo("exception");
    assertThat(attributes(log))
        .contains(
            entry("exception.type", UnreadableException.class.getName()),
            entry("exception.message", "[FAILED toString()]"),
            entry("exception.stacktrace", "[FAILED toString()]"))
        .containsKeys("code.line.number");
  }

  private static final class UnreadableException extends RuntimeException {

    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw new IllegalStateException("getMessage");
    }
  }
}
