// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderSetter;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import java.net.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/** Connect RPC clients. */
final class ConnectClientConvention extends ConnectConvention<ClientExchange, HttpResponse<?>> {

  @Override
  public SpanKind kind() {
    return SpanKind.CLIENT;
  }

  @Override
  ConnectCall call(ClientExchange exchange) {
    return requireNonNull(exchange.connectCall(), "connectCall");
  }

  @Override
  int status(ClientExchange exchange, @Nullable HttpResponse<?> response) {
    return ClientExchange.status(response);
  }

  @Override
  public void onStart(AttributeSink attributes, ClientExchange exchange) {
    super.onStart(attributes, exchange);
    attributes.set(HttpKeys.SERVER_ADDRESS, exchange.host());
    attributes.set(HttpKeys.SERVER_PORT, exchange.port());
  }

  @Override
  public @Nullable String errorType(
      ClientExchange exchange, @Nullable HttpResponse<?> response, @Nullable Throwable error) {
    return error != null ? error.getClass().getName() : code(exchange, response);
  }

  @Override
  public Attributes durationAttributes(
      ClientExchange exchange, @Nullable HttpResponse<?> response, @Nullable Throwable error) {
    return point(exchange, response, error, exchange.host(), exchange.port());
  }

  @Override
  public HeaderSetter<ClientExchange> requestSetter() {
    return ClientExchange::addHeader;
  }

  @Override
  public boolean sends(ClientExchange exchange, String header) {
    return !exchange.headers(header).isEmpty();
  }
}
