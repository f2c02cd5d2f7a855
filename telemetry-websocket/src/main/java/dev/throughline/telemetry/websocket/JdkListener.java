// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.StageFailure;
import io.opentelemetry.context.Scope;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Calls a listener of the JDK's client within its session, and counts what it is handed. */
final class JdkListener implements WebSocket.Listener {

  private final Sockets sockets;
  private final Upgrade upgrade;
  private final @Nullable InstrumentedRequest<Upgrade, Upgrade> request;
  private final WebSocket.Listener listener;
  private final Receive<CharSequence> onText;
  private final Receive<ByteBuffer> onBinary;
  private volatile @Nullable WebSocket socket;
  private volatile @Nullable SocketSession session;

  JdkListener(
      Sockets sockets,
      Upgrade upgrade,
      @Nullable InstrumentedRequest<Upgrade, Upgrade> request,
      WebSocket.Listener listener) {
    this.sockets = sockets;
    this.upgrade = upgrade;
    this.request = request;
    this.listener = listener;
    onText = listener::onText;
    onBinary = listener::onBinary;
  }

  /** The application's handler of messages of one type. */
  private interface Receive<P> {
    @Nullable CompletionStage<?> receive(WebSocket socket, P part, boolean last);
  }

  /** The application's for the JDK's socket, made when either thread first sees that. */
  WebSocket socket(WebSocket webSocket) {
    WebSocket made = socket;
    return made == null ? make(webSocket) : made;
  }

  private synchronized WebSocket make(WebSocket webSocket) {
    WebSocket made = socket;
    if (made == null) {
      made = open(webSocket);
      socket = made;
    }
    return made;
  }

  private WebSocket open(WebSocket webSocket) {
    upgrade.envelopes = Protocols.hasEnvelopes(webSocket.getSubprotocol());
    upgrade.status = Upgrade.SWITCHING_PROTOCOLS;
    if (request != null) {
      request.end(upgrade, null);
    }
    SocketSession opened = sockets.open(upgrade);
    session = opened;
    return opened == null ? webSocket : new JdkSocket(webSocket, opened);
  }

  @SuppressWarnings("MustBeClosedChecker") // the caller's to close
  private Scope makeCurrent() {
    SocketSession present = session;
    return present == null ? Scope.noop() : present.context().makeCurrent();
  }

  @Override
  public void onOpen(WebSocket webSocket) {
    WebSocket socket = socket(webSocket);
    try (Scope ignored = makeCurrent()) {
      listener.onOpen(socket);
    }
  }

  @Override
  public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
    SocketSession present = session;
    return receive(webSocket, present == null ? null : present.text, onText, data, last);
  }

  @Override
  public @Nullable CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
    SocketSession present = session;
    return receive(webSocket, present == null ? null : present.binary, onBinary, data, last);
  }

  private <P> @Nullable CompletionStage<?> receive(
      WebSocket webSocket,
      @Nullable Incoming<P, ?> incoming,
      Receive<P> handler,
      P data,
      boolean last) {
    if (incoming == null) {
      return handler.receive(webSocket, data, last);
    }
    P part = incoming.take(data, last);
    if (part == null) {
      // The application is not told of it, and will not ask for the next.
      webSocket.request(1);
      return null;
    }
    CompletionStage<?> handled = null;
    Throwable thrown = null;
    try (Scope ignored = incoming.context().makeCurrent()) {
      handled = handler.receive(socket(webSocket), part, last);
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      finish(last ? incoming.finish() : null, handled, thrown);
    }
    return handled;
  }

  /** A message is handled when its stage is complete. */
  private void finish(
      @Nullable SocketMessage message,
      @Nullable CompletionStage<?> handled,
      @Nullable Throwable thrown) {
    if (message == null || handled == null) {
      SocketMessage.finish(message, thrown);
      return;
    }
    try {
      CompletionStage<?> unused =
          handled.whenComplete(
              (result, error) -> SocketMessage.finish(message, StageFailure.cause(error)));
    } catch (Throwable t) {
      sockets.guard.caught("CompletionStage.whenComplete", t);
      SocketMessage.finish(message, null);
    }
  }

  @Override
  public @Nullable CompletionStage<?> onPing(WebSocket webSocket, ByteBuffer message) {
    try (Scope ignored = makeCurrent()) {
      return listener.onPing(socket(webSocket), message);
    }
  }

  @Override
  public @Nullable CompletionStage<?> onPong(WebSocket webSocket, ByteBuffer message) {
    try (Scope ignored = makeCurrent()) {
      return listener.onPong(socket(webSocket), message);
    }
  }

  @Override
  public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
    try (Scope ignored = makeCurrent()) {
      return listener.onClose(socket(webSocket), statusCode, reason);
    } finally {
      end(statusCode, null);
    }
  }

  @Override
  public void onError(WebSocket webSocket, Throwable error) {
    try (Scope ignored = makeCurrent()) {
      listener.onError(socket(webSocket), error);
    } finally {
      end(0, error);
    }
  }

  private void end(int code, @Nullable Throwable error) {
    SocketSession present = session;
    if (present != null) {
      present.end(code, error);
    }
  }
}
