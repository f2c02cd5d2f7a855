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
  }

  /** What the application has for the JDK's socket; made by whoever sees that first. */
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
    String protocol = webSocket.getSubprotocol();
    upgrade.setEnvelopes(Protocols.hasEnvelopes(protocol));
    upgrade.setStatus(Upgrade.SWITCHING_PROTOCOLS);
    if (request != null) {
      request.end(upgrade, null);
    }
    SocketSession opened = sockets.open(upgrade);
    session = opened;
    return opened == null ? webSocket : new JdkSocket(webSocket, opened);
  }

  @Override
  public void onOpen(WebSocket webSocket) {
    WebSocket socket = socket(webSocket);
    SocketSession session = this.session;
    if (session == null) {
      listener.onOpen(socket);
      return;
    }
    try (Scope ignored = session.context().makeCurrent()) {
      listener.onOpen(socket);
    }
  }

  @Override
  public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
    SocketSession session = this.session;
    if (session == null) {
      return listener.onText(webSocket, data, last);
    }
    Incoming incoming = session.text;
    CharSequence part = incoming.take(data, last);
    if (part == null) {
      // The application is not told of it, and will not ask for the next.
      webSocket.request(1);
      return null;
    }
    WebSocket socket = socket(webSocket);
    CompletionStage<?> handled = null;
    Throwable thrown = null;
    try (Scope ignored = incoming.context().makeCurrent()) {
      handled = listener.onText(socket, part, last);
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      finish(last ? incoming.finish() : null, handled, thrown);
    }
    return handled;
  }

  @Override
  public @Nullable CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
    SocketSession session = this.session;
    if (session == null) {
      return listener.onBinary(webSocket, data, last);
    }
    Incoming incoming = session.binary;
    ByteBuffer part = incoming.take(data, last);
    if (part == null) {
      webSocket.request(1);
      return null;
    }
    WebSocket socket = socket(webSocket);
    CompletionStage<?> handled = null;
    Throwable thrown = null;
    try (Scope ignored = incoming.context().makeCurrent()) {
      handled = listener.onBinary(socket, part, last);
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
    if (message == null) {
      return;
    }
    if (handled == null) {
      message.end(thrown);
      return;
    }
    try {
      CompletionStage<?> unused =
          handled.whenComplete((result, error) -> message.end(StageFailure.cause(error)));
    } catch (Throwable t) {
      sockets.guard.caught("CompletionStage.whenComplete", t);
      message.end(null);
    }
  }

  @Override
  public @Nullable CompletionStage<?> onPing(WebSocket webSocket, ByteBuffer message) {
    SocketSession session = this.session;
    if (session == null) {
      return listener.onPing(webSocket, message);
    }
    try (Scope ignored = session.context().makeCurrent()) {
      return listener.onPing(socket(webSocket), message);
    }
  }

  @Override
  public @Nullable CompletionStage<?> onPong(WebSocket webSocket, ByteBuffer message) {
    SocketSession session = this.session;
    if (session == null) {
      return listener.onPong(webSocket, message);
    }
    try (Scope ignored = session.context().makeCurrent()) {
      return listener.onPong(socket(webSocket), message);
    }
  }

  @Override
  public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
    SocketSession session = this.session;
    if (session == null) {
      return listener.onClose(webSocket, statusCode, reason);
    }
    try (Scope ignored = session.context().makeCurrent()) {
      return listener.onClose(socket(webSocket), statusCode, reason);
    } finally {
      session.end(statusCode, null);
    }
  }

  @Override
  public void onError(WebSocket webSocket, Throwable error) {
    SocketSession session = this.session;
    if (session == null) {
      listener.onError(webSocket, error);
      return;
    }
    try (Scope ignored = session.context().makeCurrent()) {
      listener.onError(socket(webSocket), error);
    } finally {
      session.end(0, error);
    }
  }
}
