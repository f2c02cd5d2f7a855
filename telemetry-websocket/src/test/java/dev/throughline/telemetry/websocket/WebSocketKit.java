// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.trace.data.SpanData;
import jakarta.websocket.ClientEndpoint;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.CloseReason;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.OnMessage;
import jakarta.websocket.PongMessage;
import jakarta.websocket.SendHandler;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is recorded of sockets between a container's server and its client. */
abstract class WebSocketKit {

  static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  static final String TRACEPARENT = "00-" + TRACE + "-00f067aa0ba902b7-01";
  static final MessageFilter ALL = (sent, text, bytes) -> true;

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  private final List<AutoCloseable> running = new ArrayList<>();

  abstract Containers containers();

  @AfterEach
  void stop() throws Exception {
    for (int i = running.size() - 1; i >= 0; i--) {
      running.get(i).close();
    }
  }

  @Test
  void anUpgradeIsASpanThatEndsWhileTheSocketIsOpen() throws Exception {
    Containers.Running server = serve(create(), Scripted.on(s -> {}).at("/vnc/{id}"));
    Session session = connect(create(), server, "/vnc/7?token=secret", Scripted.on(s -> {}));

    List<SpanData> spans = telemetry.takeSpans(2);
    assertThat(session.isOpen()).isTrue();
    SpanData served = spans.get(0).getKind() == SpanKind.SERVER ? spans.get(0) : spans.get(1);
    SpanData asked = served == spans.get(0) ? spans.get(1) : spans.get(0);
    String path = server.uri("/vnc/7").getPath();
    assertThat(asked.getName()).isEqualTo("GET");
    assertThat(asked.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(attributes(asked))
        .containsEntry("http.request.method", "GET")
        .containsEntry("http.response.status_code", 101L)
        .containsEntry("url.full", server.uri("/vnc/7?token=REDACTED").toString())
        .containsEntry("server.address", "localhost")
        .containsEntry("server.port", (long) server.port());
    assertThat(served.getName()).isEqualTo("GET " + path.replace("7", "{id}"));
    assertThat(served.getParentSpanId()).isEqualTo(asked.getSpanId());
    assertThat(attributes(served))
        .containsEntry("http.request.method", "GET")
        .containsEntry("http.response.status_code", 101L)
        .containsEntry("http.route", path.replace("7", "{id}"))
        .containsEntry("url.path", path)
        .containsEntry("url.query", "token=REDACTED")
        .containsEntry("url.scheme", "http")
        .containsEntry("server.address", "localhost")
        .containsEntry("server.port", (long) server.port());
    session.close();
    takeSessions();
  }

  @Test
  void aSessionIsSummedUpWhenItEnds() throws Exception {
    BlockingQueue<Session> accepted = new LinkedBlockingQueue<>();
    Containers.Running server =
        serve(
            create(),
            Scripted.on(
                    session -> {
                      session.addMessageHandler(String.class, whole(seen::add));
                      session.addMessageHandler(
                          byte[].class, whole(bytes -> seen.add("bytes " + bytes.length)));
                      accepted.add(session);
                    })
                .at("/s"));
    Session session = connect(create(), server, "/s", Scripted.on(s -> {}));
    session.getBasicRemote().sendText("h\u00e9llo");
    session.getBasicRemote().sendBinary(ByteBuffer.wrap(new byte[100]));
    assertThat(take(seen)).isEqualTo("h\u00e9llo");
    assertThat(take(seen)).isEqualTo("bytes 100");
    take(accepted);

    List<SpanData> upgrades = telemetry.takeSpans(2);
    assertThat(activeSessions(2)).isEqualTo(2);
    session.close(new CloseReason(CloseReason.CloseCodes.NORMAL_CLOSURE, "done"));

    Map<String, SpanData> sessions = takeSessions();
    for (SpanData summary : sessions.values()) {
      SpanData upgrade =
          upgrades.stream()
              .filter(span -> span.getSpanId().equals(summary.getParentSpanId()))
              .findFirst()
              .orElseThrow();
      assertThat(summary.getLinks())
          .singleElement()
          .satisfies(link -> assertThat(link.getSpanContext()).isEqualTo(upgrade.getSpanContext()));
      assertThat(attributes(summary))
          .containsEntry("throughline.websocket.close.code", 1000L)
          .containsKeys("throughline.websocket.opened", "throughline.websocket.closed")
          .doesNotContainKey("error.type");
    }
    assertThat(attributes(sessions.get("client")))
        .containsEntry("throughline.websocket.messages.sent", 2L)
        .containsEntry("throughline.websocket.bytes.sent", 106L)
        .containsEntry("throughline.websocket.messages.received", 0L)
        .containsEntry("throughline.websocket.bytes.received", 0L);
    assertThat(attributes(sessions.get("server")))
        .containsEntry("throughline.websocket.messages.received", 2L)
        .containsEntry("throughline.websocket.bytes.received", 106L)
        .containsEntry("throughline.websocket.messages.sent", 0L);
    assertThat(activeSessions(0)).isZero();
    assertThat(sum("throughline.websocket.messages", "transmit")).isEqualTo(2);
    assertThat(sum("throughline.websocket.messages", "receive")).isEqualTo(2);
    assertThat(sum("throughline.websocket.io", "transmit")).isEqualTo(106);
    assertThat(
            telemetry
                .metric("throughline.websocket.session.duration")
                .getHistogramData()
                .getPoints())
        .hasSize(2)
        .allMatch(point -> point.getCount() == 1);
  }

  @Test
  void allHandlersRunInTheTraceThatCameIn() throws Exception {
    Scripted endpoint =
        Scripted.on(
                session -> {
                  noteTrace("open " + ActiveSpan.currentBaggage("customer_id"));
                  session.addMessageHandler(
                      String.class,
                      (MessageHandler.Partial<String>)
                          (part, last) -> noteTrace("part " + part.length() + last));
                  session.addMessageHandler(
                      ByteBuffer.class, whole(bytes -> noteTrace("bytes " + bytes.remaining())));
                  session.addMessageHandler(
                      PongMessage.class,
                      whole(pong -> noteTrace("pong " + pong.getApplicationData().remaining())));
                  ping(session);
                })
            .onClose((session, reason) -> noteTrace("close " + reason.getCloseCode().getCode()));
    Containers.Running server = serve(create(), endpoint.at("/s"));
    Session session;
    try (Scope ignored = incoming().makeCurrent()) {
      session = connect(create(), server, "/s", Scripted.on(s -> {}));
    }

    assertThat(take(seen)).isEqualTo("open c1 in " + TRACE);
    assertThat(take(seen)).isEqualTo("pong 4 in " + TRACE);
    session.getBasicRemote().sendText("text");
    assertThat(take(seen)).startsWith("part ").endsWith(" in " + TRACE);
    session.getBasicRemote().sendBinary(ByteBuffer.wrap(new byte[3]));
    String next = take(seen);
    while (next.startsWith("part ")) {
      next = take(seen);
    }
    assertThat(next).isEqualTo("bytes 3 in " + TRACE);
    session.close();
    assertThat(take(seen)).isEqualTo("close 1000 in " + TRACE);
    assertThat(takeSessionsAndUpgrades()).allMatch(span -> span.getTraceId().equals(TRACE));
  }

  @Test
  void whatAHandlerThrowsReachesItsEndpoint() throws Exception {
    Scripted endpoint =
        Scripted.on(
                session ->
                    session.addMessageHandler(
                        String.class,
                        whole(
                            text -> {
                              throw new IllegalStateException(text);
                            })))
            .onError(
                (session, thrown) -> {
                  Throwable cause = thrown.getCause() == null ? thrown : thrown.getCause();
                  noteTrace("error " + cause.getMessage());
                });
    Containers.Running server = serve(create(), endpoint.at("/s"));
    Session session;
    try (Scope ignored = incoming().makeCurrent()) {
      session = connect(create(), server, "/s", Scripted.on(s -> {}));
    }
    session.getBasicRemote().sendText("bad");

    assertThat(take(seen)).isEqualTo("error bad in " + TRACE);
    session.close();
    takeSessionsAndUpgrades();
  }

  @Test
  void annotatedEndpointsAreCalledAsTheContainerWould() throws Exception {
    AnnotatedServer.CALLS.clear();
    WebSocketTelemetry webSockets = builder().setMessageSpans(ALL).build();
    Containers.Running server = start(List.of(webSockets.wrap(AnnotatedServer.class)));
    AnnotatedClient client = new AnnotatedClient();
    Session session;
    try (Scope ignored = incoming().makeCurrent()) {
      session = client(webSockets).connectToServer(client, server.uri("/annotated/blue/7"));
      session.getBasicRemote().sendText("3,4");
      assertThat(take(client.received)).isEqualTo("4,3");
      session.getBasicRemote().sendBinary(ByteBuffer.wrap(new byte[9]));
      assertThat(take(client.received)).isEqualTo("1 bytes: 9");
      session.getBasicRemote().sendPong(ByteBuffer.wrap(new byte[2]));
      session.getBasicRemote().sendText("nonsense");
    }

    List<String> calls = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      calls.add(take(AnnotatedServer.CALLS));
    }
    if (containers() == Containers.JETTY) {
      assertThat(take(AnnotatedServer.CALLS)).isEqualTo("error CloseException in " + TRACE);
    } else {
      session.close();
    }
    calls.add(take(AnnotatedServer.CALLS));
    assertThat(calls)
        .containsExactly(
            "open blue7true in " + TRACE,
            "point 3,4 in " + TRACE,
            "bytes 9 in " + TRACE,
            "pong 2 in " + TRACE,
            "error DecodeException in " + TRACE,
            // Jetty closes a session after a message that it can't decode.
            (containers() == Containers.JETTY ? "close 1003 in " : "close 1000 in ") + TRACE);
    List<SpanData> spans =
        telemetry.takeSpans(all -> all.size() >= 14 && sessions(all).size() == 2);
    assertThat(spans).hasSize(14).allMatch(span -> span.getTraceId().equals(TRACE));
  }

