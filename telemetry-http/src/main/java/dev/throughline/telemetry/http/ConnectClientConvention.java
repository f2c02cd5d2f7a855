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
import java.net.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/** Connect RPC clients. */
final class ConnectClientConvention implements RequestConvention<ClientExchange, HttpResponse<?>> {

  private final Memo<Attributes> points = new Memo<>();

  @Override
  public SpanKind kind() {
    return SpanKind.CLIENT;
  }

  @Override
  public String spanName(ClientExchange exchange) {
    return call(exchange).method();
  }

  @Override
  public void onStart(AttributeSink attributes, ClientExchange exchange) {
    attributes.set(HttpKeys.RPC_SYSTEM_NAME, ConnectServerConvention.SYSTEM);
    attributes.set(HttpKeys.RPC_METHOD, call(exchange).method());
    attributes.set(HttpKeys.SERVER_ADDRESS, exchange.host());
    attributes.set(HttpKeys.SERVER_PORT, exchange.port());
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      ClientExchange exchange,
      @Nullable HttpResponse<?> response,
      @Nullable Throwable error) {
    attributes.set(
        HttpKeys.RPC_RESPONSE_STATUS_CODE,
        call(exchange).errorCode(ClientExchange.status(response)));
  }

  @Override
  public @Nullable String errorType(
      ClientExchange exchange, @Nullable HttpResponse<?> response, @Nullable Throwable error) {
    return error != null
        ? error.getClass().getName()
        : call(exchange).errorCode(ClientExchange.status(response));
  }

  @Override
  public Attributes durationAttributes(
      ClientExchange exchange, @Nullable HttpResponse<?> response, @Nullable Throwable error) {
    String method = call(exchange).method();
    String code = call(exchange).errorCode(ClientExchange.status(response));
    String errorType = errorType(exchange, response, error);
    String host = exchange.host();
    int port = exchange.port();
    Attributes point = points.get(method, code, errorType, host, port, 0);
    if (point != null) {
      return point;
    }
    AttributesBuilder attributes =
        Attributes.builder()
            .put(HttpKeys.RPC_SYSTEM_NAME, ConnectServerConvention.SYSTEM)
            .put(HttpKeys.RPC_METHOD, method)
            .put(HttpKeys.SERVER_ADDRESS, host)
            .put(HttpKeys.SERVER_PORT, (long) port);
    if (code != null) {
      attributes.put(HttpKeys.RPC_RESPONSE_STATUS_CODE, code);
    }
    if (errorType != null) {
      attributes.put(HttpKeys.ERROR_TYPE, errorType);
    }
    return points.put(method, code, errorType, host, port, 0, attributes.build());
  }

  @Override
  public HeaderSetter<ClientExchange> requestSetter() {
    return ClientExchange::addHeader;
  }

  @Override
  public boolean sends(ClientExchange exchange, String header) {
    return !exchange.headers(header).isEmpty();
  }

  private static ConnectCall call(ClientExchange exchange) {
    return requireNonNull(exchange.connectCall(), "connectCall");
  }
}
