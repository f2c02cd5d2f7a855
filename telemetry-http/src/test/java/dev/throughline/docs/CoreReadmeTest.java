// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Here, since core's own tests can't depend on what tests are written with. */
class CoreReadmeTest extends ReadmeKit {

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  private final Bmc bmc = new Bmc();

  /** Compiled and not run: it would be the telemetry of the whole process. */
  void start() {
    // region
    try (Telemetry telemetry = Telemetry.init("bmc-gateway")) {
      telemetry.span("vnc.connect").run(() -> connect(bmc));
    }
    // endregion
  }

  @Test
  void writesASpan() {
    recorded.telemetry().span("vnc.connect").run(() -> connect(bmc));
    assertThat(recorded).tree("vnc.connect");
  }

  @Override
  protected Path readme() {
    return Pages.ROOT.resolve("telemetry-core/README.md");
  }

  private static final class Bmc {}

  private static void connect(Bmc bmc) {}
}
