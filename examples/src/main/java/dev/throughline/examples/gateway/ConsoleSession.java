// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.stub.StreamObserver;
import jakarta.websocket.CloseReason;
import jakarta.websocket.Session;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * An operator's session with one console of a server: passes on what that says, from the Agent's
 * stream to the viewer's WebSocket, and what it is told, the other way. What it says before the
 * viewer comes is kept for the viewer.
 */
final class ConsoleSession {

  private final String kind;
  private final String id;
  private final String serverId;
  private final String customerId;
  private final String ticket = UUID.randomUUID().toString();
  private final CompletableFuture<StreamObserver<byte[]>> console = new CompletableFuture<>();
  private final List<byte[]> unseen = new ArrayList<>();
  private @Nullable Session viewer;
  private boolean ended;

  /**
   * A session whose console is about to be opened.
   *
   * @param kind {@code vnc} or {@code sol}
   */
  ConsoleSession(String kind, String serverId, String customerId) {
    this.kind = kind;
    this.serverId = serverId;
    this.customerId = customerId;
    id = kind + "-" + UUID.randomUUID().toString().substring(0, 8);
  }

  String kind() {
    return kind;
  }

  String id() {
    return id;
  }

  String serverId() {
    return serverId;
  }

  String customerId() {
    return customerId;
  }

  /** Lets in the viewer who has it; the id is no secret, for telemetry shows it. */
  String ticket() {
    return ticket;
  }

  /** Where its viewer goes. */
  String path() {
    return ViewerSocket.PATH.replace("{id}", id) + "?ticket=" + ticket;
  }

  /** Done when the Agent has dialed in with the console. */
  Future<?> connected() {
    return console;
  }

  /**
   * The Agent's stream of the console is there.
   *
   * @return false where there is one already
   */
  boolean connect(StreamObserver<byte[]> toConsole) {
    return console.complete(toConsole);
  }

  /**
   * The viewer is there.
   *
   * @return false where there is one already, or the session has ended
   */
  synchronized boolean view(Session socket) throws IOException {
    if (viewer != null || ended) {
      return false;
    }
    viewer = socket;
    for (byte[] message : unseen) {
      send(socket, message);
    }
    unseen.clear();
    return true;
  }

  synchronized boolean isViewed() {
    return viewer != null;
  }

  /** Passes on what the console says; it waits where the viewer is slow. */
  synchronized void fromConsole(byte[] message) throws IOException {
    if (ended) {
      return;
    }
    if (viewer == null) {
      unseen.add(message);
    } else {
      send(viewer, message);
    }
  }

  private void send(Session socket, byte[] message) throws IOException {
    if (kind.equals("sol")) {
      socket.getBasicRemote().sendText(new String(message, UTF_8));
    } else {
      socket.getBasicRemote().sendBinary(ByteBuffer.wrap(message));
    }
  }

  /** Passes on what the viewer says. */
  void toConsole(byte[] message) {
    StreamObserver<byte[]> toConsole = console.join();
    synchronized (console) {
      toConsole.onNext(message);
    }
  }

  /** Ends both sides, whichever of them has left; a second call does nothing. */
  void end(String reason) {
    Session socket;
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      socket = viewer;
    }
    if (!console.cancel(false)) {
      synchronized (console) {
        console.join().onCompleted();
      }
    }
    if (socket != null && socket.isOpen()) {
      try {
        socket.close(new CloseReason(CloseReason.CloseCodes.NORMAL_CLOSURE, reason));
      } catch (IOException e) {
        // It is gone already.
      }
    }
  }
}
