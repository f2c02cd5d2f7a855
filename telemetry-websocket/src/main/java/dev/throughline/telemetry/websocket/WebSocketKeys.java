// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;

import dev.throughline.telemetry.instrument.HttpAttributes;
import io.opentelemetry.api.common.AttributeKey;

/**
 * The attributes of upgrades, sessions and messages, and the metrics. There are no conventions for
 * WebSockets, so what HTTP's do not name has names of our own.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/">HTTP semantic conventions</a>
 */
final class WebSocketKeys {

  static final AttributeKey<String> ERROR_TYPE = stringKey("error.type");
  static final AttributeKey<String> HTTP_REQUEST_METHOD = HttpAttributes.HTTP_REQUEST_METHOD;
  static final AttributeKey<Long> HTTP_RESPONSE_STATUS_CODE =
      HttpAttributes.HTTP_RESPONSE_STATUS_CODE;
  static final AttributeKey<String> HTTP_ROUTE = HttpAttributes.HTTP_ROUTE;
  static final AttributeKey<String> NETWORK_IO_DIRECTION = stringKey("network.io.direction");
  static final AttributeKey<String> NETWORK_PROTOCOL_VERSION =
      HttpAttributes.NETWORK_PROTOCOL_VERSION;
  static final AttributeKey<String> SERVER_ADDRESS = HttpAttributes.SERVER_ADDRESS;
  static final AttributeKey<Long> SERVER_PORT = HttpAttributes.SERVER_PORT;
  static final AttributeKey<String> URL_FULL = HttpAttributes.URL_FULL;
  static final AttributeKey<String> URL_PATH = HttpAttributes.URL_PATH;
  static final AttributeKey<String> URL_QUERY = HttpAttributes.URL_QUERY;
  static final AttributeKey<String> URL_SCHEME = HttpAttributes.URL_SCHEME;
  static final AttributeKey<String> USER_AGENT_ORIGINAL = HttpAttributes.USER_AGENT_ORIGINAL;

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
