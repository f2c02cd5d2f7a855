// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.Refusal;
import java.util.List;

/**
 * A refusal in Redfish's words: a message of its Base registry.
 *
 * @see <a href="https://redfish.dmtf.org/schemas/DSP0266_1.20.0.html#error-responses">Error
 *     responses</a>
 */
final class RedfishError extends Refusal {

  private static final long serialVersionUID = 1L;

  private final String key;
  private final List<String> arguments;

  RedfishError(int status, String key, String message, String... arguments) {
    super(status, message);
    this.key = key;
    this.arguments = List.of(arguments);
  }

  /** The body for any refusal, also for those that the server itself makes. */
  static ObjectNode body(Refusal refusal) {
    RedfishError error = refusal instanceof RedfishError redfish ? redfish : of(refusal);
    String messageId = "Base.1.18." + error.key;
    ObjectNode body = Json.object();
    ObjectNode outer = body.putObject("error");
    outer.put("code", messageId).put("message", error.getMessage());
    ObjectNode info = outer.putArray("@Message.ExtendedInfo").addObject();
    info.put("@odata.type", "#Message.v1_2_0.Message")
        .put("MessageId", messageId)
        .put("Message", error.getMessage())
        .put("MessageSeverity", "Critical");
    error.arguments.forEach(info.putArray("MessageArgs")::add);
    return body;
  }

  private static RedfishError of(Refusal refusal) {
    String key =
        switch (refusal.status()) {
          case 400, 413 -> "MalformedJSON";
          case 404 -> "ResourceNotFound";
          case 405 -> "OperationNotAllowed";
          default -> "InternalError";
        };
    return new RedfishError(refusal.status(), key, refusal.getMessage());
  }
}
