// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;

import io.opentelemetry.api.common.AttributeKey;

/**
 * The attributes of gRPC spans and metrics.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/rpc/grpc/">gRPC semantic
 *     conventions</a>
 */
final class GrpcKeys {

  static final AttributeKey<String> ERROR_TYPE = stringKey("error.type");
  static final AttributeKey<String> NETWORK_PEER_ADDRESS = stringKey("network.peer.address");
  static final AttributeKey<Long> NETWORK_PEER_PORT = longKey("network.peer.port");
  static final AttributeKey<String> RPC_METHOD = stringKey("rpc.method");
  static final AttributeKey<String> RPC_RESPONSE_STATUS_CODE =
      stringKey("rpc.response.status_code");
  static final AttributeKey<String> RPC_SYSTEM_NAME = stringKey("rpc.system.name");
  static final AttributeKey<String> SERVER_ADDRESS = stringKey("server.address");
  static final AttributeKey<Long> SERVER_PORT = longKey("server.port");

  // The conventions have no names for these.
  static final AttributeKey<Long> RECEIVED_MESSAGES = longKey("grpc.received.message_count");
  static final AttributeKey<Long> SENT_MESSAGES = longKey("grpc.sent.message_count");

  static final String CLIENT_DURATION = "rpc.client.call.duration";
  static final String SERVER_DURATION = "rpc.server.call.duration";

  private GrpcKeys() {}
}
