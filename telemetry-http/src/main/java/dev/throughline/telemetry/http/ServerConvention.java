// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.Memo;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * HTTP servers, by the stable conventions.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server">HTTP
 *     server spans</a>
 */
final class ServerConvention implements RequestConvention<ServerExchange, ServerExchange> {

  static final HeaderGetter<ServerExchange> GETTER =
      new HeaderGetter<>() {
        @Override
        protected @Nullable List<String> lines(ServerExchange exchange, String name) {
          return exchange.headers(name);
        }
      };

  private final CapturedHeaders requestHeaders;
  private final CapturedHeaders responseHeaders;
  private final Set<String> excludedPaths;
  private final Memo<String> names = new Memo<>();
  private final Memo<Attributes> durationPoints = new Memo<>();
  private final Memo<Attributes> activePoints = new Memo<>();
  private final ServerAddress serverAddress = new ServerAddress();

  ServerConvention(
      CapturedHeaders requestHeaders, CapturedHeaders responseHeaders, Set<String> excludedPaths) {
    this.requestHeaders = requestHeaders;
    this.responseHeaders = responseHeaders;
    this.excludedPaths = excludedPaths;
  }

  @Override
  public boolean shouldStart(ServerExchange exchange) {
    return !excludedPaths.contains(exchange.pathInApplication());
  }

  @Override
  public SpanKind kind() {
    return SpanKind.SERVER;
  }

  @Override
  public String spanName(ServerExchange exchange) {
    return spanName(HttpAttributes.method(exchange.method()), exchange.route());
  }

  @Override
  public @Nullable String lateSpanName(ServerExchange exchange) {
    return exchange.routeIsLate() ? spanName(exchange) : null;
  }

  private String spanName(String method, @Nullable String route) {
    String verb = HttpValues.methodInName(method);
    if (route == null) {
      return verb;
    }
    String name = names.get(verb, route, null, null, 0, 0);
    return name != null ? name : names.put(verb, route, null, null, 0, 0, verb + " " + route);
  }

  @Override
  public void onStart(AttributeSink attributes, ServerExchange exchange) {
    HttpAttributes.setServed(
        attributes,
        exchange.method(),
        exchange.route(),
        exchange.path(),
        exchange.scheme(),
        exchange.query(),
        exchange.header("User-Agent"));
    serverAddress.set(attributes, exchange);
    attributes.set(HttpKeys.NETWORK_PROTOCOL_VERSION, HttpValues.version(exchange.protocol()));
    String peer = exchange.peerAddress();
    attributes.set(HttpKeys.NETWORK_PEER_ADDRESS, peer);
    if (exchange.peerPort() > 0) {
      attributes.set(HttpKeys.NETWORK_PEER_PORT, exchange.peerPort());
    }
    String forwarded = ClientAddress.forwarded(exchange);
    attributes.set(HttpKeys.CLIENT_ADDRESS, forwarded == null ? peer : forwarded);
    if (!requestHeaders.isEmpty()) {
      requestHeaders.capture(attributes, exchange::headers);
    }
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      ServerExchange exchange,
      @Nullable ServerExchange response,
      @Nullable Throwable error) {
    if (exchange.routeIsLate()) {
      attributes.set(HttpKeys.HTTP_ROUTE, exchange.route());
    }
    int status = exchange.status();
    if (status > 0) {
      attributes.set(HttpKeys.HTTP_RESPONSE_STATUS_CODE, status);
    }
    if (!responseHeaders.isEmpty()) {
      responseHeaders.capture(attributes, exchange::responseHeaders);
    }
  }

  @Override
  public @Nullable String errorType(
      ServerExchange exchange, @Nullable ServerExchange response, @Nullable Throwable error) {
    int status = exchange.status();
    if (status >= 400 && status < 500) {
      // The client's error, even if the server tells it by an exception.
      return null;
    }
    if (error != null) {
      return error.getClass().getName();
    }
    return status >= 500 ? HttpValues.statusText(status) : null;
  }

  @Override
  public Attributes durationAttributes(
      ServerExchange exchange, @Nullable ServerExchange response, @Nullable Throwable error) {
    String method = HttpAttributes.method(exchange.method());
    String route = exchange.route();
    String errorType = errorType(exchange, response, error);
    String version = HttpValues.version(exchange.protocol());
    int status = exchange.status();
    int secure = "https".equals(exchange.scheme()) ? 1 : 0;
    Attributes point = durationPoints.get(method, route, errorType, version, status, secure);
    if (point != null) {
      return point;
    }
    AttributesBuilder attributes = Attributes.builder();
    attributes.put(HttpKeys.HTTP_REQUEST_METHOD, method);
    attributes.put(HttpKeys.URL_SCHEME, exchange.scheme());
    if (route != null) {
      attributes.put(HttpKeys.HTTP_ROUTE, route);
    }
    if (status > 0) {
      attributes.put(HttpKeys.HTTP_RESPONSE_STATUS_CODE, (long) status);
    }
    if (errorType != null) {
      attributes.put(HttpKeys.ERROR_TYPE, errorType);
    }
    if (version != null) {
      attributes.put(HttpKeys.NETWORK_PROTOCOL_VERSION, version);
    }
    return durationPoints.put(
        method, route, errorType, version, status, secure, attributes.build());
  }

  @Override
  public Attributes activeAttributes(ServerExchange exchange) {
    String method = HttpAttributes.method(exchange.method());
    String scheme = exchange.scheme();
    Attributes point = activePoints.get(method, scheme, null, null, 0, 0);
    return point != null
        ? point
        : activePoints.put(
            method,
            scheme,
            null,
            null,
            0,
            0,
            Attributes.of(HttpKeys.HTTP_REQUEST_METHOD, method, HttpKeys.URL_SCHEME, scheme));
  }

  @Override
  public TextMapGetter<ServerExchange> requestGetter() {
    return GETTER;
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
