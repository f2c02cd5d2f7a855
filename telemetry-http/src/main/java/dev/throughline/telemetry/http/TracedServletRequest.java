// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;

/**
 * The request that the application sees where response headers are written: without arguments,
 * {@link #startAsync()} gives other threads the container's response, whose commit nobody sees.
 */
final class TracedServletRequest extends HttpServletRequestWrapper {

  private final InstrumentedRequest<?, ?> started;

  private TracedServletRequest(InstrumentedRequest<?, ?> started, HttpServletRequest request) {
    super(request);
    this.started = started;
  }

  /** The request itself where no headers are written. */
  static HttpServletRequest of(InstrumentedRequest<?, ?> started, HttpServletRequest request) {
    return started.writesResponseHeaders() ? new TracedServletRequest(started, request) : request;
  }

  @Override
  public AsyncContext startAsync() {
    started.responding();
    return super.startAsync();
  }
}
