// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.websocket.WebSocketKit.attributes;
import static dev.throughline.telemetry.websocket.WebSocketKit.sessions;
import static dev.throughline.telemetry.websocket.WebSocketKit.take;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.trace.data.SpanData;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.Session;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A message that a library refuses to send is not counted as sent. */
class RefusedSendsTest {

  private static final Pattern KEY = Pattern.compile("(?i)Sec-WebSocket-Key: *(\\S+)");

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  @ParameterizedTest
  @EnumSource
  void whatAClosedSessionRefusesIsNotCounted(Containers containers) throws Exception {
    for (boolean spans : new boolean[] {false, true}) {
      BlockingQueue<Session> accepted = new LinkedBlockingQueue<>();
      WebSocketTelemetry webSockets = webSockets(spans);
      Containers.Client client = containers.client();
      try (client;
          Containers.Running server =
              containers.start(
                  List.of(webSockets.wrap(Scripted.on(accepted::add).at("/s"))), null)) {
        Session session =
            webSockets
                .wrap(client.container())
                .connectToServer(
                    Scripted.on(s -> {}),
                    ClientEndpointConfig.Builder.create().build(),
                    server.uri("/s"));
        take(accepted).getBasicRemote().sendText("counted");
        session.getBasicRemote().sendText("counted");
        RemoteEndpoint.Basic basic = session.getBasicRemote();
        RemoteEndpoint.Async async = session.getAsyncRemote();
        session.close();
        refused(() -> basic.sendText("late"));
        refused(() -> basic.sendText("late", true));
        refused(() -> basic.sendBinary(ByteBuffer.allocate(4)));
        refused(() -> basic.sendBinary(ByteBuffer.allocate(4), true));
        refused(() -> basic.sendObject(1));
        refused(() -> async.sendText("late").get(20, TimeUnit.SECONDS));
        refused(() -> async.sendBinary(ByteBuffer.allocate(4)).get(20, TimeUnit.SECONDS));
        refused(() -> async.sendObject(1).get(20, TimeUnit.SECONDS));
        refused(() -> handled(async));
        List<SpanData> ended = telemetry.takeSpans(all -> sessions(all).size() == 2);
        assertThat(sessions(ended))
            .allSatisfy(
                ofSession ->
                    assertThat(attributes(ofSession))
                        .containsEntry("throughline.websocket.messages.sent", 1L)
                        .containsEntry("throughline.websocket.bytes.sent", 7L));
      }
      telemetry.takeSpans(all -> true);
    }
    assertThat(sent("throughline.websocket.messages")).isEqualTo(4);
    assertThat(sent("throughline.websocket.io")).isEqualTo(28);
  }

  private static void handled(RemoteEndpoint.Async async) throws Exception {
    CompletableFuture<Void> handled = new CompletableFuture<>();
    async.sendText(
        "late",
        result -> {
          if (result.isOK()) {
            handled.complete(null);
          } else {
            handled.completeExceptionally(result.getException());
          }
        });
    handled.get(20, TimeUnit.SECONDS);
  }

  /** Something that is to throw. */
  interface Sending {
    void run() throws Exception;
  }

  private static void refused(Sending sending) {
    assertThatThrownBy(sending::run).isNotNull();
  }

