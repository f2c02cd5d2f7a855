// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import jakarta.websocket.OnError;
import jakarta.websocket.Session;
import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The lines of the log that an annotated endpoint has, in which a stranger's text may be. */
class AnnotatedEndpointTest {

  private static final Session SESSION =
      (Session)
          Proxy.newProxyInstance(
              Session.class.getClassLoader(),
              new Class<?>[] {Session.class},
              (proxy, method, arguments) -> null);

  /** Hears of no error. */
  public static final class Silent {}

  /** Throws when it hears of an error. */
  public static final class Throwing {
    @OnError
    public void failed(Session session, Throwable thrown) {
      throw new IllegalArgumentException(thrown.getMessage());
    }
  }

  @Test
  void printsNoControlCharacterOfAStrangers() {
    Logger logger = (Logger) LoggerFactory.getLogger(AnnotatedEndpoint.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    logger.setAdditive(false);
    try {
      for (Object instance : List.of(new Silent(), new Throwing())) {
        AnnotatedEndpoint endpoint =
            new AnnotatedEndpoint(instance, AnnotatedMethods.of(instance.getClass()), "/s");
        endpoint.onError(SESSION, new IllegalStateException("no\nERROR forged\u001b[2J"));
      }
    } finally {
      logger.setAdditive(true);
      logger.detachAppender(lines);
    }
    assertThat(lines.list)
        .hasSize(2)
        .allSatisfy(
            line ->
                assertThat(line.getThrowableProxy().getMessage())
                    .contains("no\\u000aERROR forged\\u001b[2J")
                    .doesNotContain("\n"));
  }
}
