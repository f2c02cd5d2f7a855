// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletResponseWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/**
 * The response that the application sees if it may be answered asynchronously, is to have headers
 * of ours, or belongs to a Connect RPC call: the application's listener of the stream runs in the
 * request's context, our headers survive a reset, and the bytes of a call are looked at as they
 * pass.
 */
final class TracedServletResponse extends HttpServletResponseWrapper {

  final ServletExchange exchange;
  // The stream or the writer, of which a response has one at a time.
  private @Nullable Object body;

  private TracedServletResponse(ServletExchange exchange, HttpServletResponse response) {
    super(response);
    this.exchange = exchange;
  }

  /** The response itself if nothing has to be known of it, or it is such a one already. */
  static HttpServletResponse of(ServletExchange exchange, HttpServletResponse response) {
    boolean traced =
        response instanceof ServletResponseWrapper wrapper
            && wrapper.isWrapperFor(TracedServletResponse.class);
    return !traced
            && (exchange.connectCall() != null || exchange.writesHeaders() || exchange.mayBeAsync())
        ? new TracedServletResponse(exchange, response)
        : response;
  }

  @Override
  public ServletOutputStream getOutputStream() throws IOException {
    ServletOutputStream own = super.getOutputStream();
    if (body instanceof WatchedServletOutput stream && stream.own == own) {
      return stream;
    }
    ConnectCall call = exchange.connectCall();
    if (call == null && !exchange.request.isAsyncSupported()) {
      return own;
    }
    WatchedServletOutput stream = new WatchedServletOutput(own, call, this);
    body = stream;
    return stream;
  }

  @Override
  public PrintWriter getWriter() throws IOException {
    PrintWriter own = super.getWriter();
    ConnectCall call = exchange.connectCall();
    if (call == null) {
      return own;
    }
    if (body instanceof WatchedWriter writer && writer.own == own) {
      return writer;
    }
    WatchedWriter writer = new WatchedWriter(own, call, this);
    body = writer;
    return writer;
  }

  @Override
  public void addHeader(String name, String value) {
    if (name != null && exchange.isOwnHeader(name)) {
      super.setHeader(name, value);
    } else {
      super.addHeader(name, value);
    }
  }

  @Override
  public void reset() {
    super.reset();
    exchange.restoreOwnHeaders();
    forgetBody();
  }

  @Override
  public void resetBuffer() {
    super.resetBuffer();
    forgetBody();
  }

  @Override
  public void sendError(int status, String message) throws IOException {
    super.sendError(status, message);
    forgetBody();
  }

  @Override
  public void sendError(int status) throws IOException {
    super.sendError(status);
    forgetBody();
  }

  private void forgetBody() {
    ConnectCall call = exchange.connectCall();
    if (call != null) {
      call.forget();
    }
  }
}
