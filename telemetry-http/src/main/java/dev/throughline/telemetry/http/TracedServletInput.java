// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import io.opentelemetry.context.Scope;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/**
 * The container's stream of a request: the application's listener runs in the request's context.
 */
final class TracedServletInput extends ServletInputStream {

  final ServletInputStream own;
  private final ServletExchange exchange;

  TracedServletInput(ServletInputStream own, ServletExchange exchange) {
    this.own = own;
    this.exchange = exchange;
  }

  @Override
  public void setReadListener(ReadListener listener) {
    own.setReadListener(listener == null ? listener : new Listener(listener));
  }

  @Override
  public boolean isFinished() {
    return own.isFinished();
  }

  @Override
  public boolean isReady() {
    return own.isReady();
  }

  @Override
  public int read() throws IOException {
    return own.read();
  }

  @Override
  public int read(byte[] bytes) throws IOException {
    return own.read(bytes);
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    return own.read(bytes, offset, length);
  }

  @Override
  public int read(ByteBuffer buffer) throws IOException {
    return own.read(buffer);
  }

  @Override
  public int readLine(byte[] bytes, int offset, int length) throws IOException {
    return own.readLine(bytes, offset, length);
  }

  @Override
  public byte[] readAllBytes() throws IOException {
    return own.readAllBytes();
  }

  @Override
  public byte[] readNBytes(int length) throws IOException {
    return own.readNBytes(length);
  }

  @Override
  public int readNBytes(byte[] bytes, int offset, int length) throws IOException {
    return own.readNBytes(bytes, offset, length);
  }

  @Override
  public long transferTo(OutputStream out) throws IOException {
    return own.transferTo(out);
  }

  @Override
  public long skip(long count) throws IOException {
    return own.skip(count);
  }

  @Override
  public void skipNBytes(long count) throws IOException {
    own.skipNBytes(count);
  }

  @Override
  public int available() throws IOException {
    return own.available();
  }

  @Override
  public boolean markSupported() {
    return own.markSupported();
  }

  @Override
  public void mark(int limit) {
    own.mark(limit);
  }

  @Override
  public void reset() throws IOException {
    own.reset();
  }

  @Override
  public void close() throws IOException {
    own.close();
  }

  private final class Listener implements ReadListener {

    private final ReadListener listener;

    Listener(ReadListener listener) {
      this.listener = listener;
    }

    @Override
    public void onDataAvailable() throws IOException {
      try (Scope ignored = exchange.makeCurrent()) {
        listener.onDataAvailable();
      }
    }

    @Override
    public void onAllDataRead() throws IOException {
      try (Scope ignored = exchange.makeCurrent()) {
        listener.onAllDataRead();
      }
    }

    @Override
    public void onError(Throwable thrown) {
      try (Scope ignored = exchange.makeCurrent()) {
        listener.onError(thrown);
      }
    }
  }
}
