// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderSetter;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import org.jspecify.annotations.Nullable;

/** Connect RPC servers. */
final class ConnectServerConvention extends ConnectConvention<ServerExchange, ServerExchange> {

  private final ServerAddress serverAddress = new ServerAddress();

  @Override
  public SpanKind kind() {
    return SpanKind.SERVER;
  }

  @Override
  ConnectCall call(ServerExchange exchange) {
    return requireNonNull(exchange.connectCall(), "connectCall");
  }

  @Override
  int status(ServerExchange exchange, @Nullable ServerExchange response) {
    return exchange.status();
  }

  @Override
  public void onStart(AttributeSink attributes, ServerExchange exchange) {
    super.onStart(attributes, exchange);
    serverAddress.set(attributes, exchange);
    attributes.set(HttpKeys.NETWORK_PEER_ADDRESS, exchange.peerAddress());
    if (exchange.peerPort() > 0) {
      attributes.set(HttpKeys.NETWORK_PEER_PORT, exchange.peerPort());
    }
  }

  @Override
  public @Nullable String errorType(
      ServerExchange exchange, @Nullable ServerExchange response, @Nullable Throwable error) {
    int status = exchange.status();
    if (error != null && (status < 400 || status >= 500)) {
      return error.getClass().getName();
    }
    String code = code(exchange, response);
    return code != null && ConnectCall.isServerError(code) ? code : null;
  }

  @Override
  public Attributes durationAttributes(
      ServerExchange exchange, @Nullable ServerExchange response, @Nullable Throwable error) {
    return point(exchange, response, error, null, 0);
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
}
