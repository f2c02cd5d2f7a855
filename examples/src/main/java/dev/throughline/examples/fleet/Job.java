// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A command that the fleet runs, and what its trace must have.
 *
 * @param command of the command line client
 */
record Job(String title, List<String> command, Expectation trace) {

  /** The ends of a console's way, which end when the viewer has left. */
  private static final Set<String> RELAY =
      Set.of(
          "websocket.session of bmc-cli",
          "websocket.session of bmc-gateway",
          "fleet.v1.AgentService/Console of bmc-gateway",
          "fleet.v1.AgentService/Console of bmc-agent");

  static List<Job> all(String server) {
    return List.of(
        new Job("A VNC session", List.of("vnc", server), trace("cli.vnc", RELAY, "session_id")),
        new Job("A SOL session", List.of("sol", server), trace("cli.sol", RELAY, "session_id")),
        new Job(
            "A power cycle",
            List.of("power", server, "cycle"),
            trace("cli.power", Set.of(), "server_id")));
  }

  private static Expectation trace(String root, Set<String> spans, String baggage) {
    Set<String> everyService =
        Arrays.stream(Role.values()).map(Role::service).collect(Collectors.toSet());
    Set<String> belowTheGateway = Set.of(Role.AGENT.service(), Role.BMC.service());
    return new Expectation(root, everyService, spans, Set.of(baggage), belowTheGateway);
  }
}
