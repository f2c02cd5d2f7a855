// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.Memo;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Connect RPC, on either side.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/rpc/connect-rpc/">Connect RPC semantic
 *     conventions</a>
 */
abstract class ConnectConvention<REQ, RES> implements RequestConvention<REQ, RES> {

  private static final String SYSTEM = "connectrpc";

  private final Memo<Attributes> points = new Memo<>();

  abstract ConnectCall call(REQ exchange);

  /** The HTTP status; 0 if no response was sent, or came. */
  abstract int status(REQ exchange, @Nullable RES response);

  final @Nullable String code(REQ exchange, @Nullable RES response) {
    return call(exchange).errorCode(status(exchange, response));
  }

  @Override
  public final String spanName(REQ exchange) {
    return call(exchange).method();
  }

  @Override
  public void onStart(AttributeSink attributes, REQ exchange) {
    attributes.set(HttpKeys.RPC_SYSTEM_NAME, SYSTEM);
    attributes.set(HttpKeys.RPC_METHOD, call(exchange).method());
  }

  @Override
  public final void onEnd(
      AttributeSink attributes, REQ exchange, @Nullable RES response, @Nullable Throwable error) {
    attributes.set(HttpKeys.RPC_RESPONSE_STATUS_CODE, code(exchange, response));
  }

  /** The point of the duration histogram; a server's names no host. */
  final Attributes point(
      REQ exchange,
      @Nullable RES response,
      @Nullable Throwable error,
      @Nullable String host,
      int port) {
    String method = call(exchange).method();
    String code = code(exchange, response);
    String errorType = errorType(exchange, response, error);
    Attributes point = points.get(method, code, errorType, host, port, 0);
    if (point != null) {
      return point;
    }
    AttributesBuilder attributes =
        Attributes.builder().put(HttpKeys.RPC_SYSTEM_NAME, SYSTEM).put(HttpKeys.RPC_METHOD, method);
    if (host != null) {
      attributes.put(HttpKeys.SERVER_ADDRESS, host).put(HttpKeys.SERVER_PORT, (long) port);
    }
    if (code != null) {
      attributes.put(HttpKeys.RPC_RESPONSE_STATUS_CODE, code);
    }
    if (errorType != null) {
      attributes.put(HttpKeys.ERROR_TYPE, errorType);
    }
    return points.put(method, code, errorType, host, port, 0, attributes.build());
  }
}
