// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The request that the application sees if it may become asynchronous: the application's code runs
 * in the request's context on the container's threads as well.
 */
final class TracedServletRequest extends HttpServletRequestWrapper {

  private final TracedServletResponse response;
  private @Nullable TracedServletInput input;

  private TracedServletRequest(HttpServletRequest request, TracedServletResponse response) {
    super(request);
    this.response = response;
  }

  /** The request itself if it never becomes asynchronous, or is such a one already. */
  static HttpServletRequest of(HttpServletRequest request, HttpServletResponse response) {
    return response instanceof TracedServletResponse traced
            && request.isAsyncSupported()
            && !(request instanceof ServletRequestWrapper wrapper
                && wrapper.isWrapperFor(TracedServletRequest.class))
        ? new TracedServletRequest(request, traced)
        : request;
  }

  @Override
  public ServletInputStream getInputStream() throws IOException {
    ServletInputStream own = super.getInputStream();
    if (input == null || input.own != own) {
      if (!isAsyncSupported()) {
        return own;
      }
      input = new TracedServletInput(own, response.exchange);
    }
    return input;
  }

  @Override
  public AsyncContext startAsync() {
    return traced(super.startAsync());
  }

  /** To the container our wrappers are the original request and response. */
  @Override
  public AsyncContext startAsync(ServletRequest request, ServletResponse response) {
    return traced(
        super.startAsync(
            request == this ? getRequest() : request,
            response == this.response ? this.response.getResponse() : response));
  }

  @Override
  public AsyncContext getAsyncContext() {
    return traced(super.getAsyncContext());
  }

  AsyncContext traced(AsyncContext own) {
    return response.exchange.traced(own, this, response);
  }
}