  /** Notes what it is answered. */
  @ClientEndpoint
  public static final class AnnotatedClient {

    final BlockingQueue<String> received = new LinkedBlockingQueue<>();

    /** Notes it. */
    @OnMessage
    public void text(Reader text) throws Exception {
      StringWriter whole = new StringWriter();
      text.transferTo(whole);
      received.add(whole.toString());
    }

    /** Notes it. */
    @OnMessage
    public void bytes(byte[] bytes, boolean last) {
      if (last) {
        received.add(bytes.length + " bytes: " + bytes[0]);
      }
    }
  }

  @Test
  void everyFormOfAMessageGoesThroughItsEnvelope() throws Exception {
    WebSocketTelemetry webSockets = builder().setMessageSpans(ALL).build();
    Containers.Running server =
        start(
            List.of(
                webSockets.wrap(textStreams().at("/streams")),
                webSockets.wrap(parts().at("/parts")),
                webSockets.wrap(
                    Scripted.on(
                            session ->
                                session.addMessageHandler(
                                    Point.class, whole(point -> noteTrace(point.toString()))))
                        .at("/objects", List.of(Point.Coder.class), List.of()))));
    String euros = "\u20ac".repeat(1000);
    for (String path : List.of("/streams", "/parts")) {
      // Tyrus may hand over an empty stream behind one of several parts: its ReaderBuffer looks for
      // a
      // reader that has been done with meanwhile.
      boolean inParts = path.equals("/parts") || containers() != Containers.TYRUS;
      Session session = connect(webSockets, server, path, Scripted.on(s -> {}));
      try (Scope ignored = incoming().makeCurrent()) {
        session.getBasicRemote().sendText(euros);
        assertThat(take(seen)).isEqualTo(euros + " in " + TRACE);
        if (inParts) {
          session.getBasicRemote().sendText("one ", false);
          session.getBasicRemote().sendText("", false);
          session.getBasicRemote().sendText("two", true);
          assertThat(take(seen)).isEqualTo("one two in " + TRACE);
          try (Writer writer = session.getBasicRemote().getSendWriter()) {
            writer.write("written ");
            writer.write("twice");
          }
          assertThat(take(seen)).isEqualTo("written twice in " + TRACE);
        }
        session.getBasicRemote().sendText("");
        assertThat(take(seen)).isEqualTo(" in " + TRACE);
        session.getAsyncRemote().sendText("async").get(10, TimeUnit.SECONDS);
        assertThat(take(seen)).isEqualTo("async in " + TRACE);
        CompletableFuture<Boolean> sent = new CompletableFuture<>();
        session.getAsyncRemote().sendText("handled", result -> sent.complete(result.isOK()));
        assertThat(sent.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(take(seen)).isEqualTo("handled in " + TRACE);
        session.getBasicRemote().sendObject(12);
        assertThat(take(seen)).isEqualTo("12 in " + TRACE);

        session.getBasicRemote().sendBinary(bytes(300));
        assertThat(take(seen)).isEqualTo("300 bytes in " + TRACE);
        if (inParts) {
          session.getBasicRemote().sendBinary(bytes(1), false);
          session.getBasicRemote().sendBinary(bytes(2), true);
          assertThat(take(seen)).isEqualTo("3 bytes in " + TRACE);
          try (OutputStream stream = session.getBasicRemote().getSendStream()) {
            stream.write(new byte[5]);
            stream.write(1);
          }
          assertThat(take(seen)).isEqualTo("6 bytes in " + TRACE);
        }
        session.getAsyncRemote().sendBinary(bytes(7)).get(10, TimeUnit.SECONDS);
        assertThat(take(seen)).isEqualTo("7 bytes in " + TRACE);
        CompletableFuture<Boolean> binary = new CompletableFuture<>();
        SendHandler handler = result -> binary.complete(result.isOK());
        session.getAsyncRemote().sendBinary(bytes(8), handler);
        assertThat(binary.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(take(seen)).isEqualTo("8 bytes in " + TRACE);
      }
      session.close();
      int expected = inParts ? 28 : 20;
      List<SpanData> spans =
          telemetry.takeSpans(all -> all.size() >= expected && sessions(all).size() == 2);
      assertThat(spans).hasSize(expected);
      long euroSizes =
          spans.stream()
              .filter(span -> Long.valueOf(3000).equals(attributes(span).get(SIZE)))
              .count();
      assertThat(euroSizes).as("spans of the euros, sent and received").isEqualTo(2);
    }
    Session session = connect(webSockets, server, "/objects", Scripted.on(s -> {}));
    try (Scope ignored = incoming().makeCurrent()) {
      session.getBasicRemote().sendText("1,2");
    }
    assertThat(take(seen)).isEqualTo("Point[x=1, y=2] in " + TRACE);
    session.close();
    telemetry.takeSpans(all -> all.size() >= 6 && sessions(all).size() == 2);
  }

  private static final String SIZE = "throughline.websocket.message.size";

  private Scripted textStreams() {
    return Scripted.on(
        session -> {
          session.addMessageHandler(
              new MessageHandler.Whole<Reader>() {
                @Override
                public void onMessage(Reader reader) {
                  StringWriter text = new StringWriter();
                  try {
                    reader.transferTo(text);
                  } catch (java.io.IOException e) {
                    throw new UncheckedIOException(e);
                  }
                  noteTrace(text.toString());
                }
              });
          session.addMessageHandler(
              new MessageHandler.Whole<InputStream>() {
                @Override
                public void onMessage(InputStream stream) {
                  try {
                    noteTrace(stream.readAllBytes().length + " bytes");
                  } catch (java.io.IOException e) {
                    throw new UncheckedIOException(e);
                  }
                }
              });
        });
  }

  private Scripted parts() {
    return Scripted.on(
        session -> {
          StringBuilder text = new StringBuilder();
          session.addMessageHandler(
              String.class,
              (MessageHandler.Partial<String>)
                  (part, last) -> {
                    text.append(part);
                    if (last) {
                      String whole = text.toString();
                      text.setLength(0);
                      noteTrace(whole);
                    }
                  });
          int[] bytes = new int[1];
          session.addMessageHandler(
              byte[].class,
              (MessageHandler.Partial<byte[]>)
                  (part, last) -> {
                    bytes[0] += part.length;
                    if (last) {
                      int whole = bytes[0];
                      bytes[0] = 0;
                      noteTrace(whole + " bytes");
                    }
                  });
        });
  }

  @Test
  void aMessageThatJustFitsDoesSoWithItsEnvelope() throws Exception {
    WebSocketTelemetry webSockets = builder().setMessageSpans(ALL).build();
    Containers.Running server =
        start(
            List.of(
                webSockets.wrap(
                    Scripted.on(
                            session -> {
                              session.setMaxTextMessageBufferSize(5000);
                              session.setMaxBinaryMessageBufferSize(5000);
                              assertThat(session.getMaxTextMessageBufferSize()).isEqualTo(5000);
                              assertThat(session.getMaxBinaryMessageBufferSize()).isEqualTo(5000);
                              session.addMessageHandler(
                                  String.class, whole(text -> seen.add("text " + text.length())));
                              session.addMessageHandler(
                                  ByteBuffer.class,
                                  whole(buffer -> seen.add("bytes " + buffer.remaining())));
                            })
                        .at("/s"))));
    Session session = connect(webSockets, server, "/s", Scripted.on(s -> {}));
    session.getBasicRemote().sendText("x".repeat(5000));
    assertThat(take(seen)).isEqualTo("text 5000");
    session.getBasicRemote().sendBinary(bytes(5000));
    assertThat(take(seen)).isEqualTo("bytes 5000");
    session.close();
    telemetry.takeSpans(all -> all.size() >= 8 && sessions(all).size() == 2);
  }

  @Test
  void sessionsThatOpenAtOnceKeepTheirTracesApart() throws Exception {
    Containers.Running server =
        serve(
            create(),
            Scripted.on(
                    session ->
                        session.addMessageHandler(String.class, whole(text -> noteTrace(text))))
                .at("/s"));
    List<CompletableFuture<Session>> opening = new ArrayList<>();
    Map<String, String> expected = new HashMap<>();
    WebSocketContainer client = client(create());
    // Jetty's client starts itself with its first socket, and not two at once.
    client
        .connectToServer(
            Scripted.on(s -> {}), ClientEndpointConfig.Builder.create().build(), server.uri("/s"))
        .close();
    for (int i = 0; i < 20; i++) {
      String trace = "%032x".formatted(i + 1);
      String message = "message " + i;
      expected.put(message, trace);
      Context context =
          telemetry
              .telemetry()
              .extract(Map.of("traceparent", "00-" + trace + "-00f067aa0ba902b7-01"));
      opening.add(
          CompletableFuture.supplyAsync(
              () -> {
                try (Scope ignored = context.makeCurrent()) {
                  Session session =
                      client.connectToServer(
                          Scripted.on(s -> {}),
                          ClientEndpointConfig.Builder.create().build(),
                          server.uri("/s"));
                  session.getBasicRemote().sendText(message);
                  return session;
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              }));
    }
    List<Session> sessions = new ArrayList<>();
    for (CompletableFuture<Session> opened : opening) {
      sessions.add(opened.get(10, TimeUnit.SECONDS));
    }
    Map<String, String> actual = new HashMap<>();
    for (int i = 0; i < 20; i++) {
      String[] call = take(seen).split(" in ");
      actual.put(call[0], call[1]);
    }
    assertThat(actual).isEqualTo(expected);
    for (Session session : sessions) {
      session.close();
    }
    telemetry.takeSpans(all -> all.size() >= 84);
  }

  @Test
  void whatIsSentToAllOpenSessionsIsCounted() throws Exception {
    Containers.Running server =
        serve(
            create(),
            Scripted.on(
                    session ->
                        session.addMessageHandler(
                            String.class,
                            whole(
                                text ->
                                    session
                                        .getOpenSessions()
                                        .forEach(each -> send(each, "all " + text)))))
                .at("/s"));
    Session session =
        connect(
            create(),
            server,
            "/s",
            Scripted.on(s -> s.addMessageHandler(String.class, whole(seen::add))));
    session.getBasicRemote().sendText("hear");
    assertThat(take(seen)).isEqualTo("all hear");
    session.close();
    telemetry.takeSpans(2);
    assertThat(attributes(takeSessions().get("server")))
        .containsEntry("throughline.websocket.messages.sent", 1L);
  }

  @Test
  void aPeerThatDoesNotKnowTheEnvelopeSeesNone() throws Exception {
    WebSocketTelemetry webSockets = builder().setMessageSpans(ALL).build();
    Scripted echo =
        Scripted.on(
            session ->
                session.addMessageHandler(
                    String.class,
                    whole(
                        text -> {
                          seen.add(text);
                          send(session, "echo " + text);
                        })));
    Containers.Running bare = start(List.of(echo.at("/s")));
    Session session =
        connect(
            webSockets,
            bare,
            "/s",
            Scripted.on(s -> s.addMessageHandler(String.class, whole(seen::add))));
    session.getBasicRemote().sendText("\u001eTL10000 to a bare server");
    assertThat(take(seen)).isEqualTo("\u001eTL10000 to a bare server");
    assertThat(take(seen)).isEqualTo("echo \u001eTL10000 to a bare server");
    session.close();
    telemetry.takeSpans(all -> all.size() >= 4 && sessions(all).size() == 1);

    Containers.Running traced = start(List.of(webSockets.wrap(echo.at("/s"))));
    Session plain =
        containers()
            .client()
            .container()
            .connectToServer(
                Scripted.on(s -> s.addMessageHandler(String.class, whole(seen::add))),
                ClientEndpointConfig.Builder.create().build(),
                traced.uri("/s"));
    plain.getBasicRemote().sendText("\u001eTL10000 to a traced server");
    assertThat(take(seen)).isEqualTo("\u001eTL10000 to a traced server");
    assertThat(take(seen)).isEqualTo("echo \u001eTL10000 to a traced server");
    plain.close();
    telemetry.takeSpans(all -> all.size() >= 4 && sessions(all).size() == 1);
  }

  @Test
  void aPeerThatNamesTheEnvelopeAndSendsNoneIsHeard() throws Exception {
    Containers.Running server =
        serve(
            create(),
            Scripted.on(
                    session -> {
                      session.addMessageHandler(String.class, whole(seen::add));
                      session.addMessageHandler(
                          byte[].class,
                          whole(bytes -> seen.add(new String(bytes, StandardCharsets.ISO_8859_1))));
                    })
                .at("/s"));
    Session liar =
        containers()
            .client()
            .container()
            .connectToServer(
                Scripted.on(s -> {}),
                ClientEndpointConfig.Builder.create()
                    .configurator(
                        new ClientEndpointConfig.Configurator() {
                          @Override
                          public void beforeRequest(Map<String, List<String>> headers) {
                            headers.put("Throughline-Envelope", List.of("1"));
                          }
                        })
                    .build(),
                server.uri("/s"));
    List<String> payloads =
        List.of(
            "plain",
            "",
            "\u001e",
            "\u001eTL1",
            "\u001eTL10",
            "\u001eTL1GGGG",
            "\u001eTL1ffff too long",
            "\u001eTL10020truncated",
            "\u001eTL10005nonsense",
            "\u001eTL10003a\nbnot a field");
    for (String payload : payloads) {
      liar.getBasicRemote().sendText(payload);
      assertThat(take(seen)).isEqualTo(payload);
      liar.getBasicRemote()
          .sendBinary(ByteBuffer.wrap(payload.getBytes(StandardCharsets.ISO_8859_1)));
      assertThat(take(seen)).isEqualTo(payload);
    }
    liar.close();
    telemetry.takeSpan();
    SpanData session = telemetry.takeSpan();
    assertThat(attributes(session))
        .containsEntry("throughline.websocket.envelope.faults", 14L)
        .containsEntry("throughline.websocket.messages.received", 20L);
    assertThat(
            telemetry.metric("throughline.websocket.envelope.faults").getLongSumData().getPoints())
        .singleElement()
        .satisfies(point -> assertThat(point.getValue()).isEqualTo(14));
  }

  @Test
  void withTelemetryOffAContextThatCameInStillGoesOut() throws Exception {
    Telemetry off = Telemetry.noop();
    WebSocketTelemetry webSockets = WebSocketTelemetry.create(off);
    Map<String, String> carrier = new HashMap<>();
    Containers.Running server =
        start(
            List.of(
                webSockets.wrap(
                    Scripted.on(
                            session ->
                                session.addMessageHandler(
                                    String.class,
                                    whole(
                                        text -> {
                                          off.inject(carrier);
                                          seen.add(text + " " + session.getClass());
                                        })))
                        .at("/s"))));
    Session session;
    try (Scope ignored =
        off.extract(Map.of("traceparent", TRACEPARENT, "baggage", "a=1")).makeCurrent()) {
      session = connect(webSockets, server, "/s", Scripted.on(s -> {}));
    }
    session.getBasicRemote().sendText("off");
    assertThat(take(seen)).startsWith("off ");
    assertThat(carrier).containsEntry("traceparent", TRACEPARENT).containsEntry("baggage", "a=1");
    session.close();

    Session bare = connect(webSockets, server, "/s", Scripted.on(s -> {}));
    bare.getBasicRemote().sendText("bare");
    assertThat(take(seen))
        .as("without a context the container's own session is the application's")
        .startsWith("bare ")
        .doesNotContain("throughline");
    bare.close();
  }

  @Test
  void anUpgradeThatIsRefusedFailsAsItDoesWithoutUs() throws Exception {
    Containers.Running server = serve(create(), Scripted.on(s -> {}).at("/s"));

    assertThatThrownBy(() -> connect(create(), server, "/nothing", Scripted.on(s -> {})))
        .isInstanceOf(jakarta.websocket.DeploymentException.class);

    SpanData span = telemetry.takeSpan();
    assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(attributes(span))
        .hasEntrySatisfying("error.type", type -> assertThat((String) type).contains("Deployment"))
        .doesNotContainKey("http.response.status_code");
  }

  // ---- what the tests are made of

  WebSocketTelemetry create() {
    return WebSocketTelemetry.create(telemetry.telemetry());
  }

  WebSocketTelemetryBuilder builder() {
    return WebSocketTelemetry.builder(telemetry.telemetry());
  }

  Context incoming() {
    return telemetry
        .telemetry()
        .extract(Map.of("traceparent", TRACEPARENT, "baggage", "customer_id=c1"));
  }

  Containers.Running serve(WebSocketTelemetry webSockets, ServerEndpointConfig endpoint)
      throws Exception {
    return start(List.of(webSockets.wrap(endpoint)));
  }

  Containers.Running start(List<ServerEndpointConfig> endpoints) throws Exception {
    Containers.Running server = containers().start(endpoints, null);
    running.add(server);
    return server;
  }

  WebSocketContainer client(WebSocketTelemetry webSockets) {
    Containers.Client client = containers().client();
    running.add(client);
    return webSockets.wrap(client.container());
  }

  Session connect(
      WebSocketTelemetry webSockets, Containers.Running server, String path, Scripted endpoint)
      throws Exception {
    return client(webSockets)
        .connectToServer(endpoint, ClientEndpointConfig.Builder.create().build(), server.uri(path));
  }

  void noteTrace(String call) {
    seen.add(call + " in " + Span.current().getSpanContext().getTraceId());
  }

  static <T> MessageHandler.Whole<T> whole(MessageHandler.Whole<T> handler) {
    return handler;
  }

  static ByteBuffer bytes(int length) {
    return ByteBuffer.wrap(new byte[length]);
  }

  static void send(Session session, String text) {
    try {
      session.getBasicRemote().sendText(text);
    } catch (java.io.IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void ping(Session session) {
    try {
      session.getBasicRemote().sendPing(ByteBuffer.wrap(new byte[4]));
    } catch (java.io.IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static <T> T take(BlockingQueue<T> queue) throws InterruptedException {
    T taken = queue.poll(10, TimeUnit.SECONDS);
    assertThat(taken).as("something came").isNotNull();
    return taken;
  }

  static Map<String, Object> attributes(SpanData span) {
    Map<String, Object> attributes = new HashMap<>();
    span.getAttributes().forEach((key, value) -> attributes.put(key.getKey(), value));
    return attributes;
  }

  static List<SpanData> sessions(List<SpanData> spans) {
    return spans.stream().filter(span -> span.getName().equals("websocket.session")).toList();
  }

  /** Both sides' sessions, by their side. */
  Map<String, SpanData> takeSessions() {
    Map<String, SpanData> bySide = new HashMap<>();
    for (SpanData span : telemetry.takeSpans(spans -> sessions(spans).size() == 2)) {
      bySide.put((String) attributes(span).get("throughline.websocket.side"), span);
    }
    assertThat(bySide).hasSize(2);
    return bySide;
  }

  List<SpanData> takeSessionsAndUpgrades() {
    return telemetry.takeSpans(spans -> spans.size() == 4 && sessions(spans).size() == 2);
  }

  private long activeSessions(long expected) {
    MetricData active =
        telemetry.metric(
            "throughline.websocket.sessions.active", metric -> sum(metric, "") == expected);
    return sum(active, "");
  }

  private long sum(String metric, String direction) {
    return sum(telemetry.metric(metric), direction);
  }

  private static long sum(MetricData metric, String direction) {
    return metric.getLongSumData().getPoints().stream()
        .filter(
            point -> direction.isEmpty() || point.getAttributes().asMap().containsValue(direction))
        .mapToLong(LongPointData::getValue)
        .sum();
  }
}
