// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.JsonClient;
import dev.throughline.examples.service.Refusal;
import java.net.InetSocketAddress;
import java.net.URI;

/** Speaks Redfish over a client that records its calls. */
final class RedfishClient {

  private static final String SYSTEM = "/redfish/v1/Systems/1";
  private static final String RESET = SYSTEM + "/Actions/ComputerSystem.Reset";

  private final JsonClient http;

  RedfishClient(JsonClient http) {
    this.http = http;
  }

  /**
   * What a BMC says about its server.
   *
   * @param powerState {@code On} or {@code Off}
   */
  record ComputerSystem(
      String powerState,
      InetSocketAddress graphicalConsole,
      InetSocketAddress serialConsole,
      InetSocketAddress ipmi) {

    boolean isOn() {
      return powerState.equals("On");
    }
  }

  ComputerSystem system(URI bmc) throws Refusal {
    ObjectNode system = http.get(bmc.resolve(SYSTEM));
    return new ComputerSystem(
        system.path("PowerState").asText(),
        port(bmc, system, "/GraphicalConsole/Port"),
        port(bmc, system, "/SerialConsole/Telnet/Port"),
        port(bmc, system, "/SerialConsole/IPMI/Port"));
  }

  void reset(URI bmc, PowerAction action) throws Refusal {
    http.post(bmc.resolve(RESET), Json.object().put("ResetType", action.resetType()));
  }

  private static InetSocketAddress port(URI bmc, ObjectNode system, String pointer) throws Refusal {
    int port = system.at(pointer).asInt(-1);
    if (port < 1 || port > 65_535) {
      throw new Refusal(502, bmc + " names no port at " + pointer);
    }
    return new InetSocketAddress(bmc.getHost(), port);
  }
}
