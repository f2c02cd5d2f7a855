// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.manager;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.Refusal;

/**
 * Errors in the words of the Connect protocol.
 *
 * @see <a href="https://connectrpc.com/docs/protocol/#error-codes">Error codes</a>
 */
final class ConnectError {

  private ConnectError() {}

  static ObjectNode body(Refusal refusal) {
    return Json.object().put("code", code(refusal.status())).put("message", refusal.getMessage());
  }

  private static String code(int status) {
    return switch (status) {
      case 400 -> "invalid_argument";
      case 401 -> "unauthenticated";
      case 404 -> "not_found";
      case 500 -> "internal";
      case 501 -> "unimplemented";
      default -> "unknown";
    };
  }
}
