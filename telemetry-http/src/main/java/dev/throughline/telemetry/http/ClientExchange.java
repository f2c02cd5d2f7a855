// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request of a client, with the headers that go out in addition, and its response. */
final class ClientExchange extends Exchange {

  private static final @Nullable String[] NONE = {};

  private final HttpRequest request;
  // Names and values in turn, then nulls; traceparent, tracestate and baggage as a rule.
  private @Nullable String[] added = NONE;
  private @Nullable InstrumentedRequest<Exchange, Exchange> started;
  private @Nullable HttpResponse<?> response;

  private ClientExchange(HttpRequest request) {
    this.request = request;
  }

  /**
   * Starts a request.
   *
   * @return null with telemetry off and nothing to pass on
   */
  static @Nullable ClientExchange start(Instrumenters instrumenters, HttpRequest request) {
    if (instrumenters.propagation().hasNothingToSend(Context.current())) {
      return null;
    }
    ClientExchange exchange = new ClientExchange(request);
    exchange.started = instrumenters.start(exchange);
    return exchange;
  }

  /** The request with what was added; the request itself if nothing was. */
  HttpRequest outgoing(Guard guard) {
    if (added.length == 0) {
      return request;
    }
    try {
      HttpRequest.Builder builder = HttpRequest.newBuilder(request, (name, value) -> true);
      for (int i = 0; i < added.length && added[i] != null; i += 2) {
        builder.setHeader(added[i], added[i + 1]);
      }
      return builder.build();
    } catch (Throwable t) {
      // A request of someone else's making that the JDK's builder refuses goes out as it is.
      guard.caught("HttpRequest.newBuilder", t);
      return request;
    }
  }

  /** The application's handler in the request's context. */
  <T> BodyHandler<T> traced(BodyHandler<T> handler) {
    return started == null
        ? handler
        : TracedBody.handler(handler, started.context(), connectCall());
  }

  void end(@Nullable HttpResponse<?> response, @Nullable Throwable thrown) {
    if (started != null) {
      this.response = response;
      started.end(this, thrown);
    }
  }

  @Override
  String method() {
    return request.method();
  }

  @Override
  String path() {
    String path = request.uri().getRawPath();
    return path == null ? "" : path;
  }

  @Override
  String host() {
    String host = request.uri().getHost();
    if (host == null) {
      return "";
    }
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  @Override
  int port() {
    int port = request.uri().getPort();
    return port > 0 ? port : HttpAttributes.defaultPort(request.uri().getScheme());
  }

  @Override
  void describe(AttributeSink attributes) {
    HttpAttributes.setSent(attributes, request.method(), request.uri());
  }

  @Override
  void describeEnds(AttributeSink attributes) {
    attributes.set(HttpAttributes.SERVER_ADDRESS, host());
    attributes.set(HttpAttributes.SERVER_PORT, port());
  }

  @Override
  @Nullable String header(String name) {
    return request.headers().firstValue(name).orElse(null);
  }

  @Override
  List<String> headers(String name) {
    return request.headers().allValues(name);
  }

  @Override
  boolean sendsHeader(String name) {
    return !headers(name).isEmpty();
  }

  @Override
  void setHeader(String name, String value) {
    int length = 0;
    while (length < added.length && added[length] != null) {
      length += 2;
    }
    if (length == added.length) {
      added = Arrays.copyOf(added, length + 6);
    }
    added[length] = name;
    added[length + 1] = value;
  }

  @Override
  @Nullable List<String> responseHeaders(String name) {
    return response == null ? null : response.headers().allValues(name);
  }

  @Override
  int status() {
    return response == null ? 0 : response.statusCode();
  }

  @Override
  @Nullable String version() {
    if (response == null) {
      return null;
    }
    return response.version() == HttpClient.Version.HTTP_2 ? "2" : "1.1";
  }
}
