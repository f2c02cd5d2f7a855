// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;

import io.opentelemetry.api.common.AttributeKey;

/**
 * The attributes of HTTP and Connect RPC spans and metrics beside those of {@link
 * dev.throughline.telemetry.instrument.HttpAttributes}.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/">HTTP semantic conventions</a>
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/rpc/connect-rpc/">Connect RPC semantic
 *     conventions</a>
 */
final class HttpKeys {

  static final AttributeKey<String> CLIENT_ADDRESS = stringKey("client.address");
  static final AttributeKey<String> ERROR_TYPE = stringKey("error.type");
  static final AttributeKey<String> NETWORK_PEER_ADDRESS = stringKey("network.peer.address");
  static final AttributeKey<Long> NETWORK_PEER_PORT = longKey("network.peer.port");
  static final AttributeKey<String> RPC_METHOD = stringKey("rpc.method");
  static final AttributeKey<String> RPC_RESPONSE_STATUS_CODE =
      stringKey("rpc.response.status_code");
  static final AttributeKey<String> RPC_SYSTEM_NAME = stringKey("rpc.system.name");

  static final String REQUEST_HEADER = "http.request.header.";
  static final String RESPONSE_HEADER = "http.response.header.";

  static final String SERVER_DURATION = "http.server.request.duration";
  static final String CLIENT_DURATION = "http.client.request.duration";
  static final String ACTIVE_REQUESTS = "http.server.active_requests";
  static final String RPC_SERVER_DURATION = "rpc.server.call.duration";
  static final String RPC_CLIENT_DURATION = "rpc.client.call.duration";

  private HttpKeys() {}
}
