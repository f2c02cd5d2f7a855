// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Receives spans over HTTP/1 and gRPC, both written by hand, so that it can break any rule of
 * theirs, and keeps the ids of those that it acknowledged.
 */
final class RawReceiver implements AutoCloseable {

  /** The fate of a connection, or of a request of it. */
  interface Fault {

    /** As a connection opens; false hangs up. */
    default boolean connected(Socket socket) throws IOException {
      return true;
    }

    /** As a request has come; false hangs up. */
    default boolean answer(Exchange exchange) throws IOException {
      exchange.acknowledge();
      return true;
    }
  }

  /** A request, and the way back. */
  final class Exchange {

    final Socket socket;
    final boolean grpc;
    private final OutputStream out;
    private final int stream;
    private final byte[] message;
    // The first line of HTTP/1.
    final String line;

    private Exchange(
        Socket socket, boolean grpc, OutputStream out, int stream, byte[] message, String line) {
      this.socket = socket;
      this.grpc = grpc;
      this.out = out;
      this.stream = stream;
      this.message = message;
      this.line = line;
    }

    /** Keeps the spans, as one does that acknowledges them. */
    void keep() throws IOException {
      ExportTraceServiceRequest.parseFrom(message)
          .getResourceSpansList()
          .forEach(
              resource ->
                  resource
                      .getScopeSpansList()
                      .forEach(
                          scope ->
                              scope
                                  .getSpansList()
                                  .forEach(
                                      span ->
                                          arrived.add(span.getSpanId().asReadOnlyByteBuffer()))));
    }

    void acknowledge() throws IOException {
      acknowledge(new byte[0]);
    }

    void acknowledge(byte[] response) throws IOException {
      keep();
      if (grpc) {
        headers("content-type", "application/grpc");
        data(response);
        trailers("grpc-status", "0");
      } else {
        http(200, "Content-Type: application/x-protobuf\r\n", response);
      }
    }

    void http(int status, String headers, byte[] body) throws IOException {
      bytes(
          ("HTTP/1.1 "
                  + status
                  + " Some\r\nContent-Length: "
                  + body.length
                  + "\r\n"
                  + headers
                  + "\r\n")
              .getBytes(StandardCharsets.ISO_8859_1));
      bytes(body);
    }

    void headers(String... fields) throws IOException {
      ByteArrayOutputStream block = new ByteArrayOutputStream();
      // :status 200, of the static table.
      block.write(0x88);
      block.writeBytes(fields(fields));
      frame(HEADERS, END_HEADERS, stream, block.toByteArray());
    }

    void trailers(String... fields) throws IOException {
      frame(HEADERS, END_HEADERS | END_STREAM, stream, fields(fields));
    }

    /** Headers that are trailers too. */
    void trailersOnly(String... fields) throws IOException {
      ByteArrayOutputStream block = new ByteArrayOutputStream();
      block.write(0x88);
      block.writeBytes(fields(fields));
      frame(HEADERS, END_HEADERS | END_STREAM, stream, block.toByteArray());
    }

    void data(byte[] response) throws IOException {
      frame(DATA, 0, stream, message(response));
    }

    void endWithoutTrailers() throws IOException {
      frame(DATA, END_STREAM, stream, message(new byte[0]));
    }

    private static byte[] message(byte[] response) {
      byte[] framed = new byte[PREFIX + response.length];
      for (int i = 0; i < 4; i++) {
        framed[1 + i] = (byte) (response.length >>> 8 * (3 - i));
      }
      System.arraycopy(response, 0, framed, PREFIX, response.length);
      return framed;
    }

    void frame(int type, int flags, int of, byte[] payload) throws IOException {
      bytes(RawReceiver.frame(type, flags, of, payload));
    }

    void bytes(byte[] bytes) throws IOException {
      out.write(bytes);
      out.flush();
    }
  }

  private static final int PREFIX = 5;
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int WINDOW_UPDATE = 8;
  private static final int END_STREAM = 1;
  private static final int ACK = 1;
  private static final int END_HEADERS = 4;
  private static final int PREFACE_BYTES = 24;

  private static final Fault NONE = new Fault() {};

  private final Set<ByteBuffer> arrived = ConcurrentHashMap.newKeySet();
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final AtomicInteger requests = new AtomicInteger();
  private final int port;
  private volatile Fault fault;
  private volatile boolean broken;
  private volatile ServerSocket server;

  RawReceiver(Fault fault) throws IOException {
    this.fault = fault;
    broken = true;
    listen(0);
    port = server.getLocalPort();
  }

  String authority() {
    return "localhost:" + port;
  }

  /** How many spans it acknowledged, each once. */
  int arrived() {
    return arrived.size();
  }

  int requests() {
    return requests.get();
  }

