// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.classic.util.ContextInitializer;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.joran.spi.JoranException;
import ch.qos.logback.core.spi.FilterReply;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

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

  @Override
  void setAdditive(String logger, boolean additive) {
    context.getLogger(logger).setAdditive(additive);
  }

  @Override
  List<String> append(String logger) {
    List<String> lines = new ArrayList<>();
    AppenderBase<ILoggingEvent> appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            lines.add(event.getFormattedMessage());
          }
        };
    appender.setContext(context);
    appender.start();
    context.getLogger(logger).addAppender(appender);
    return lines;
  }

  @Test
  void aKeyValuePairThatCannotBeReadCostsItselfAlone() {
    List<Object> endless = new ArrayList<>();
    endless.add(new ArrayList<>(List.of(endless)));
    logger
        .atWarn()
        .setMessage("pairs of {}")
        .addArgument("acme")
        .addKeyValue("unreadable", new Unreadable())
        .addKeyValue("endless", endless)
        .addKeyValue("among", List.of("a", new Unreadable()))
        .addKeyValue("nothing", (Object) null)
        .addKeyValue("text", "v")
        .addKeyValue("number", 7)
        .setCause(new IllegalStateException("no answer"))
        .log();
    LogRecordData log = recorded.takeLog();
    assertThat(log.getBodyValue().asString()).isEqualTo("pairs of acme");
    assertThat(attributes(log))
        .contains(
            entry("unreadable", "[FAILED toString()]"),
            entry("text", "v"),
            entry("number", 7L),
            entry("exception.message", "no answer"),
            entry("exception.type", "java.lang.IllegalStateException"))
        .containsKeys("endless", "among", "exception.stacktrace", "code.line.number")
        .doesNotContainKey("nothing");
  }

  @Test
  void goesOnAfterTheContextWasStoppedAndStarted() throws Exception {
    context.stop();
    context.start();
    new ContextInitializer(context).autoConfig();
    setLevel("DEBUG");
    recorded.telemetry().span("work").run(() -> logger.info("in a span"));
    logger.info("after it");
    context.reset();
    new ContextInitializer(context).autoConfig();
    setLevel("DEBUG");
    logger.info("and after a reset");
    assertThat(recorded.takeLogs(3))
        .extracting(log -> log.getBodyValue().asString())
        .containsExactly("in a span", "after it", "and after a reset");
    recorded.takeSpan();
  }

  @Test
  void anotherTurboFilterThatAcceptsALineDoesNotHideIt() {
    String name = "com.acme.accepted" + System.nanoTime();
    List<String> lines = append(name);
    setAdditive(name, false);
    context.getLogger(name).setLevel(Level.ERROR);
    TurboFilter accepting =
        new TurboFilter() {
          @Override
          public FilterReply decide(
              Marker marker, Logger logger, Level level, String format, Object[] all, Throwable t) {
            return logger.getName().equals(name) ? FilterReply.ACCEPT : FilterReply.NEUTRAL;
          }
        };
    context.addTurboFilter(accepting);
    try {
      LoggerFactory.getLogger(name).info("accepted");
    } finally {
      context.getTurboFilterList().remove(accepting);
    }
    assertThat(lines).containsExactly("accepted");
    assertThat(recorded.takeLog().getBodyValue().asString()).isEqualTo("accepted");
  }
}
