// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.net.Socket;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An open console. What passes through is relayed, and only its greeting looked at. */
final class HardwareConsole implements AutoCloseable {

  private static final String RFB_VERSION = "RFB 003.008\n";
  private static final int LONGEST_LINE = 4 * 1024;
  private static final int LARGEST_MESSAGE = 16 * 1024;

  private final Kind kind;
  private final Socket socket;
  private final InputStream in;
  private final byte[] greeting;

  /** Which of a server's consoles. */
  enum Kind {
    /** The screen, over RFB: a stream of bytes. */
    VNC,
    /** The serial port: a message is a line, without its end. */
    SOL;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The console at the other end of a socket, once it has greeted. */
  HardwareConsole(Kind kind, Socket socket) throws IOException {
    this.kind = kind;
    this.socket = socket;
    in = new BufferedInputStream(socket.getInputStream(), LARGEST_MESSAGE);
    byte[] line = readLine();
    if (line == null) {
      throw new EOFException("The console hung up");
    }
    if (kind == Kind.VNC && !new String(line, US_ASCII).equals(RFB_VERSION)) {
      throw new ProtocolException("The console does not speak RFB 3.8");
    }
    greeting = line;
    socket.setSoTimeout(0); // from now on it may be silent for hours
  }

  /** What it said first. */
  byte[] greeting() {
    return greeting.clone();
  }

  /** What it says next; null once it has hung up. */
  byte @Nullable [] read() throws IOException {
    if (kind == Kind.SOL) {
      return readLine();
    }
    byte[] buffer = new byte[LARGEST_MESSAGE];
    int length = in.read(buffer);
    return length < 0 ? null : Arrays.copyOf(buffer, length);
  }

  /** Tells it something. */
  void write(byte[] message) throws IOException {
    byte[] end = kind == Kind.SOL ? "\r\n".getBytes(UTF_8) : new byte[0];
    byte[] whole = Arrays.copyOf(message, message.length + end.length);
    System.arraycopy(end, 0, whole, message.length, end.length);
    socket.getOutputStream().write(whole);
  }

  private byte @Nullable [] readLine() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int next = in.read();
    if (next < 0) {
      return null;
    }
    for (; next >= 0 && next != '\n'; next = in.read()) {
      if (line.size() == LONGEST_LINE) {
        throw new ProtocolException("The console sent a line without end");
      }
      if (kind == Kind.VNC || next != '\r') {
        line.write(next);
      }
    }
    if (kind == Kind.VNC && next == '\n') {
      line.write(next);
    }
    return line.toByteArray();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
