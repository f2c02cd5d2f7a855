// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.Memo;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Plain HTTP on either side, by the stable conventions.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">HTTP spans</a>
 */
final class HttpConvention extends ExchangeConvention {

  private final Set<String> excludedPaths;
  private final CapturedHeaders requestHeaders;
  private final CapturedHeaders responseHeaders;
  private final Memo<String> names = new Memo<>();
  private final Memo<Attributes> durationPoints = new Memo<>();
  private final Memo<Attributes> activePoints = new Memo<>();

  HttpConvention(SpanKind kind, HttpTelemetryBuilder builder) {
    super(kind);
    excludedPaths = served ? Set.copyOf(builder.excludedPaths) : Set.of();
    requestHeaders = new CapturedHeaders(HttpKeys.REQUEST_HEADER, builder.requestHeaders);
    responseHeaders = new CapturedHeaders(HttpKeys.RESPONSE_HEADER, builder.responseHeaders);
  }

  @Override
  public boolean shouldStart(Exchange exchange) {
    return !excludedPaths.contains(exchange.pathInApplication());
  }

  @Override
  public String spanName(Exchange exchange) {
    String method = HttpAttributes.method(exchange.method());
    String verb = method.equals(HttpAttributes.OTHER_METHOD) ? "HTTP" : method;
    String route = exchange.route();
    if (route == null) {
      return verb;
    }
    String name = names.get(verb, route, null, null, 0, 0);
    return name != null ? name : names.put(verb, route, null, null, 0, 0, verb + " " + route);
  }

  @Override
  public @Nullable String lateSpanName(Exchange exchange) {
    return exchange.routeIsLate() ? spanName(exchange) : null;
  }

  @Override
  public void onStart(AttributeSink attributes, Exchange exchange) {
    exchange.describe(attributes);
    exchange.describeEnds(attributes);
    if (!requestHeaders.isEmpty()) {
      requestHeaders.capture(attributes, exchange::headers);
    }
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      Exchange exchange,
      @Nullable Exchange response,
      @Nullable Throwable error) {
    if (exchange.routeIsLate()) {
      attributes.set(HttpAttributes.HTTP_ROUTE, exchange.route());
    }
    // A server knows the version at the start.
    HttpAttributes.setAnswered(attributes, exchange.status(), served ? null : exchange.version());
    if (!responseHeaders.isEmpty()) {
      responseHeaders.capture(attributes, exchange::responseHeaders);
    }
  }

  @Override
  public @Nullable String errorType(
      Exchange exchange, @Nullable Exchange response, @Nullable Throwable error) {
    int status = exchange.status();
    if (isClientsError(status)) {
      return null;
    }
    if (error != null) {
      return error.getClass().getName();
    }
    return status >= 400 ? text(status) : null;
  }

  /** Without allocation for the statuses that repeat. */
  private static String text(int status) {
    return switch (status) {
      case 500 -> "500";
      case 503 -> "503";
      case 404 -> "404";
      default -> Integer.toString(status);
    };
  }

  @Override
  public Attributes durationAttributes(
      Exchange exchange, @Nullable Exchange response, @Nullable Throwable error) {
    String method = HttpAttributes.method(exchange.method());
    String route = exchange.route();
    String scheme = exchange.scheme();
    String host = exchange.host();
    int port = served ? HttpAttributes.defaultPort(scheme) : exchange.port();
    String place = served ? route : host;
    String errorType = errorType(exchange, response, error);
    String version = exchange.version();
    int status = exchange.status();
    Attributes point = durationPoints.get(method, place, errorType, version, status, port);
    if (point != null) {
      return point;
    }
    AttributesBuilder attributes = Attributes.builder();
    attributes.put(HttpAttributes.HTTP_REQUEST_METHOD, method);
    if (host != null) {
      attributes.put(HttpAttributes.SERVER_ADDRESS, host);
      attributes.put(HttpAttributes.SERVER_PORT, (long) port);
    }
    if (scheme != null) {
      attributes.put(HttpAttributes.URL_SCHEME, scheme);
    }
    if (route != null) {
      attributes.put(HttpAttributes.HTTP_ROUTE, route);
    }
    if (status > 0) {
      attributes.put(HttpAttributes.HTTP_RESPONSE_STATUS_CODE, (long) status);
    }
    if (errorType != null) {
      attributes.put(HttpKeys.ERROR_TYPE, errorType);
    }
    if (version != null) {
      attributes.put(HttpAttributes.NETWORK_PROTOCOL_VERSION, version);
    }
    return durationPoints.put(method, place, errorType, version, status, port, attributes.build());
  }

  @Override
  public Attributes activeAttributes(Exchange exchange) {
    String method = HttpAttributes.method(exchange.method());
    String scheme = exchange.scheme();
    Attributes point = activePoints.get(method, scheme, null, null, 0, 0);
    if (point != null) {
      return point;
    }
    AttributesBuilder attributes = Attributes.builder();
    attributes.put(HttpAttributes.HTTP_REQUEST_METHOD, method);
    if (scheme != null) {
      attributes.put(HttpAttributes.URL_SCHEME, scheme);
    }
    return activePoints.put(method, scheme, null, null, 0, 0, attributes.build());
  }
}
