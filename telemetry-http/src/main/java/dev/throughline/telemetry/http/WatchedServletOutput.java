// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.opentelemetry.context.Scope;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The container's stream of a response: the application's listener runs in the request's context,
 * and the bytes of a Connect RPC call are looked at.
 */
final class WatchedServletOutput extends ServletOutputStream {

  final ServletOutputStream own;
  private final @Nullable ConnectCall call;
  private final TracedServletResponse response;

  WatchedServletOutput(
      ServletOutputStream own, @Nullable ConnectCall call, TracedServletResponse response) {
    this.own = own;
    this.call = call;
    this.response = response;
  }

  @Override
  public boolean isReady() {
    return own.isReady();
  }

  @Override
  public void setWriteListener(WriteListener listener) {
    own.setWriteListener(listener == null ? listener : new Listener(listener));
  }

  @Override
  public void write(int b) throws IOException {
    own.write(b);
    if (call != null) {
      see(new byte[] {(byte) b}, 0, 1);
    }
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    own.write(bytes, offset, length);
    see(bytes, offset, length);
  }

  @Override
  public void write(ByteBuffer buffer) throws IOException {
    if (call == null) {
      own.write(buffer);
      return;
    }
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    own.write(buffer);
    see(bytes, 0, bytes.length);
  }

  // Containers encode text in ways of their own.

  @Override
  public void print(String text) throws IOException {
    own.print(text);
    see(text);
  }

  @Override
  public void println(String text) throws IOException {
    own.println(text);
    see(text);
  }

  @Override
  public void println() throws IOException {
    own.println();
  }

  @Override
  public void flush() throws IOException {
    own.flush();
  }

  @Override
  public void close() throws IOException {
    own.close();
  }

  private void see(String text) {
    if (call != null) {
      byte[] bytes = String.valueOf(text).getBytes(UTF_8);
      see(bytes, 0, bytes.length);
    }
  }

  private void see(byte[] bytes, int offset, int length) {
    if (call != null) {
      call.see(response.getStatus(), bytes, offset, length);
    }
  }

  private final class Listener implements WriteListener {

    private final WriteListener listener;

    Listener(WriteListener listener) {
      this.listener = listener;
    }

    @Override
    public void onWritePossible() throws IOException {
      try (Scope ignored = response.exchange.makeCurrent()) {
        listener.onWritePossible();
      }
    }

    @Override
    public void onError(Throwable thrown) {
      try (Scope ignored = response.exchange.makeCurrent()) {
        listener.onError(thrown);
      }
    }
  }
}
