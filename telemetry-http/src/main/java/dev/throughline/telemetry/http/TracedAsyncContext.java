// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import io.opentelemetry.context.Scope;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import java.io.IOException;

/** A container's asynchronous context that runs the application's code in the request's context. */
final class TracedAsyncContext implements AsyncContext {

  final AsyncContext own;
  private final TracedServletRequest request;
  private final TracedServletResponse response;

  TracedAsyncContext(
      AsyncContext own, TracedServletRequest request, TracedServletResponse response) {
    this.own = own;
    this.request = request;
    this.response = response;
  }

  @Override
  public ServletRequest getRequest() {
    return seen(own.getRequest());
  }

  @Override
  public ServletResponse getResponse() {
    return seen(own.getResponse());
  }

  @SuppressWarnings("ReferenceEquality") // the container's object, which ours is around
  private ServletRequest seen(ServletRequest of) {
    return of == request.getRequest() ? request : of;
  }

  @SuppressWarnings("ReferenceEquality") // the container's object, which ours is around
  private ServletResponse seen(ServletResponse of) {
    return of == response.getResponse() ? response : of;
  }

  @Override
  public boolean hasOriginalRequestAndResponse() {
    return own.hasOriginalRequestAndResponse();
  }

  @Override
  public void dispatch() {
    own.dispatch();
  }

  @Override
  public void dispatch(String path) {
    own.dispatch(path);
  }

  @Override
  public void dispatch(ServletContext context, String path) {
    own.dispatch(context, path);
  }

  @Override
  public void complete() {
    own.complete();
  }

  @Override
  public void start(Runnable work) {
    own.start(
        work == null
            ? work
            : () -> {
              try (Scope ignored = response.exchange.makeCurrent()) {
                work.run();
              }
            });
  }

  @Override
  public void addListener(AsyncListener listener) {
    own.addListener(listener == null ? listener : new Listener(listener));
  }

  @Override
  public void addListener(
      AsyncListener listener, ServletRequest suppliedRequest, ServletResponse suppliedResponse) {
    own.addListener(
        listener == null ? listener : new Listener(listener), suppliedRequest, suppliedResponse);
  }

  @Override
  public <T extends AsyncListener> T createListener(Class<T> type) throws ServletException {
    return own.createListener(type);
  }

  @Override
  public void setTimeout(long millis) {
    own.setTimeout(millis);
  }

  @Override
  public long getTimeout() {
    return own.getTimeout();
  }

  /** A listener of the application; it is told the contexts and requests that it knows. */
  private final class Listener implements AsyncListener {

    private final AsyncListener listener;

    Listener(AsyncListener listener) {
      this.listener = listener;
    }

    @Override
    public void onComplete(AsyncEvent event) throws IOException {
      try (Scope ignored = response.exchange.makeCurrent()) {
        listener.onComplete(seen(event));
      }
    }

    @Override
    public void onTimeout(AsyncEvent event) throws IOException {
      try (Scope ignored = response.exchange.makeCurrent()) {
        listener.onTimeout(seen(event));
      }
    }

    @Override
    public void onError(AsyncEvent event) throws IOException {
      try (Scope ignored = response.exchange.makeCurrent()) {
        listener.onError(seen(event));
      }
    }

    @Override
    public void onStartAsync(AsyncEvent event) throws IOException {
      try (Scope ignored = response.exchange.makeCurrent()) {
        listener.onStartAsync(seen(event));
      }
    }

    private AsyncEvent seen(AsyncEvent event) {
      return new AsyncEvent(
          request.traced(event.getAsyncContext()),
          TracedAsyncContext.this.seen(event.getSuppliedRequest()),
          TracedAsyncContext.this.seen(event.getSuppliedResponse()),
          event.getThrowable());
    }
  }
}
