// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/**
 * The response that the application sees if it is to have headers of ours or belongs to a Connect
 * RPC call: our headers survive a reset, and the bytes of a call are looked at as they pass.
 */
final class TracedServletResponse extends HttpServletResponseWrapper {

  private final ServletExchange exchange;
  private final @Nullable ConnectCall call;
  private @Nullable WatchedServletOutput stream;
  private @Nullable WatchedWriter writer;

  private TracedServletResponse(
      ServletExchange exchange, HttpServletResponse response, @Nullable ConnectCall call) {
    super(response);
    this.exchange = exchange;
    this.call = call;
  }

  /** The response itself if nothing has to be known of it. */
  static HttpServletResponse of(
      InstrumentedRequest<?, ?> started, ServletExchange exchange, HttpServletResponse response) {
    ConnectCall call = exchange.connectCall();
    return call != null || started.writesResponseHeaders()
        ? new TracedServletResponse(exchange, response, call)
        : response;
  }

  @Override
  public ServletOutputStream getOutputStream() throws IOException {
    ServletOutputStream own = super.getOutputStream();
    if (call == null) {
      return own;
    }
    if (stream == null || stream.out != own) {
      stream = new WatchedServletOutput(own, call, this);
    }
    return stream;
  }

  @Override
  public PrintWriter getWriter() throws IOException {
    PrintWriter own = super.getWriter();
    if (call == null) {
      return own;
    }
    if (writer == null || writer.own != own) {
      writer = new WatchedWriter(own, call, this);
    }
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
    if (call != null) {
      call.forget();
    }
  }
}
