// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import io.opentelemetry.context.propagation.TextMapSetter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** A client's request as the peers get it: with a place for the headers that they add. */
final class OutgoingRequest {

  static final TextMapSetter<OutgoingRequest> SETTER =
      new TextMapSetter<>() {
        @Override
        public void set(@Nullable OutgoingRequest request, String name, String value) {
          if (request != null) {
            request.addHeader(name, value);
          }
        }
      };

  static final HttpRequest REQUEST =
      HttpRequest.newBuilder(URI.create("http://agent:8082/sessions/7"))
          .header("Accept", "application/json")
          .build();

  static final HttpResponse<String> RESPONSE = new Response();

  private final HttpRequest request;
  private final List<String> added = new ArrayList<>(6);

  OutgoingRequest(HttpRequest request) {
    this.request = request;
  }

  HttpRequest request() {
    return request;
  }

  void addHeader(String name, String value) {
    added.add(name);
    added.add(value);
  }

  private static final class Response implements HttpResponse<String> {

    private final HttpHeaders headers =
        HttpHeaders.of(Map.of("Content-Length", List.of("2")), (name, value) -> true);

    @Override
    public int statusCode() {
      return 200;
    }

    @Override
    public HttpRequest request() {
      return REQUEST;
    }

    @Override
    public Optional<HttpResponse<String>> previousResponse() {
      return Optional.empty();
    }

    @Override
    public HttpHeaders headers() {
      return headers;
    }

    @Override
    public String body() {
      return "{}";
    }

    @Override
    public Optional<SSLSession> sslSession() {
      return Optional.empty();
    }

    @Override
    public URI uri() {
      return REQUEST.uri();
    }

    @Override
    public HttpClient.Version version() {
      return HttpClient.Version.HTTP_1_1;
    }
  }
}
