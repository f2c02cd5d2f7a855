// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.JsonRequest;
import dev.throughline.examples.service.JsonServer;
import dev.throughline.examples.service.Refusal;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Redfish service: its root, the one system, and the action that resets it. The system says on
 * which ports its consoles and IPMI are found.
 *
 * @see <a href="https://redfish.dmtf.org/schemas/DSP0266_1.20.0.html">Redfish specification</a>
 */
final class RedfishService {

  private static final Logger LOGGER = LoggerFactory.getLogger(RedfishService.class);
  private static final String ROOT = "/redfish/v1/";
  private static final String SYSTEM = ROOT + "Systems/1";
  private static final String RESET = "ComputerSystem.Reset";
  private static final String RESET_TYPE = "ResetType";
  private static final List<String> RESET_TYPES =
      List.of("On", "ForceOff", "PowerCycle", "GracefulShutdown");

  private final PowerSupply power;
  private final ResponseDelay delay;
  private final Ports ports;

  /** Where the system's other doors are. */
  record Ports(int ipmi, int vnc, int serial) {}

  RedfishService(PowerSupply power, ResponseDelay delay, Ports ports) {
    this.power = power;
    this.delay = delay;
    this.ports = ports;
  }

  void addTo(JsonServer server) {
    server.route("GET", ROOT, this::root);
    server.route("GET", SYSTEM, this::system);
    server.route("POST", SYSTEM + "/Actions/" + RESET, this::reset);
  }

  private ObjectNode root(JsonRequest request) {
    delay.pass();
    ObjectNode root = resource(ROOT, "#ServiceRoot.v1_16_0.ServiceRoot", "RootService");
    root.put("Name", "Root Service").put("RedfishVersion", "1.20.0");
    root.putObject("Systems").put("@odata.id", ROOT + "Systems");
    return root;
  }

  private ObjectNode system(JsonRequest request) {
    delay.pass();
    LOGGER.info("Telling where the consoles are");
    ObjectNode system = resource(SYSTEM, "#ComputerSystem.v1_22_0.ComputerSystem", "1");
    system.put("Name", "Simulated server").put("SystemType", "Physical");
    system.put("PowerState", power.isOn() ? "On" : "Off");
    system.putObject("GraphicalConsole").put("ServiceEnabled", true).put("Port", ports.vnc());
    ObjectNode serial = system.putObject("SerialConsole");
    serial.putObject("Telnet").put("ServiceEnabled", true).put("Port", ports.serial());
    serial.putObject("IPMI").put("ServiceEnabled", true).put("Port", ports.ipmi());
    ObjectNode reset = system.putObject("Actions").putObject("#" + RESET);
    reset.put("target", SYSTEM + "/Actions/" + RESET);
    RESET_TYPES.forEach(reset.putArray(RESET_TYPE + "@Redfish.AllowableValues")::add);
    return system;
  }

  private @Nullable ObjectNode reset(JsonRequest request) throws Refusal, IOException {
    String type = resetType(request);
    delay.pass();
    LOGGER.info("Reset: {}", type);
    switch (type) {
      case "On" -> power.turnOn();
      case "PowerCycle" -> {
        if (!power.cycle()) {
          throw new RedfishError(
              409,
              "ResourceInStandby",
              "The request could not be performed because the resource is in standby.");
        }
      }
      default -> power.turnOff();
    }
    return null;
  }

  private static String resetType(JsonRequest request) throws Refusal, IOException {
    JsonNode type = request.body().path(RESET_TYPE);
    if (type.isMissingNode()) {
      throw new RedfishError(
          400,
          "ActionParameterMissing",
          "The action %s requires that the parameter %s be present in the request body."
              .formatted(RESET, RESET_TYPE),
          RESET,
          RESET_TYPE);
    }
    if (!type.isTextual()) {
      throw new RedfishError(
          400,
          "ActionParameterValueTypeError",
          "The value %s for the parameter %s in the action %s is not a type that it can accept."
              .formatted(type, RESET_TYPE, RESET),
          type.toString(),
          RESET_TYPE,
          RESET);
    }
    if (!RESET_TYPES.contains(type.textValue())) {
      throw new RedfishError(
          400,
          "ActionParameterValueNotInList",
          "The value %s for the parameter %s in the action %s is not in the list of values."
              .formatted(type.textValue(), RESET_TYPE, RESET),
          type.textValue(),
          RESET_TYPE,
          RESET);
    }
    return type.textValue();
  }

  private static ObjectNode resource(String id, String type, String name) {
    return Json.object().put("@odata.id", id).put("@odata.type", type).put("Id", name);
  }
}
