// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.HttpAttributes;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request of a client, with the headers that go out in addition. */
final class ClientExchange {

  private static final String[] NONE = {};

  private final HttpRequest request;
  private final @Nullable ConnectCall connectCall;
  // Names and values in turn; traceparent, tracestate and baggage at the most, as a rule.
  private String[] added = NONE;
  private int addedLength;

  ClientExchange(HttpRequest request, Map<String, String> procedures) {
    this.request = request;
    String path = request.uri().getRawPath();
    String procedure = path == null ? null : procedures.get(path);
    connectCall =
        procedure == null
            ? null
            : ConnectCall.of(
                procedure,
                request.method(),
                request.headers().firstValue("Content-Type").orElse(null));
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
    return port > 0 ? port : HttpAttributes.defaultPort(request.uri().getScheme());
  }

  List<String> headers(String name) {
    return request.headers().allValues(name);
  }

  void addHeader(String name, String value) {
    if (addedLength == added.length) {
      added = Arrays.copyOf(added, addedLength + 6);
    }
    added[addedLength++] = name;
    added[addedLength++] = value;
  }

  @Nullable ConnectCall connectCall() {
    return connectCall;
  }

  /** The request with what was added; the request itself where nothing was. */
  HttpRequest outgoing() {
    if (addedLength == 0) {
      return request;
    }
    HttpRequest.Builder builder = HttpRequest.newBuilder(request, (name, value) -> true);
    for (int i = 0; i < addedLength; i += 2) {
      builder.setHeader(added[i], added[i + 1]);
    }
    return builder.build();
  }

  static int status(@Nullable HttpResponse<?> response) {
    return response == null ? 0 : response.statusCode();
  }
}
