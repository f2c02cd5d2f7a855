// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.ContextInitializer;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.joran.spi.JoranException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/** The transparency kit on Logback. */
class LogbackTransparencyTest extends TransparencyKit {

  private final LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();

  @Override
  List<String> configure() {
    context.reset();
    List<String> lines = new ArrayList<>();
    Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.INFO);
    root.addAppender(appender("root", lines));
    Logger audit = context.getLogger("com.acme.audit");
    audit.setAdditive(false);
    audit.addAppender(appender("audit", lines));
    context.getLogger("com.acme.silent").setAdditive(false);
    context.getLogger("dev.throughline").setLevel(Level.OFF);
    return lines;
  }

  private AppenderBase<ILoggingEvent> appender(String name, List<String> lines) {
    PatternLayout layout = new PatternLayout();
    layout.setContext(context);
    layout.setPattern(name + " %level %logger %marker %X{tenant} %kvp %msg%n%ex");
    layout.start();
    AppenderBase<ILoggingEvent> appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            lines.add(Stacks.shortened(layout.doLayout(event)));
          }
        };
    appender.setContext(context);
    appender.start();
    return appender;
  }

  @Override
  void restore() {
    context.reset();
    try {
      new ContextInitializer(context).autoConfig();
    } catch (JoranException e) {
      throw new AssertionError(e);
    }
  }
}
