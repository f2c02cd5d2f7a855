// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.Memo;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/**
 * HTTP clients, by the stable conventions.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client">HTTP
 *     client spans</a>
 */
final class ClientConvention implements RequestConvention<ClientExchange, HttpResponse<?>> {

  private final CapturedHeaders requestHeaders;
  private final CapturedHeaders responseHeaders;
  private final Memo<Attributes> points = new Memo<>();

  ClientConvention(CapturedHeaders requestHeaders, CapturedHeaders responseHeaders) {
    this.requestHeaders = requestHeaders;
    this.responseHeaders = responseHeaders;
  }

  @Override
  public SpanKind kind() {
    return SpanKind.CLIENT;
  }

  @Override
  public String spanName(ClientExchange exchange) {
    return HttpValues.methodInName(HttpAttributes.method(exchange.method()));
  }

  @Override
  public void onStart(AttributeSink attributes, ClientExchange exchange) {
    HttpAttributes.setSent(attributes, exchange.method(), exchange.uri());
    attributes.set(HttpKeys.SERVER_ADDRESS, exchange.host());
    attributes.set(HttpKeys.SERVER_PORT, exchange.port());
    if (!requestHeaders.isEmpty()) {
      requestHeaders.capture(attributes, exchange::headers);
    }
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      ClientExchange exchange,
      @Nullable HttpResponse<?> response,
      @Nullable Throwable error) {
    if (response == null) {
      return;
    }
    HttpAttributes.setAnswered(attributes, response.statusCode(), version(response));
    if (!responseHeaders.isEmpty()) {
      responseHeaders.capture(attributes, name -> response.headers().allValues(name));
    }
  }

  @Override
  public @Nullable String errorType(
      ClientExchange exchange, @Nullable HttpResponse<?> response, @Nullable Throwable error) {
    if (error != null) {
      return error.getClass().getName();
    }
    int status = ClientExchange.status(response);
    return status >= 400 ? HttpValues.statusText(status) : null;
  }

  @Override
  public Attributes durationAttributes(
      ClientExchange exchange, @Nullable HttpResponse<?> response, @Nullable Throwable error) {
    String method = HttpAttributes.method(exchange.method());
    String host = exchange.host();
    String errorType = errorType(exchange, response, error);
    String version = response == null ? null : version(response);
    int status = ClientExchange.status(response);
    int port = exchange.port();
    Attributes point = points.get(method, host, errorType, version, status, port);
    if (point != null) {
      return point;
    }
    AttributesBuilder attributes =
        Attributes.builder()
            .put(HttpKeys.HTTP_REQUEST_METHOD, method)
            .put(HttpKeys.SERVER_ADDRESS, host)
            .put(HttpKeys.SERVER_PORT, (long) port);
    if (status > 0) {
      attributes.put(HttpKeys.HTTP_RESPONSE_STATUS_CODE, (long) status);
    }
    if (errorType != null) {
      attributes.put(HttpKeys.ERROR_TYPE, errorType);
    }
    if (version != null) {
      attributes.put(HttpKeys.NETWORK_PROTOCOL_VERSION, version);
    }
    return points.put(method, host, errorType, version, status, port, attributes.build());
  }

  @Override
  public HeaderSetter<ClientExchange> requestSetter() {
    return ClientExchange::addHeader;
  }

  @Override
  public boolean sends(ClientExchange exchange, String header) {
    return !exchange.headers(header).isEmpty();
  }

  private static String version(HttpResponse<?> response) {
    return response.version() == HttpClient.Version.HTTP_2 ? "2" : "1.1";
  }
}
