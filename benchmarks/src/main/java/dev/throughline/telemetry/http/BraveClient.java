// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import brave.http.HttpClientRequest;
import brave.http.HttpClientResponse;
import java.net.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/** A request and its response as Brave's handler of HTTP clients wants them. */
final class BraveClient {

  private BraveClient() {}

  static final class Request extends HttpClientRequest {

    private final OutgoingRequest request;

    Request(OutgoingRequest request) {
      this.request = request;
    }

    @Override
    public Object unwrap() {
      return request;
    }

    @Override
    public String method() {
      return request.request().method();
    }

    @Override
    public String path() {
      return request.request().uri().getPath();
    }

    @Override
    public String url() {
      return request.request().uri().toString();
    }

    @Override
    public @Nullable String header(String name) {
      return request.request().headers().firstValue(name).orElse(null);
    }

    @Override
    public void header(String name, String value) {
      request.addHeader(name, value);
    }
  }

  static final class Response extends HttpClientResponse {

    private final Request request;
    private final HttpResponse<?> response;

    Response(Request request, HttpResponse<?> response) {
      this.request = request;
      this.response = response;
    }

    @Override
    public Request request() {
      return request;
    }

    @Override
    public Object unwrap() {
      return response;
    }

    @Override
    public int statusCode() {
      return response.statusCode();
    }
  }
}
