// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.rpc;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.Refusal;

/**
 * What came of a command. It needs no context: whoever waits for it has its own.
 *
 * @param id the command's
 * @param status as HTTP has it, 200 where it worked
 * @param body the result, or {@code error} with the reason
 */
public record Answer(long id, int status, ObjectNode body) {

  private static final int OK = 200;

  /** The answer to a command that worked. */
  public static Answer of(Command command, ObjectNode result) {
    return new Answer(command.id(), OK, result);
  }

  /** The answer to a command that did not work. */
  public static Answer of(Command command, Refusal refusal) {
    return new Answer(
        command.id(), refusal.status(), Json.object().put("error", refusal.getMessage()));
  }

  /**
   * The result.
   *
   * @throws Refusal with the status where that blames the command or the time it took, else 502
   */
  public ObjectNode result() throws Refusal {
    if (status == OK) {
      return body;
    }
    boolean ours = status < 500 || status == 504;
    throw new Refusal(ours ? status : 502, "The Agent refused: " + body.path("error").asText());
  }
}
