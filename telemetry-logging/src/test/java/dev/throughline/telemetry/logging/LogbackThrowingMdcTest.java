// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import java.lang.reflect.Field;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;

/** A back end whose MDC throws: the span is current all the same, and the application goes on. */
class LogbackThrowingMdcTest {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private static final class Throwing extends NOPMDCAdapter {

    @Override
    public void put(String key, String value) {
      throw new NoSuchMethodError("put");
    }

    @Override
    public void remove(String key) {
      throw new IllegalStateException("remove");
    }
  }

  @Test
  void throwsNothingAtTheApplication() throws Exception {
    LoggerFactory.getILoggerFactory();
    Field field = MDC.class.getDeclaredField("MDC_ADAPTER");
    field.setAccessible(true);
    MDCAdapter adapter = (MDCAdapter) field.get(null);
    field.set(null, new Throwing());
    try {
      LoggingTelemetry.create(recorded.telemetry()).install();
      recorded
          .telemetry()
          .span("outer")
          .baggage("session_id", "s-1")
          .run(() -> recorded.telemetry().span("inner").run(() -> {}));
    } finally {
      field.set(null, adapter);
    }
    assertThat(recorded)
        .tree(
            """
            outer
              inner
            """);
    recorded.expectWarn("MDC.put threw in dev.throughline.telemetry.logging");
    recorded.expectWarn("MDC.remove threw in dev.throughline.telemetry.logging");
    assertThat(MdcKit.mdc()).isEmpty();
  }
}
