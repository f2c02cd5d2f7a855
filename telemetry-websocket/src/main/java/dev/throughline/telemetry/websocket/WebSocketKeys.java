// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;

import io.opentelemetry.api.common.AttributeKey;

/**
 * The attributes of upgrades, sessions and messages, and the metrics. There are no conventions for
 * WebSockets, so what HTTP's do not name has names of our own.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/">HTTP semantic conventions</a>
 */
final class WebSocketKeys {

  static final AttributeKey<String> ERROR_TYPE = stringKey("error.type");
  static final AttributeKey<String> HTTP_REQUEST_METHOD = stringKey("http.request.method");
  static final AttributeKey<Long> HTTP_RESPONSE_STATUS_CODE = longKey("http.response.status_code");
  static final AttributeKey<String> HTTP_ROUTE = stringKey("http.route");
  static final AttributeKey<String> NETWORK_IO_DIRECTION = stringKey("network.io.direction");
  static final AttributeKey<String> NETWORK_PROTOCOL_VERSION =
      stringKey("network.protocol.version");
  static final AttributeKey<String> SERVER_ADDRESS = stringKey("server.address");
  static final AttributeKey<Long> SERVER_PORT = longKey("server.port");
  static final AttributeKey<String> URL_FULL = stringKey("url.full");
  static final AttributeKey<String> URL_PATH = stringKey("url.path");
  static final AttributeKey<String> URL_QUERY = stringKey("url.query");
  static final AttributeKey<String> URL_SCHEME = stringKey("url.scheme");
  static final AttributeKey<String> USER_AGENT_ORIGINAL = stringKey("user_agent.original");

  static final AttributeKey<Long> BYTES_RECEIVED = longKey("throughline.websocket.bytes.received");
  static final AttributeKey<Long> BYTES_SENT = longKey("throughline.websocket.bytes.sent");
  static final AttributeKey<Long> CLOSE_CODE = longKey("throughline.websocket.close.code");
  static final AttributeKey<String> CLOSED = stringKey("throughline.websocket.closed");
  static final AttributeKey<Long> ENVELOPE_FAULTS =
      longKey("throughline.websocket.envelope.faults");
  static final AttributeKey<Long> MESSAGE_SIZE = longKey("throughline.websocket.message.size");
  static final AttributeKey<String> MESSAGE_TYPE = stringKey("throughline.websocket.message.type");
  static final AttributeKey<Long> MESSAGES_RECEIVED =
      longKey("throughline.websocket.messages.received");
  static final AttributeKey<Long> MESSAGES_SENT = longKey("throughline.websocket.messages.sent");
  static final AttributeKey<String> OPENED = stringKey("throughline.websocket.opened");
  static final AttributeKey<String> SIDE = stringKey("throughline.websocket.side");

  static final String ACTIVE_SESSIONS = "throughline.websocket.sessions.active";
  static final String SESSION_DURATION = "throughline.websocket.session.duration";
  static final String MESSAGES = "throughline.websocket.messages";
  static final String IO = "throughline.websocket.io";
  static final String FAULTS = "throughline.websocket.envelope.faults";

  private WebSocketKeys() {}
}
