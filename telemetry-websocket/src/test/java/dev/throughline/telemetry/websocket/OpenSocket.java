// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.Telemetry;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A process that opens a socket and never closes it; it prints the spans that it exports. */
final class OpenSocket {

  private OpenSocket() {}

  public static void main(String[] args) throws Exception {
    Telemetry telemetry = Telemetry.init("open-socket");
    WebSocketTelemetry webSockets = WebSocketTelemetry.create(telemetry);
    Containers.Running server =
        Containers.JETTY.start(
            List.of(webSockets.wrap(Scripted.on(session -> {}).at("/socket"))), null);
    WebSocket socket =
        webSockets
            .newBuilder(HttpClient.newHttpClient())
            .buildAsync(server.uri("/socket"), new WebSocket.Listener() {})
            .get(10, TimeUnit.SECONDS);
    socket.sendText("hello", true).get(10, TimeUnit.SECONDS);
    new CountDownLatch(1).await();
  }
}
