// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.Telemetry;
import jakarta.websocket.ClientEndpoint;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import java.io.IOException;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.ee11.websocket.jakarta.client.JakartaWebSocketClientContainer;

/** A client on a class path without the server's half of jakarta.websocket. */
public final class ClientAlone {

  private ClientAlone() {}

  /** Says hello, and keeps the answer. */
  @ClientEndpoint
  public static final class Hello {

    final CompletableFuture<String> answer = new CompletableFuture<>();

    @OnOpen
    public void open(Session session) throws IOException {
      session.getBasicRemote().sendText("hello");
    }

    @OnMessage
    public void text(String text) {
      answer.complete(text);
    }
  }

  /** Gives what was answered. */
  public static String exchange(String uri) throws Exception {
    JakartaWebSocketClientContainer client = new JakartaWebSocketClientContainer();
    client.start();
    try (Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .build()) {
      Hello hello = new Hello();
      Session session =
          WebSocketTelemetry.create(telemetry).wrap(client).connectToServer(hello, URI.create(uri));
      String answer = hello.answer.get(10, TimeUnit.SECONDS);
      session.close();
      return answer;
    } finally {
      client.stop();
    }
  }
}
