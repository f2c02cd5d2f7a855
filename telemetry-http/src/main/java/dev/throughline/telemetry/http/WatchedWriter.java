// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.http.HttpServletResponse;
import java.io.PrintWriter;
import java.util.Locale;

/** The text of a Connect RPC call's response: the container's writer, whose text is looked at. */
final class WatchedWriter extends PrintWriter {

  final PrintWriter own;
  private final ConnectCall call;
  private final HttpServletResponse response;

  WatchedWriter(PrintWriter own, ConnectCall call, HttpServletResponse response) {
    super(own);
    this.own = own;
    this.call = call;
    this.response = response;
  }

  @Override
  public void write(int c) {
    own.write(c);
    see(String.valueOf((char) c));
  }

  @Override
  public void write(char[] chars, int offset, int length) {
    own.write(chars, offset, length);
    see(new String(chars, offset, length));
  }

  @Override
  public void write(String text, int offset, int length) {
    own.write(text, offset, length);
    see(text.substring(offset, offset + length));
  }

  @Override
  public void println() {
    own.println();
  }

  // Containers format in ways of their own, so what is seen is formatted a second time.

  @Override
  public PrintWriter format(String format, Object... args) {
    own.format(format, args);
    see(String.format(Locale.ROOT, format, args));
    return this;
  }

  @Override
  public PrintWriter format(Locale locale, String format, Object... args) {
    own.format(locale, format, args);
    see(String.format(Locale.ROOT, format, args));
    return this;
  }

  @Override
  public void flush() {
    own.flush();
  }

  @Override
  public void close() {
    own.close();
  }

  @Override
  public boolean checkError() {
    return own.checkError();
  }

  private void see(String text) {
    byte[] bytes = text.getBytes(UTF_8);
    call.see(response.getStatus(), bytes, 0, bytes.length);
  }
}
