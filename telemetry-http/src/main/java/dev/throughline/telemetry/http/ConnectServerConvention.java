// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.Memo;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import org.jspecify.annotations.Nullable;

/**
 * Connect RPC servers.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/rpc/connect-rpc/">Connect RPC semantic
 *     conventions</a>
 */
final class ConnectServerConvention implements RequestConvention<ServerExchange, ServerExchange> {

  static final String SYSTEM = "connectrpc";

  private final Memo<Attributes> points = new Memo<>();
  private final ServerAddress serverAddress = new ServerAddress();

  @Override
  public SpanKind kind() {
    return SpanKind.SERVER;
  }

  @Override
  public String spanName(ServerExchange exchange) {
    return call(exchange).method();
  }

  @Override
  public void onStart(AttributeSink attributes, ServerExchange exchange) {
    attributes.set(HttpKeys.RPC_SYSTEM_NAME, SYSTEM);
    attributes.set(HttpKeys.RPC_METHOD, call(exchange).method());
    serverAddress.set(attributes, exchange);
    attributes.set(HttpKeys.NETWORK_PEER_ADDRESS, exchange.peerAddress());
    if (exchange.peerPort() > 0) {
      attributes.set(HttpKeys.NETWORK_PEER_PORT, exchange.peerPort());
    }
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      ServerExchange exchange,
      @Nullable ServerExchange response,
      @Nullable Throwable error) {
    attributes.set(HttpKeys.RPC_RESPONSE_STATUS_CODE, call(exchange).errorCode(exchange.status()));
  }

  @Override
  public @Nullable String errorType(
      ServerExchange exchange, @Nullable ServerExchange response, @Nullable Throwable error) {
    int status = exchange.status();
    if (error != null && (status < 400 || status >= 500)) {
      return error.getClass().getName();
    }
    String code = call(exchange).errorCode(status);
    return code != null && ConnectCall.isServerError(code) ? code : null;
  }

  @Override
  public Attributes durationAttributes(
      ServerExchange exchange, @Nullable ServerExchange response, @Nullable Throwable error) {
    ConnectCall call = call(exchange);
    int status = exchange.status();
    return point(
        points, call.method(), call.errorCode(status), errorType(exchange, response, error));
  }

  static Attributes point(
      Memo<Attributes> points, String method, @Nullable String code, @Nullable String errorType) {
    Attributes point = points.get(method, code, errorType, null, 0, 0);
    if (point != null) {
      return point;
    }
    AttributesBuilder attributes =
        Attributes.builder().put(HttpKeys.RPC_SYSTEM_NAME, SYSTEM).put(HttpKeys.RPC_METHOD, method);
    if (code != null) {
      attributes.put(HttpKeys.RPC_RESPONSE_STATUS_CODE, code);
    }
    if (errorType != null) {
      attributes.put(HttpKeys.ERROR_TYPE, errorType);
    }
    return points.put(method, code, errorType, null, 0, 0, attributes.build());
  }

  @Override
  public TextMapGetter<ServerExchange> requestGetter() {
    return ServerConvention.GETTER;
  }

  @Override
  public HeaderSetter<ServerExchange> responseSetter() {
    return ServerExchange::setResponseHeader;
  }

  @Override
  public boolean sends(ServerExchange exchange, String header) {
    return exchange.sendsHeader(header);
  }

  private static ConnectCall call(ServerExchange exchange) {
    return requireNonNull(exchange.connectCall(), "connectCall");
  }
}
