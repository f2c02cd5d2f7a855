// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.StageFailure;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/** A JDK HTTP client that records the requests of another and sends them with it. */
final class TracedHttpClient extends HttpClient {

  private final HttpClient client;
  private final Instrumenters instrumenters;

  TracedHttpClient(HttpClient client, Instrumenters instrumenters) {
    this.client = client;
    this.instrumenters = instrumenters;
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
      throws IOException, InterruptedException {
    ClientExchange exchange = start(request, handler);
    if (exchange == null) {
      return client.send(request, handler);
    }
    HttpResponse<T> response;
    try {
      response = client.send(exchange.outgoing(instrumenters.guard()), exchange.traced(handler));
    } catch (Throwable t) {
      exchange.end(null, t);
      throw t;
    }
    exchange.end(response, null);
    return response;
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, BodyHandler<T> handler) {
    return sendAsync(request, handler, null);
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request,
      BodyHandler<T> handler,
      @Nullable PushPromiseHandler<T> pushPromiseHandler) {
    ClientExchange exchange = start(request, handler);
    if (exchange == null) {
      return client.sendAsync(request, handler, pushPromiseHandler);
    }
    CompletableFuture<HttpResponse<T>> sent;
    try {
      sent =
          client.sendAsync(
              exchange.outgoing(instrumenters.guard()),
              exchange.traced(handler),
              pushPromiseHandler);
    } catch (Throwable t) {
      exchange.end(null, t);
      throw t;
    }
    // The future itself goes back, so that cancelling it reaches the request.
    CompletableFuture<?> unused =
        sent.whenComplete((response, thrown) -> exchange.end(response, StageFailure.cause(thrown)));
    return sent;
  }

  /** Null is the client's to refuse. */
  private @Nullable ClientExchange start(
      @Nullable HttpRequest request, @Nullable BodyHandler<?> handler) {
    return request == null || handler == null ? null : ClientExchange.start(instrumenters, request);
  }

  @Override
  public Optional<CookieHandler> cookieHandler() {
    return client.cookieHandler();
  }

  @Override
  public Optional<Duration> connectTimeout() {
    return client.connectTimeout();
  }

  @Override
  public Redirect followRedirects() {
    return client.followRedirects();
  }

  @Override
  public Optional<ProxySelector> proxy() {
    return client.proxy();
  }

  @Override
  public SSLContext sslContext() {
    return client.sslContext();
  }

  @Override
  public SSLParameters sslParameters() {
    return client.sslParameters();
  }

  @Override
  public Optional<Authenticator> authenticator() {
    return client.authenticator();
  }

  @Override
  public Version version() {
    return client.version();
  }

  @Override
  public Optional<Executor> executor() {
    return client.executor();
  }

  @Override
  public WebSocket.Builder newWebSocketBuilder() {
    return client.newWebSocketBuilder();
  }

  // JDK 21 added what follows; compiled for 17, these methods override by their names alone.

  /** Starts an orderly shutdown of the wrapped client. */
  public void shutdown() {
    call("shutdown");
  }

  /** Stops the wrapped client at once. */
  public void shutdownNow() {
    call("shutdownNow");
  }

  /** Whether the wrapped client has stopped. */
  public boolean isTerminated() {
    return Boolean.TRUE.equals(call("isTerminated"));
  }

  /** Waits until the wrapped client has stopped. */
  public boolean awaitTermination(Duration duration) throws InterruptedException {
    return !Boolean.FALSE.equals(call("awaitTermination", duration));
  }

  /** Closes the wrapped client. */
  public void close() {
    call("close");
  }

  /** Calls a method that the client may have; null if it has none, or the method returns none. */
  private @Nullable Object call(String name, Object... arguments) {
    for (Method method : HttpClient.class.getMethods()) {
      if (method.getName().equals(name)) {
        try {
          return method.invoke(client, arguments);
        } catch (InvocationTargetException e) {
          throw TracedHttpClient.<RuntimeException>asItIs(e.getCause());
        } catch (IllegalAccessException e) {
          throw new IllegalStateException(e);
        }
      }
    }
    return null;
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // T is erased
  private static <T extends Throwable> T asItIs(@Nullable Throwable thrown) throws T {
    throw (T) requireNonNull(thrown);
  }
}
