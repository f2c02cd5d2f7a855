// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import dev.throughline.telemetry.Telemetry;
import java.util.List;

/** The client kit on the least adapter for the JDK's client. */
class ReferenceClientTest extends HttpClientKit {

  private boolean throwing;

  ReferenceClient.Fault fault() {
    return throwing ? ReferenceClient.Fault.THROWS_IN_ITS_HOOK : ReferenceClient.Fault.NONE;
  }

  @Override
  protected List<Hook> hooks() {
    return List.of(
        new Hook(
            "RequestConvention.spanName",
            telemetry -> {
              throwing = true;
              return exchange().run(telemetry);
            }));
  }

  @Override
  protected Client client(Telemetry telemetry) {
    return new ReferenceClient(telemetry, fault());
  }
}
