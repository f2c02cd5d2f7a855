// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * A logging back end that throws whatever the library says, while this is open. It is a filter,
 * since what an appender throws stays inside Logback.
 */
public final class ThrowingLog extends TurboFilter implements AutoCloseable {

  private final LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
  private volatile int thrown;

  public ThrowingLog() {
    context.addTurboFilter(this);
  }

  public int thrown() {
    return thrown;
  }

  @Override
  public FilterReply decide(
      Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
    // Without a format, it is only asked whether the level is on.
    if (format == null || !logger.getName().startsWith("dev.throughline")) {
      return FilterReply.NEUTRAL;
    }
    thrown++;
    throw new IllegalStateException("of the logging back end");
  }

  @Override
  public void close() {
    context.getTurboFilterList().remove(this);
  }
}
