// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One client that sends hostile requests over a connection, and opens another when it must. */
abstract class Attack implements AutoCloseable {

  // A request that a server takes for half of one gets no answer.
  private static final int PATIENCE_MILLIS = 1_000;

  /** The counts of all attacks on one server. */
  static final class Counts {
    final AtomicLong sentBytes = new AtomicLong();
    final AtomicLong sent = new AtomicLong();
    final AtomicLong answered = new AtomicLong();
    final AtomicLong silent = new AtomicLong();
  }

  private final int port;
  final Counts counts;
  private @Nullable Socket socket;
  InputStream in = InputStream.nullInputStream();

  Attack(int port, Counts counts) {
    this.port = port;
    this.counts = counts;
  }

  /**
   * Sends the requests of one seed, and reads what comes back.
   *
   * @throws IOException if the server ended the connection
   */
  abstract void request(Noise noise) throws IOException;

  /** Sends the requests of one seed, whatever the server does with them. */
  final void send(long seed) {
    try {
      request(new Noise(seed));
    } catch (SocketTimeoutException e) {
      counts.silent.incrementAndGet();
      close();
    } catch (IOException e) {
      close();
    }
  }

  final boolean isOpen() {
    return socket != null;
  }

  /** Opens a connection if there is none. */
  final void open() throws IOException {
    if (socket == null) {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(PATIENCE_MILLIS);
      in = new BufferedInputStream(socket.getInputStream());
    }
  }

  final void write(String bytes) throws IOException {
    write(bytes.getBytes(ISO_8859_1));
  }

  final void write(byte[] bytes) throws IOException {
    counts.sentBytes.addAndGet(bytes.length);
    if (socket != null) {
      socket.getOutputStream().write(bytes);
    }
  }

  final int read() throws IOException {
    int read = in.read();
    if (read < 0) {
      throw new IOException("the server closed the connection");
    }
    return read;
  }

  final byte[] read(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new IOException("the server closed the connection");
    }
    return bytes;
  }

  /** A response of HTTP/1: its head, with the body read. */
  final String answer() throws IOException {
    String head = head();
    counts.answered.incrementAndGet();
    String lower = head.toLowerCase(java.util.Locale.ROOT);
    if (lower.startsWith("http/1.1 101")) {
      return head;
    }
    int length = lower.indexOf("\r\ncontent-length: ");
    if (lower.contains("\r\ntransfer-encoding: chunked")) {
      readChunks();
    } else if (length >= 0) {
      int start = length + "\r\ncontent-length: ".length();
      read(Integer.parseInt(lower.substring(start, lower.indexOf('\r', start)).strip()));
    } else {
      close();
    }
    if (lower.contains("\r\nconnection: close")) {
      close();
    }
    return head;
  }

  private String head() throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    int end = 0;
    while (end < 4) {
      int read = read();
      head.write(read);
      end = read == (end % 2 == 0 ? '\r' : '\n') ? end + 1 : read == '\r' ? 1 : 0;
    }
    return head.toString(ISO_8859_1);
  }

  private void readChunks() throws IOException {
    int length = 1;
    while (length > 0) {
      StringBuilder line = new StringBuilder();
      for (int c = read(); c != '\n'; c = read()) {
        line.append((char) c);
      }
      length = Integer.parseInt(line.toString().strip(), 16);
      read(length + 2);
    }
  }

  @Override
  public void close() {
    try {
      if (socket != null) {
        socket.close();
      }
    } catch (IOException e) {
      // It is gone, one way or another.
    }
    socket = null;
  }
}
