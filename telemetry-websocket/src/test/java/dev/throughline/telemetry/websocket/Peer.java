// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** A client without telemetry that keeps in order what a server does to it. */
final class Peer implements WebSocket.Listener {

  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final String END = "end";

  final List<String> events = new ArrayList<>();
  private final CompletableFuture<Void> pong = new CompletableFuture<>();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private final StringBuilder text = new StringBuilder();
  private int bytes;
  private WebSocket socket;

  static Peer open(URI uri, String... protocols) throws Exception {
    Peer peer = new Peer();
    WebSocket.Builder builder = CLIENT.newWebSocketBuilder();
    if (protocols.length > 0) {
      builder.subprotocols(
          protocols[0], List.of(protocols).subList(1, protocols.length).toArray(new String[0]));
    }
    try {
      peer.socket = builder.buildAsync(uri, peer).get(20, TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException e) {
      peer.note("refused " + e.getCause().getClass().getSimpleName());
      peer.closed.complete(null);
    }
    return peer;
  }

  private void note(String event) {
    synchronized (events) {
      events.add(event);
    }
  }

  /** Sends something; that the server has closed meanwhile, its close tells. */
  private Peer send(CompletableFuture<WebSocket> sent) {
    try {
      sent.get(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      // Told by its close.
    }
    return this;
  }

  Peer text(String text) {
    return socket == null ? this : send(socket.sendText(text, true));
  }

  Peer part(String text, boolean last) {
    return send(socket.sendText(text, last));
  }

  Peer binary(int length) {
    return send(socket.sendBinary(ByteBuffer.allocate(length), true));
  }

  Peer part(int length, boolean last) {
    return send(socket.sendBinary(ByteBuffer.allocate(length), last));
  }

  Peer pong(String text) {
    return send(socket.sendPong(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
  }

  /** Waits until all that was sent is handled, or the server has closed. */
  Peer settle() throws Exception {
    if (socket != null) {
      send(socket.sendPing(ByteBuffer.wrap(END.getBytes(StandardCharsets.UTF_8))));
      CompletableFuture.anyOf(pong, closed).get(20, TimeUnit.SECONDS);
    }
    return this;
  }

  /** Waits for the server's close. */
  Peer awaitClose() throws Exception {
    closed.get(20, TimeUnit.SECONDS);
    return this;
  }

  /** Closes, unless the server has. */
  List<String> close() throws Exception {
    if (!closed.isDone()) {
      send(socket.sendClose(1000, "bye"));
    }
    closed.get(20, TimeUnit.SECONDS);
    synchronized (events) {
      return List.copyOf(events);
    }
  }

  @Override
  public void onOpen(WebSocket webSocket) {
    note("protocol " + webSocket.getSubprotocol());
    webSocket.request(1);
  }

  @Override
  public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
    text.append(data);
    if (last) {
      note(text.length() > 200 ? "text of " + text.length() : "text " + text);
      text.setLength(0);
    }
    webSocket.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
    bytes += data.remaining();
    if (last) {
      note("binary of " + bytes);
      bytes = 0;
    }
    webSocket.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onPing(WebSocket webSocket, ByteBuffer message) {
    note("ping " + StandardCharsets.UTF_8.decode(message));
    webSocket.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onPong(WebSocket webSocket, ByteBuffer message) {
    String data = StandardCharsets.UTF_8.decode(message).toString();
    if (data.equals(END)) {
      pong.complete(null);
    } else {
      note("pong " + data);
    }
    webSocket.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onClose(WebSocket webSocket, int code, String reason) {
    note("close " + code + " " + reason);
    closed.complete(null);
    return null;
  }

  @Override
  public void onError(WebSocket webSocket, Throwable error) {
    note("broken");
    closed.complete(null);
  }
}
