// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import org.jspecify.annotations.Nullable;

/**
 * The response that the application sees where something has to be known of it: it writes response
 * headers before it is committed, and looks at the bytes of a Connect RPC call.
 */
final class TracedServletResponse extends HttpServletResponseWrapper {

  private final InstrumentedRequest<?, ?> started;
  private final @Nullable ConnectCall call;
  private @Nullable ServletOutputStream stream;
  private @Nullable PrintWriter writer;

  private TracedServletResponse(
      InstrumentedRequest<?, ?> started, HttpServletResponse response, @Nullable ConnectCall call) {
    super(response);
    this.started = started;
    this.call = call;
  }

  /** The response itself where nothing has to be known of it. */
  static HttpServletResponse of(
      InstrumentedRequest<?, ?> started, ServerExchange exchange, HttpServletResponse response) {
    ConnectCall call = exchange.connectCall();
    return call != null || started.writesResponseHeaders()
        ? new TracedServletResponse(started, response, call)
        : response;
  }

  @Override
  public ServletOutputStream getOutputStream() throws IOException {
    if (stream == null) {
      stream = new Watched(super.getOutputStream());
    }
    return stream;
  }

  @Override
  public PrintWriter getWriter() throws IOException {
    if (writer == null) {
      started.responding();
      writer =
          call == null
              ? super.getWriter()
              : new PrintWriter(
                  new OutputStreamWriter(
                      getOutputStream(), Charset.forName(getCharacterEncoding())));
    }
    return writer;
  }

  @Override
  public void flushBuffer() throws IOException {
    started.responding();
    if (writer != null && call != null) {
      writer.flush();
    }
    super.flushBuffer();
  }

  @Override
  public void sendError(int status, String message) throws IOException {
    started.responding();
    super.sendError(status, message);
  }

  @Override
  public void sendError(int status) throws IOException {
    started.responding();
    super.sendError(status);
  }

  @Override
  public void sendRedirect(String location) throws IOException {
    started.responding();
    super.sendRedirect(location);
  }

  /**
   * To be called once the application has returned: what it left in our writer, and its headers.
   */
  void finish() {
    if (!isCommitted()) {
      started.responding();
    }
    if (writer != null && call != null) {
      writer.flush();
    }
  }

  private final class Watched extends ServletOutputStream {

    private final ServletOutputStream out;

    Watched(ServletOutputStream out) {
      this.out = out;
    }

    @Override
    public boolean isReady() {
      return out.isReady();
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      out.setWriteListener(listener);
    }

    @Override
    public void write(int b) throws IOException {
      started.responding();
      out.write(b);
      if (call != null) {
        call.see(getStatus(), new byte[] {(byte) b}, 0, 1);
      }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      started.responding();
      out.write(bytes, offset, length);
      if (call != null) {
        call.see(getStatus(), bytes, offset, length);
      }
    }

    @Override
    public void flush() throws IOException {
      started.responding();
      out.flush();
    }

    @Override
    public void close() throws IOException {
      started.responding();
      out.close();
    }
  }
}
