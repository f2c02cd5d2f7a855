// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.SpanKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;

/** The README of the module, compiled and run. */
class ReadmeTest extends ReadmeKit {

  // region
  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  @Test
  void createsOneTrace() {
    new SessionService(telemetry.telemetry()).create();

    assertThat(telemetry)
        .tree(
            """
            session.create
              SELECT sessions  CLIENT db.system.name=postgresql
            """);
  }

  // endregion

  @Test
  void takesOneByOne() {
    SessionService service = new SessionService(telemetry.telemetry());
    service.create();
    LoggerFactory.getLogger("dev.throughline.sample").warn("spool is full");
    // region
    assertThat(telemetry.takeSpan().getName()).isEqualTo("SELECT sessions");
    assertThat(telemetry.takeSpans(1)).hasSize(1);
    assertThat(telemetry.metric("sessions.created").getLongSumData().getPoints()).hasSize(1);
    telemetry.expectWarn("spool is full");
    // endregion
  }

  private static final class SessionService {

    private final Telemetry telemetry;

    SessionService(Telemetry telemetry) {
      this.telemetry = telemetry;
    }

    void create() {
      telemetry
          .span("session.create")
          .run(
              () ->
                  telemetry
                      .span("SELECT sessions")
                      .kind(SpanKind.CLIENT)
                      .attribute("db.system.name", "postgresql")
                      .run(() -> {}));
      telemetry.meter().counterBuilder("sessions.created").build().add(1);
    }
  }
}
