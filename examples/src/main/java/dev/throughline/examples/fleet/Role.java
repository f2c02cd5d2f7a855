// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import dev.throughline.examples.agent.Agent;
import dev.throughline.examples.bmc.Bmc;
import dev.throughline.examples.cli.Cli;
import dev.throughline.examples.gateway.Gateway;
import dev.throughline.examples.manager.Manager;
import java.util.Arrays;
import java.util.Locale;

/** The processes of the fleet. */
enum Role {
  BMC("bmc", Bmc.class),
  AGENT("bmc-agent", Agent.class),
  GATEWAY("bmc-gateway", Gateway.class),
  MANAGER("bmc-manager", Manager.class),
  CLI("bmc-cli", Cli.class);

  private final String service;
  private final Class<?> main;

  Role(String service, Class<?> main) {
    this.service = service;
    this.main = main;
  }

  /** The role of this name, e.g. {@code gateway}; an exception where there is none. */
  static Role of(String word) {
    return Arrays.stream(values())
        .filter(role -> role.word().equals(word))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("There is no process " + word));
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Its service name in telemetry. */
  String service() {
    return service;
  }

  Class<?> main() {
    return main;
  }
}