  @Test
  void aSendWhileOneIsPendingIsNotCounted() throws Exception {
    for (boolean spans : new boolean[] {false, true}) {
      try (ServerSocket accepting = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        accepting.setReceiveBufferSize(4096);
        CompletableFuture<Socket> peer = CompletableFuture.supplyAsync(() -> accept(accepting));
        WebSocket socket =
            webSockets(spans)
                .newBuilder(HttpClient.newHttpClient())
                .buildAsync(
                    URI.create("ws://localhost:" + accepting.getLocalPort()),
                    new WebSocket.Listener() {})
                .get(20, TimeUnit.SECONDS);
        String large = "x".repeat(1_000_000);
        List<CompletableFuture<WebSocket>> sends = new ArrayList<>();
        long refused = 0;
        while (refused < 10) {
          CompletableFuture<WebSocket> sent = socket.sendText(large, true);
          sends.add(sent);
          refused += sent.isCompletedExceptionally() ? 1 : 0;
        }
        assertThatThrownBy(() -> sends.get(sends.size() - 1).get())
            .isInstanceOf(ExecutionException.class)
            .hasCauseInstanceOf(IllegalStateException.class);
        long taken = sends.size() - refused;
        socket.abort();
        peer.get(20, TimeUnit.SECONDS).close();
        SpanData session = sessions(telemetry.takeSpans(all -> sessions(all).size() == 1)).get(0);
        assertThat(attributes(session))
            .containsEntry("throughline.websocket.messages.sent", taken)
            .containsEntry("throughline.websocket.bytes.sent", taken * 1_000_000);
      }
      telemetry.takeSpans(all -> true);
    }
  }

  @Test
  void aRefusedPartCostsItsMessageNothing() throws Exception {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    WebSocketTelemetry webSockets = webSockets(true);
    try (Containers.Running server =
        Containers.JETTY.start(
            List.of(
                webSockets.wrap(
                    Scripted.on(
                            session ->
                                session.addMessageHandler(
                                    String.class, WebSocketKit.whole(seen::add)))
                        .at("/s"))),
            null)) {
      WebSocket socket =
          webSockets
              .newBuilder(HttpClient.newHttpClient())
              .buildAsync(server.uri("/s"), new WebSocket.Listener() {})
              .get(20, TimeUnit.SECONDS);
      socket.sendText("one ", false).get(20, TimeUnit.SECONDS);
      assertThat(socket.sendBinary(ByteBuffer.allocate(5), true)).isCompletedExceptionally();
      socket.sendText("message", true).get(20, TimeUnit.SECONDS);
      assertThat(take(seen)).isEqualTo("one message");
      socket.sendClose(1000, "").get(20, TimeUnit.SECONDS);
      List<SpanData> spans = telemetry.takeSpans(all -> sessions(all).size() == 2);
      assertThat(spans)
          .filteredOn(span -> span.getName().equals("websocket.send"))
          .extracting(
              span -> attributes(span).get("throughline.websocket.message.type"),
              span -> attributes(span).get("throughline.websocket.message.size"),
              span -> attributes(span).get("error.type"))
          .containsExactlyInAnyOrder(
              org.assertj.core.api.Assertions.tuple("text", 11L, null),
              org.assertj.core.api.Assertions.tuple(
                  "binary", 5L, IllegalStateException.class.getName()));
      assertThat(sent("throughline.websocket.messages")).isEqualTo(1);
      assertThat(sent("throughline.websocket.io")).isEqualTo(11);
    }
    telemetry.takeSpans(all -> true);
  }

  private WebSocketTelemetry webSockets(boolean spans) {
    WebSocketTelemetryBuilder builder = WebSocketTelemetry.builder(telemetry.telemetry());
    return spans ? builder.setMessageSpans(WebSocketKit.ALL).build() : builder.build();
  }

  private long sent(String metric) {
    return telemetry.metric(metric).getLongSumData().getPoints().stream()
        .filter(point -> point.getAttributes().asMap().containsValue("transmit"))
        .mapToLong(LongPointData::getValue)
        .sum();
  }

  /** Answers an upgrade, and reads nothing more. */
  private static Socket accept(ServerSocket accepting) {
    try {
      Socket socket = accepting.accept();
      InputStream in = socket.getInputStream();
      StringBuilder head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        head.append((char) in.read());
      }
      Matcher key = KEY.matcher(head);
      assertThat(key.find()).isTrue();
      byte[] digest =
          MessageDigest.getInstance("SHA-1")
              .digest(
                  (key.group(1) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
                      .getBytes(StandardCharsets.US_ASCII));
      socket
          .getOutputStream()
          .write(
              ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                      + "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                      + Base64.getEncoder().encodeToString(digest)
                      + "\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      return socket;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