  private void listen(int at) throws IOException {
    ServerSocket listening = new ServerSocket();
    listening.setReuseAddress(true);
    listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), at), 200);
    server = listening;
    start(
        () -> {
          while (true) {
            Socket socket = listening.accept();
            connections.add(socket);
            start(() -> serve(socket));
          }
        });
  }

  /** Behaves well from now on; connections that hang are broken off. */
  void heal() throws IOException {
    broken = false;
    hangUp();
    if (server.isClosed()) {
      listen(port);
    }
  }

  void breakAgain() throws IOException {
    broken = true;
    hangUp();
  }

  /** Nobody listens there until it is healed. */
  void leave() throws IOException {
    server.close();
    hangUp();
  }

  /** Waits until it is healed. */
  void hang() {
    while (broken && !server.isClosed()) {
      LockSupport.parkNanos(5_000_000);
    }
  }

  private Fault fault() {
    return broken ? fault : NONE;
  }

  void fault(Fault next) {
    fault = next;
  }

  private void hangUp() throws IOException {
    for (Socket socket : connections) {
      socket.close();
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                // Closed, by either side.
              }
            },
            "raw-receiver");
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Socket socket) throws IOException {
    try (socket) {
      socket.setTcpNoDelay(true);
      if (!fault().connected(socket)) {
        return;
      }
      InputStream in = new BufferedInputStream(socket.getInputStream());
      in.mark(3);
      byte[] first = in.readNBytes(3);
      in.reset();
      if (new String(first, StandardCharsets.US_ASCII).equals("PRI")) {
        serveGrpc(socket, new DataInputStream(in));
      } else {
        serveHttp(socket, in);
      }
    } finally {
      connections.remove(socket);
    }
  }

  private void serveHttp(Socket socket, InputStream in) throws IOException {
    OutputStream out = socket.getOutputStream();
    while (true) {
      String line = line(in);
      int length = 0;
      for (String header = line(in); !header.isEmpty(); header = line(in)) {
        if (header.regionMatches(true, 0, "content-length:", 0, 15)) {
          length = Integer.parseInt(header.substring(15).trim());
        }
      }
      byte[] body = in.readNBytes(length);
      if (body.length < length) {
        throw new EOFException();
      }
      requests.incrementAndGet();
      if (!fault().answer(new Exchange(socket, false, out, 0, body, line))) {
        return;
      }
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException();
      }
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }

  private void serveGrpc(Socket socket, DataInputStream in) throws IOException {
    OutputStream out = socket.getOutputStream();
    in.readFully(new byte[PREFACE_BYTES]);
    out.write(frame(SETTINGS, 0, 0, new byte[0]));
    out.flush();
    Map<Integer, ByteArrayOutputStream> bodies = new HashMap<>();
    while (true) {
      int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
      int type = in.readUnsignedByte();
      int flags = in.readUnsignedByte();
      int stream = in.readInt();
      byte[] payload = in.readNBytes(length);
      if (payload.length < length) {
        throw new EOFException();
      }
      if (type == SETTINGS && (flags & ACK) == 0) {
        out.write(frame(SETTINGS, ACK, 0, new byte[0]));
      } else if (type == PING && (flags & ACK) == 0) {
        out.write(frame(PING, ACK, 0, payload));
      } else if (type == DATA) {
        if (length > 0) {
          byte[] window = {0, (byte) (length >> 16), (byte) (length >> 8), (byte) length};
          out.write(frame(WINDOW_UPDATE, 0, stream, window));
          out.write(frame(WINDOW_UPDATE, 0, 0, window));
        }
        ByteArrayOutputStream body =
            bodies.computeIfAbsent(stream, any -> new ByteArrayOutputStream());
        body.writeBytes(payload);
        if ((flags & END_STREAM) != 0) {
          bodies.remove(stream);
          requests.incrementAndGet();
          byte[] framed = body.toByteArray();
          byte[] message = Arrays.copyOfRange(framed, PREFIX, framed.length);
          if (!fault().answer(new Exchange(socket, true, out, stream, message, ""))) {
            return;
          }
        }
      }
      out.flush();
    }
  }

  private static byte[] frame(int type, int flags, int stream, byte[] payload) {
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    int length = payload.length;
    frame.writeBytes(new byte[] {(byte) (length >> 16), (byte) (length >> 8), (byte) length});
    frame.write(type);
    frame.write(flags);
    frame.writeBytes(
        new byte[] {
          (byte) (stream >> 24), (byte) (stream >> 16), (byte) (stream >> 8), (byte) stream
        });
    frame.writeBytes(payload);
    return frame.toByteArray();
  }

  /** Literal fields with new names, as RFC 7541 has them. */
  private static byte[] fields(String... namesAndValues) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      block.write(0);
      literal(block, namesAndValues[i]);
      literal(block, namesAndValues[i + 1]);
    }
    return block.toByteArray();
  }

  private static void literal(ByteArrayOutputStream block, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    int left = bytes.length;
    if (left < 127) {
      block.write(left);
    } else {
      block.write(127);
      for (left -= 127; left >= 128; left /= 128) {
        block.write(left % 128 + 128);
      }
      block.write(left);
    }
    block.writeBytes(bytes);
  }

  @Override
  public void close() throws IOException {
    broken = false;
    leave();
  }
}
