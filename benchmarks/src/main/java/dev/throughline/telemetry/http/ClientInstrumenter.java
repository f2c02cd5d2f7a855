// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.instrumentation.api.instrumenter.Instrumenter;
import io.opentelemetry.instrumentation.api.semconv.http.HttpClientAttributesExtractor;
import io.opentelemetry.instrumentation.api.semconv.http.HttpClientAttributesGetter;
import io.opentelemetry.instrumentation.api.semconv.http.HttpClientMetrics;
import io.opentelemetry.instrumentation.api.semconv.http.HttpSpanNameExtractor;
import io.opentelemetry.instrumentation.api.semconv.http.HttpSpanStatusExtractor;
import java.net.http.HttpResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** OpenTelemetry's instrumenter of an HTTP client, as its libraries build it. */
final class ClientInstrumenter
    implements HttpClientAttributesGetter<OutgoingRequest, HttpResponse<?>> {

  private ClientInstrumenter() {}

  static Instrumenter<OutgoingRequest, HttpResponse<?>> of(OpenTelemetry openTelemetry) {
    ClientInstrumenter getter = new ClientInstrumenter();
    return Instrumenter.<OutgoingRequest, HttpResponse<?>>builder(
            openTelemetry, "benchmark", HttpSpanNameExtractor.create(getter))
        .setSpanStatusExtractor(HttpSpanStatusExtractor.create(getter))
        .addAttributesExtractor(HttpClientAttributesExtractor.create(getter))
        .addOperationMetrics(HttpClientMetrics.get())
        .buildClientInstrumenter(OutgoingRequest.SETTER);
  }

  @Override
  public String getHttpRequestMethod(OutgoingRequest request) {
    return request.request().method();
  }

  @Override
  public List<String> getHttpRequestHeader(OutgoingRequest request, String name) {
    return request.request().headers().allValues(name);
  }

  @Override
  public Integer getHttpResponseStatusCode(
      OutgoingRequest request, HttpResponse<?> response, @Nullable Throwable error) {
    return response.statusCode();
  }

  @Override
  public List<String> getHttpResponseHeader(
      OutgoingRequest request, HttpResponse<?> response, String name) {
    return response.headers().allValues(name);
  }

  @Override
  public String getUrlFull(OutgoingRequest request) {
    return request.request().uri().toString();
  }

  @Override
  public @Nullable String getServerAddress(OutgoingRequest request) {
    return request.request().uri().getHost();
  }

  @Override
  public Integer getServerPort(OutgoingRequest request) {
    return request.request().uri().getPort();
  }

  @Override
  public String getNetworkProtocolName(
      OutgoingRequest request, @Nullable HttpResponse<?> response) {
    return "http";
  }

  @Override
  public String getNetworkProtocolVersion(
      OutgoingRequest request, @Nullable HttpResponse<?> response) {
    return "1.1";
  }
}
