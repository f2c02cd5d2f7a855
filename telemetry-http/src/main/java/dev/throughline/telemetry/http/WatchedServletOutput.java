// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The body of a Connect RPC call's response: the container's stream, whose bytes are looked at. */
final class WatchedServletOutput extends ServletOutputStream {

  final ServletOutputStream out;
  private final ConnectCall call;
  private final HttpServletResponse response;

  WatchedServletOutput(ServletOutputStream out, ConnectCall call, HttpServletResponse response) {
    this.out = out;
    this.call = call;
    this.response = response;
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
    out.write(b);
    see(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    out.write(bytes, offset, length);
    see(bytes, offset, length);
  }

  @Override
  public void write(ByteBuffer buffer) throws IOException {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    out.write(buffer);
    see(bytes, 0, bytes.length);
  }

  // Containers encode text in ways of their own.

  @Override
  public void print(String text) throws IOException {
    out.print(text);
    see(text);
  }

  @Override
  public void println(String text) throws IOException {
    out.println(text);
    see(text);
  }

  @Override
  public void println() throws IOException {
    out.println();
  }

  @Override
  public void flush() throws IOException {
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  private void see(String text) {
    byte[] bytes = String.valueOf(text).getBytes(UTF_8);
    see(bytes, 0, bytes.length);
  }

  private void see(byte[] bytes, int offset, int length) {
    call.see(response.getStatus(), bytes, offset, length);
  }
}
