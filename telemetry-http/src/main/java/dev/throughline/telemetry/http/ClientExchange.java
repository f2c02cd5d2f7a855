// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request of a client, with the headers that go out in addition. */
final class ClientExchange {

  private final HttpRequest request;
  private final List<String> added = new ArrayList<>(6);
  private final @Nullable ConnectCall connectCall;

  ClientExchange(HttpRequest request) {
    this.request = request;
    HttpHeaders headers = request.headers();
    URI uri = request.uri();
    String path = uri.getRawPath();
    connectCall =
        ConnectCall.of(
            request.method(),
            path == null ? "" : path,
            uri.getRawQuery(),
            headers.firstValue("Content-Type").orElse(null),
            headers.firstValue("Connect-Protocol-Version").orElse(null));
  }

  String method() {
    return request.method();
  }

  URI uri() {
    return request.uri();
  }

  String host() {
    String host = request.uri().getHost();
    if (host == null) {
      return "";
    }
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  int port() {
    int port = request.uri().getPort();
    return port > 0 ? port : HttpValues.defaultPort(request.uri().getScheme());
  }

  List<String> headers(String name) {
    return request.headers().allValues(name);
  }

  void addHeader(String name, String value) {
    added.add(name);
    added.add(value);
  }

  @Nullable ConnectCall connectCall() {
    return connectCall;
  }

  /** The request with what was added; the request itself where nothing was. */
  HttpRequest outgoing() {
    if (added.isEmpty()) {
      return request;
    }
    HttpRequest.Builder builder = HttpRequest.newBuilder(request, (name, value) -> true);
    for (int i = 0; i < added.size(); i += 2) {
      builder.setHeader(added.get(i), added.get(i + 1));
    }
    return builder.build();
  }

  static int status(@Nullable HttpResponse<?> response) {
    return response == null ? 0 : response.statusCode();
  }
}
