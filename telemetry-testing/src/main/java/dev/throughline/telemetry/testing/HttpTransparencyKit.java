// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * The transparency of an adapter for an HTTP server: raw requests go to the bare server and to the
 * one with the adapter, and what comes back is compared byte for byte, but for {@code Date} and the
 * header of request ids.
 *
 * @param <S> the server
 */
public abstract class HttpTransparencyKit<S> extends TransparencyKit<S> {

  private static final int TIMEOUT_MILLIS = 30_000;
  private static final Pattern VARYING =
      Pattern.compile("(?im)^(Date|" + Pattern.quote(REQUEST_ID) + "): [^\r\n]*\r\n");

  private final BlockingQueue<String> notes = new LinkedBlockingQueue<>();

  /** The port on loopback that a server listens on. */
  protected abstract int port(S server);

  /** Opens a connection to a server; plain TCP by default. */
  protected Socket connect(S server) throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), port(server));
  }

  /** Notes what a handler sees of a client that leaves in the middle. */
  protected final void note(String seen) {
    notes.add(seen);
  }

  /** A scenario that sends {@code GET path} and reads until the server closes. */
  protected final Scenario<S> get(String path, String... headers) {
    return request("GET " + path, "", headers);
  }

  /** A scenario that sends a request line's method and path with a body. */
  protected final Scenario<S> request(String methodAndPath, String body, String... headers) {
    StringBuilder request = new StringBuilder(methodAndPath).append(" HTTP/1.1\r\n");
    request.append("Host: localhost\r\nConnection: close\r\n");
    if (!body.isEmpty()) {
      request.append("Content-Length: ").append(body.getBytes(ISO_8859_1).length).append("\r\n");
    }
    for (String header : headers) {
      request.append(header).append("\r\n");
    }
    return raw(methodAndPath, request.append("\r\n").append(body).toString());
  }

  /** A scenario that sends these bytes, in ISO-8859-1, and reads until the server closes. */
  protected final Scenario<S> raw(String name, String request) {
    return new Scenario<>(name, server -> answer(server, request));
  }

  /**
   * A scenario that leaves in the middle: it reads some bytes, resets the connection, and waits for
   * the note that the handler makes of it.
   */
  protected final Scenario<S> abort(String name, String request, int read) {
    return new Scenario<>(
        name,
        server -> {
          notes.clear();
          try (Socket socket = connect(server)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
            socket.getInputStream().readNBytes(read);
            socket.setSoLinger(true, 0);
          }
          return String.valueOf(notes.poll(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS));
        });
  }

  private String answer(S server, String request) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (Socket socket = connect(server)) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      socket.getOutputStream().flush();
      InputStream in = socket.getInputStream();
      byte[] buffer = new byte[8192];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        answer.write(buffer, 0, read);
      }
    } catch (SocketException e) {
      answer.writeBytes(("[" + e.getMessage() + "]").getBytes(ISO_8859_1));
    }
    return normal(answer.toString(ISO_8859_1));
  }

  private static String normal(String answer) {
    return VARYING.matcher(answer).replaceAll("");
  }
}
