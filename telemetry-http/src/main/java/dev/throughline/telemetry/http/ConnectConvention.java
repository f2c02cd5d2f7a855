// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.Memo;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import org.jspecify.annotations.Nullable;

/**
 * Connect RPC on either side.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/rpc/connect-rpc/">Connect RPC semantic
 *     conventions</a>
 */
final class ConnectConvention extends ExchangeConvention {

  private static final String SYSTEM = "connectrpc";

  private final Memo<Attributes> points = new Memo<>();

  ConnectConvention(SpanKind kind) {
    super(kind);
  }

  private ConnectCall call(Exchange exchange) {
    return requireNonNull(exchange.connectCall(), "connectCall");
  }

  private @Nullable String code(Exchange exchange) {
    return call(exchange).errorCode(exchange.status());
  }

  @Override
  public String spanName(Exchange exchange) {
    return call(exchange).method();
  }

  @Override
  public void onStart(AttributeSink attributes, Exchange exchange) {
    attributes.set(HttpKeys.RPC_SYSTEM_NAME, SYSTEM);
    attributes.set(HttpKeys.RPC_METHOD, call(exchange).method());
    exchange.describeEnds(attributes);
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      Exchange exchange,
      @Nullable Exchange response,
      @Nullable Throwable error) {
    attributes.set(HttpKeys.RPC_RESPONSE_STATUS_CODE, code(exchange));
  }

  @Override
  public @Nullable String errorType(
      Exchange exchange, @Nullable Exchange response, @Nullable Throwable error) {
    if (error != null && !isClientsError(exchange.status())) {
      return error.getClass().getName();
    }
    String code = code(exchange);
    return code != null && (!served || ConnectCall.isServerError(code)) ? code : null;
  }

  /** A server's point names no host. */
  @Override
  public Attributes durationAttributes(
      Exchange exchange, @Nullable Exchange response, @Nullable Throwable error) {
    String method = call(exchange).method();
    String code = code(exchange);
    String errorType = errorType(exchange, response, error);
    String host = exchange.host();
    int port = exchange.port();
    Attributes point = points.get(method, code, errorType, host, port, 0);
    if (point != null) {
      return point;
    }
    AttributesBuilder attributes =
        Attributes.builder().put(HttpKeys.RPC_SYSTEM_NAME, SYSTEM).put(HttpKeys.RPC_METHOD, method);
    if (host != null) {
      attributes
          .put(HttpAttributes.SERVER_ADDRESS, host)
          .put(HttpAttributes.SERVER_PORT, (long) port);
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
