// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.Telemetry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** A client on a class path without jakarta.websocket; loaded by {@link JdkAloneTest}. */
public final class JdkAlone {

  private JdkAlone() {}

  /** Sends a message in a span, and gives what was answered. */
  public static String exchange(String uri) throws Exception {
    try (Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .build()) {
      CompletableFuture<String> answer = new CompletableFuture<>();
      WebSocket socket =
          WebSocketTelemetry.builder(telemetry)
              .setMessageSpans((sent, text, bytes) -> true)
              .build()
              .newBuilder(HttpClient.newHttpClient())
              .buildAsync(
                  URI.create(uri),
                  new WebSocket.Listener() {
                    @Override
                    public CompletionStage<?> onText(WebSocket s, CharSequence text, boolean last) {
                      answer.complete(text.toString());
                      return null;
                    }
                  })
              .get(10, TimeUnit.SECONDS);
      socket.sendText("hello", true).get(10, TimeUnit.SECONDS);
      try {
        return answer.get(10, TimeUnit.SECONDS);
      } finally {
        socket.abort();
      }
    }
  }
}
