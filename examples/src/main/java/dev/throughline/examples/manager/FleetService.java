// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.manager;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.JsonRequest;
import dev.throughline.examples.service.JsonServer;
import dev.throughline.examples.service.Refusal;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Connect RPC service {@code fleet.v1.FleetService}: unary calls with the JSON codec.
 *
 * @see <a href="https://connectrpc.com/docs/protocol/#unary-rpcs">Connect protocol</a>
 */
final class FleetService {

  static final String GET_SERVER = "/fleet.v1.FleetService/GetServer";

  private final Authorization authorization;
  private final Registry registry;

  /** Finds out whether a call may be answered. */
  @FunctionalInterface
  interface Authorization {
    void check(JsonRequest request) throws Refusal;
  }

  private static final Logger LOGGER = LoggerFactory.getLogger(FleetService.class);

  FleetService(Authorization authorization, Registry registry) {
    this.authorization = authorization;
    this.registry = registry;
  }

  void addTo(JsonServer server) {
    server.route("POST", GET_SERVER, ConnectError::body, this::getServer);
  }

  private ObjectNode getServer(JsonRequest request) throws Exception {
    checkProtocol(request);
    authorization.check(request);
    String id = JsonRequest.text(request.body(), "id");
    KnownServer server = registry.server(id);
    LOGGER.atInfo().addKeyValue("server_id", id).log("The server is behind {}", server.gateway());
    ObjectNode response = Json.object();
    response
        .putObject("server")
        .put("id", server.id())
        .put("datacenter", server.datacenter())
        .put("gateway", server.gateway().toString());
    return response;
  }

  private static void checkProtocol(JsonRequest request) throws Refusal {
    if (!isJson(request.header("Content-Type"))) {
      throw new Refusal(415, "Only the JSON codec is spoken here");
    }
    String version = request.header("Connect-Protocol-Version");
    if (version != null && !version.equals("1")) {
      throw new Refusal(400, "Connect-Protocol-Version must be 1");
    }
    String encoding = request.header("Content-Encoding");
    if (encoding != null && !encoding.equals("identity")) {
      throw new Refusal(501, "Only the encoding identity is spoken here");
    }
  }

  private static boolean isJson(@Nullable String contentType) {
    return contentType != null
        && contentType
            .toLowerCase(Locale.ROOT)
            .replace(" ", "")
            .matches("application/json(;charset=\"?utf-8\"?)?");
  }
}
