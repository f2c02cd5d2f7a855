// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.core.layout.PatternLayout;

/** The transparency kit on Log4j 2. */
class Log4jTransparencyTest extends TransparencyKit {

  private final LoggerContext context = (LoggerContext) LogManager.getContext(false);

  @Override
  List<String> configure() {
    List<String> lines = new ArrayList<>();
    Configuration configuration = context.getConfiguration();
    LoggerConfig root = configuration.getRootLogger();
    List.copyOf(root.getAppenders().keySet()).forEach(root::removeAppender);
    root.setLevel(Level.INFO);
    root.addAppender(appender("root", lines), null, null);
    LoggerConfig audit = new LoggerConfig("com.acme.audit", Level.INFO, false);
    audit.addAppender(appender("audit", lines), null, null);
    configuration.addLogger("com.acme.audit", audit);
    configuration.addLogger(
        "com.acme.silent", new LoggerConfig("com.acme.silent", Level.INFO, false));
    configuration.addLogger(
        "dev.throughline", new LoggerConfig("dev.throughline", Level.OFF, false));
    context.updateLoggers();
    return lines;
  }

  private static AbstractAppender appender(String name, List<String> lines) {
    PatternLayout layout =
        PatternLayout.newBuilder()
            .setPattern(name + " %level %logger %marker %X{tenant} %msg%n%ex")
            .build();
    AbstractAppender appender =
        new AbstractAppender("own-" + name, null, layout, true, Property.EMPTY_ARRAY) {
          @Override
          public void append(LogEvent event) {
            lines.add(Stacks.shortened(layout.toSerializable(event)));
          }
        };
    appender.start();
    return appender;
  }

  @Override
  void restore() {
    context.reconfigure();
  }
}
