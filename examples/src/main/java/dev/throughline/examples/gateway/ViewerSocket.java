// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A viewer's WebSocket: bytes of RFB are binary messages, lines of a serial console are text. */
final class ViewerSocket extends Endpoint {

  static final String PATH = "/sessions/{id}";

  private final Sessions sessions;
  private @Nullable ConsoleSession session;

  ViewerSocket(Sessions sessions) {
    this.sessions = sessions;
  }

  @Override
  public void onOpen(Session socket, EndpointConfig config) {
    Map<String, List<String>> query = socket.getRequestParameterMap();
    ConsoleSession found =
        sessions.find(
            socket.getPathParameters().getOrDefault("id", ""),
            String.join("", query.getOrDefault("ticket", List.of())));
    try {
      if (found == null || !found.view(socket)) {
        socket.close(new CloseReason(CloseReason.CloseCodes.VIOLATED_POLICY, "no such session"));
        return;
      }
      session = found;
      socket.addMessageHandler(String.class, line -> found.toConsole(line.getBytes(UTF_8)));
      socket.addMessageHandler(ByteBuffer.class, message -> found.toConsole(bytes(message)));
    } catch (IOException e) {
      onError(socket, e);
    }
  }

  private static byte[] bytes(ByteBuffer message) {
    byte[] bytes = new byte[message.remaining()];
    message.get(bytes);
    return bytes;
  }

  @Override
  public void onError(Session socket, Throwable thrown) {
    end("the viewer is gone");
  }

  @Override
  public void onClose(Session socket, CloseReason reason) {
    end("the viewer left");
  }

  private void end(String reason) {
    if (session != null) {
      sessions.end(session, reason);
    }
  }
}
