// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import dev.throughline.telemetry.Telemetry;

class ReferenceClientTest extends HttpClientKit {

  ReferenceClient.Fault fault() {
    return ReferenceClient.Fault.NONE;
  }

  @Override
  protected Client client(Telemetry telemetry) {
    return new ReferenceClient(telemetry, fault());
  }
}
