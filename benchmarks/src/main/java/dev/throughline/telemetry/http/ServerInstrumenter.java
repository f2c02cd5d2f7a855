// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.HeaderGetter;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.instrumentation.api.instrumenter.Instrumenter;
import io.opentelemetry.instrumentation.api.semconv.http.HttpServerAttributesExtractor;
import io.opentelemetry.instrumentation.api.semconv.http.HttpServerAttributesGetter;
import io.opentelemetry.instrumentation.api.semconv.http.HttpServerMetrics;
import io.opentelemetry.instrumentation.api.semconv.http.HttpServerRoute;
import io.opentelemetry.instrumentation.api.semconv.http.HttpSpanNameExtractor;
import io.opentelemetry.instrumentation.api.semconv.http.HttpSpanStatusExtractor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * OpenTelemetry's instrumenter of an HTTP server, as its libraries build it; without {@code
 * http.server.active_requests}, which it takes for experimental.
 */
final class ServerInstrumenter
    implements HttpServerAttributesGetter<ServerExchange, ServerExchange> {

  private static final HeaderGetter<ServerExchange> GETTER =
      new HeaderGetter<>() {
        @Override
        protected @Nullable List<String> lines(ServerExchange exchange, String name) {
          return exchange.headers(name);
        }
      };

  private ServerInstrumenter() {}

  static Instrumenter<ServerExchange, ServerExchange> of(OpenTelemetry openTelemetry) {
    ServerInstrumenter getter = new ServerInstrumenter();
    return Instrumenter.<ServerExchange, ServerExchange>builder(
            openTelemetry, "benchmark", HttpSpanNameExtractor.create(getter))
        .setSpanStatusExtractor(HttpSpanStatusExtractor.create(getter))
        .addAttributesExtractor(HttpServerAttributesExtractor.create(getter))
        .addContextCustomizer(HttpServerRoute.create(getter))
        .addOperationMetrics(HttpServerMetrics.get())
        .buildServerInstrumenter(GETTER);
  }

  @Override
  public String getHttpRequestMethod(ServerExchange request) {
    return request.method();
  }

  @Override
  public List<String> getHttpRequestHeader(ServerExchange request, String name) {
    List<String> lines = request.headers(name);
    return lines == null ? List.of() : lines;
  }

  @Override
  public Integer getHttpResponseStatusCode(
      ServerExchange request, ServerExchange response, @Nullable Throwable error) {
    return response.status();
  }

  @Override
  public List<String> getHttpResponseHeader(
      ServerExchange request, ServerExchange response, String name) {
    List<String> lines = response.responseHeaders(name);
    return lines == null ? List.of() : lines;
  }

  @Override
  public String getUrlScheme(ServerExchange request) {
    return request.scheme();
  }

  @Override
  public String getUrlPath(ServerExchange request) {
    return request.path();
  }

  @Override
  public @Nullable String getUrlQuery(ServerExchange request) {
    return request.query();
  }

  @Override
  public @Nullable String getHttpRoute(ServerExchange request) {
    return request.serverRoute();
  }

  @Override
  public String getNetworkProtocolName(ServerExchange request, @Nullable ServerExchange response) {
    return "http";
  }

  @Override
  public String getNetworkProtocolVersion(
      ServerExchange request, @Nullable ServerExchange response) {
    return "1.1";
  }

  @Override
  public @Nullable String getNetworkPeerAddress(
      ServerExchange request, @Nullable ServerExchange response) {
    return request.peerAddress();
  }

  @Override
  public Integer getNetworkPeerPort(ServerExchange request, @Nullable ServerExchange response) {
    return request.peerPort();
  }
}
