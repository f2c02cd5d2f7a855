// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static dev.throughline.telemetry.websocket.WebSocketKit.attributes;
import static dev.throughline.telemetry.websocket.WebSocketKit.sessions;
import static dev.throughline.telemetry.websocket.WebSocketKit.take;
import static dev.throughline.telemetry.websocket.WebSocketKit.whole;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestConvention;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.trace.data.SpanData;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Where a server finds a context, on plain sockets of the JDK's client. */
class ContextSourcesTest {

  private static final String TRACE = WebSocketKit.TRACE;
  private static final String TRACEPARENT = WebSocketKit.TRACEPARENT;

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  private final List<Containers.Running> running = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    for (Containers.Running server : running) {
      server.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void headersOfAnyLengthAreTaken(Containers containers) throws Exception {
    Containers.Running server = serve(containers, b -> b, null);
    String baggage = "customer_id=c1,large=" + "x".repeat(containers.headerLimit());
    WebSocket socket =
        connect(
            server,
            "/s",
            builder -> builder.header("traceparent", TRACEPARENT).header("baggage", baggage));
    socket.sendText("hello", true);
    assertThat(take(seen)).endsWith("hello in " + TRACE);
    socket.abort();
    SpanData upgrade = telemetry.takeSpan();
    assertThat(upgrade.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(upgrade.getParentSpanContext().isRemote()).isTrue();
    assertThat(upgrade.getTraceId()).isEqualTo(TRACE);
    telemetry.takeSpan();
  }

  @ParameterizedTest
  @EnumSource
  void theQueryIsLookedAtOnDemand(Containers containers) throws Exception {
    String path = "/s?traceparent=" + TRACEPARENT + "&baggage=customer_id%3Dc%25C3%25A9%2B1";
    Containers.Running asked =
        serve(containers, builder -> builder.addContextSource(ContextSource.QUERY), null);
    WebSocket socket = connect(asked, path, builder -> builder);
    socket.sendText("hello", true);
    assertThat(take(seen)).isEqualTo("c\u00e9+1 hello in " + TRACE);
    socket.abort();
    List<SpanData> spans = telemetry.takeSpans(2);
    assertThat(spans).allMatch(span -> span.getTraceId().equals(TRACE));
    assertThat(spans.toString()).contains("traceparent=REDACTED&baggage=REDACTED");

    Containers.Running unasked = serve(containers, builder -> builder, null);
    WebSocket other = connect(unasked, path, builder -> builder);
    other.sendText("hello", true);
    assertThat(take(seen)).startsWith("null hello in ").doesNotContain(TRACE);
    other.abort();
    telemetry.takeSpans(2);
  }

  @Test
  void headersComeBeforeTheQuery() throws Exception {
    Containers.Running server =
        serve(Containers.JETTY, builder -> builder.addContextSource(ContextSource.QUERY), null);
    WebSocket socket =
        connect(
            server,
            "/s?traceparent=" + TRACEPARENT.replace('4', '5'),
            builder -> builder.header("traceparent", TRACEPARENT));
    socket.abort();
    assertThat(telemetry.takeSpans(2)).allMatch(span -> span.getTraceId().equals(TRACE));
  }

  @ParameterizedTest
  @EnumSource
  void aSubProtocolCarriesTheTraceOnDemand(Containers containers) throws Exception {
    Containers.Running server =
        serve(containers, builder -> builder.addContextSource(ContextSource.SUB_PROTOCOL), null);
    WebSocket alone =
        connect(server, "/s", builder -> builder.subprotocols("traceparent." + TRACEPARENT));
    assertThat(alone.getSubprotocol())
        .as("a browser wants one of its protocols taken")
        .isEqualTo("traceparent." + TRACEPARENT);
    alone.sendText("hello", true);
    assertThat(take(seen)).isEqualTo("null hello in " + TRACE);
    alone.abort();
    telemetry.takeSpans(2);

    WebSocket named =
        connect(
            server, "/s", builder -> builder.subprotocols("traceparent." + TRACEPARENT, "chat"));
    assertThat(named.getSubprotocol()).isEqualTo("chat");
    named.sendText("hello", true);
    assertThat(take(seen)).isEqualTo("null hello in " + TRACE);
    named.abort();
    telemetry.takeSpans(2);
  }

  @ParameterizedTest
  @EnumSource
  void aFirstMessageCarriesTheContextOnDemand(Containers containers) throws Exception {
    Containers.Running server =
        serve(containers, builder -> builder.addContextSource(ContextSource.FIRST_MESSAGE), null);
    WebSocket socket = connect(server, "/s", builder -> builder);
    SpanData upgrade = telemetry.takeSpan();
    assertThat(upgrade.getTraceId()).isNotEqualTo(TRACE);
    send(socket, "traceparent:" + TRACEPARENT + "\nbaggage:customer_id=c1");
    send(socket, "hello");
    assertThat(take(seen)).isEqualTo("c1 hello in " + TRACE);
    send(socket, "traceparent:" + TRACEPARENT);
    assertThat(take(seen)).as("a second one is a message").contains("traceparent:");
    socket.abort();
    SpanData session = telemetry.takeSpan();
    assertThat(session.getLinks())
        .anySatisfy(link -> assertThat(link.getSpanContext().getTraceId()).isEqualTo(TRACE));
    assertThat(attributes(session)).containsEntry("throughline.websocket.messages.received", 3L);

    for (String ordinary : List.of("first", "traceparent:garbage\nno field", "")) {
      WebSocket other = connect(server, "/s", builder -> builder);
      send(other, ordinary);
      assertThat(take(seen)).startsWith("null " + ordinary + " in ");
      other.abort();
      telemetry.takeSpans(2);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFirstMessageIsTakenWhereTheApplicationTakesNoText(Containers containers) throws Exception {
    WebSocketTelemetry webSockets =
        WebSocketTelemetry.builder(telemetry.telemetry())
            .addContextSource(ContextSource.FIRST_MESSAGE)
            .build();
    Containers.Running server =
        start(
            containers,
            webSockets.wrap(
                Scripted.on(
                        session ->
                            session.addMessageHandler(
                                ByteBuffer.class,
                                whole(bytes -> noteTrace("bytes " + bytes.remaining()))))
                    .at("/s")),
            null);
    WebSocket socket = connect(server, "/s", builder -> builder);
    send(socket, "traceparent:" + TRACEPARENT);
    socket.sendBinary(ByteBuffer.wrap(new byte[4]), true).get(10, TimeUnit.SECONDS);
    assertThat(take(seen)).isEqualTo("bytes 4 in " + TRACE);
    socket.abort();
    telemetry.takeSpans(2);
  }

  @Test
  void atAPublicEdgeWhatComesInIsALink() throws Exception {
    Containers.Running server =
        serve(
            Containers.JETTY,
            builder -> builder.setPublicEdge(true).addContextSource(ContextSource.FIRST_MESSAGE),
            null);
    WebSocket socket =
        connect(
            server,
            "/s",
            builder ->
                builder
                    .header("traceparent", TRACEPARENT)
                    .header("baggage", "customer_id=c1")
                    .header(Envelope.HEADER, "1"));
    SpanData upgrade = telemetry.takeSpan();
    assertThat(upgrade.getTraceId()).isNotEqualTo(TRACE);
    assertThat(upgrade.getLinks())
        .singleElement()
        .satisfies(link -> assertThat(link.getSpanContext().getTraceId()).isEqualTo(TRACE));
    send(
        socket, Envelope.of("traceparent:" + TRACEPARENT + "\nbaggage:customer_id=c2\n") + "hello");
    assertThat(take(seen)).startsWith("null hello in ").doesNotContain(TRACE);
    SpanData message = telemetry.takeSpan();
    assertThat(message.getKind()).isEqualTo(SpanKind.CONSUMER);
    assertThat(message.getLinks())
        .extracting(link -> link.getSpanContext().getTraceId())
        .contains(TRACE);
    socket.abort();
    telemetry.takeSpan();

    WebSocket first = connect(server, "/s", builder -> builder);
    send(first, "traceparent:" + TRACEPARENT);
    send(first, "hello");
    assertThat(take(seen)).startsWith("null hello in ").doesNotContain(TRACE);
    first.abort();
    List<SpanData> spans = telemetry.takeSpans(2);
    assertThat(sessions(spans).get(0).getLinks())
        .anySatisfy(link -> assertThat(link.getSpanContext().getTraceId()).isEqualTo(TRACE));
  }

  @ParameterizedTest
  @EnumSource(names = {"JETTY", "TOMCAT"})
  void aServersOwnSpanOfTheRequestIsTheUpgrades(Containers containers) throws Exception {
    Containers.Running server =
        serve(
            containers, builder -> builder.addContextSource(ContextSource.QUERY), servletFilter());
    WebSocket socket = connect(server, "/s", builder -> builder.header("traceparent", TRACEPARENT));
    socket.sendText("hello", true);
    assertThat(take(seen)).isEqualTo("null hello in " + TRACE);
    SpanData request = telemetry.takeSpan();
    assertThat(request.getName()).isEqualTo("filtered");
    socket.abort();
    SpanData session = telemetry.takeSpan();
    assertThat(session.getParentSpanId()).isEqualTo(request.getSpanId());

    WebSocket queried = connect(server, "/s?traceparent=" + TRACEPARENT, builder -> builder);
    queried.sendText("hello", true);
    assertThat(take(seen)).isEqualTo("null hello in " + TRACE);
    SpanData filtered = telemetry.takeSpan();
    assertThat(filtered.getTraceId()).isNotEqualTo(TRACE);
    assertThat(filtered.getLinks())
        .singleElement()
        .satisfies(link -> assertThat(link.getSpanContext().getTraceId()).isEqualTo(TRACE));
    queried.abort();
    assertThat(telemetry.takeSpan().getTraceId()).isEqualTo(TRACE);
  }

  @ParameterizedTest
  @EnumSource
  void aConfiguratorAloneRecordsTheUpgrade(Containers containers) throws Exception {
    WebSocketTelemetry webSockets = WebSocketTelemetry.create(telemetry.telemetry());
    ServerEndpointConfig programmatic =
        ServerEndpointConfig.Builder.create(Echo.class, "/echo")
            .configurator(webSockets.createConfigurator())
            .build();
    Containers.Running server = start(containers, programmatic, null);
    WebSocket socket =
        connect(
            server,
            "/echo",
            builder -> builder.header("traceparent", TRACEPARENT).header(Envelope.HEADER, "1"));
    send(socket, Envelope.EMPTY + "hello");
    assertThat(take(Echo.SEEN)).as("no envelope was agreed on").isEqualTo(Envelope.EMPTY + "hello");
    socket.abort();
    SpanData upgrade = telemetry.takeSpan();
    assertThat(upgrade.getName()).endsWith("/echo");
    assertThat(upgrade.getTraceId()).isEqualTo(TRACE);
  }

  /** Made by the container's default configurator. */
  public static final class Echo extends jakarta.websocket.Endpoint {

    static final BlockingQueue<String> SEEN = new LinkedBlockingQueue<>();

    /** For the container. */
    public Echo() {}

    @Override
    public void onOpen(jakarta.websocket.Session session, jakarta.websocket.EndpointConfig config) {
      session.addMessageHandler(String.class, whole(SEEN::add));
    }
  }

  /** What telemetry-http's filter does: it has a request of its own in the context. */
  private Filter servletFilter() {
    RequestInstrumenter<HttpServletRequest, Object> requests =
        telemetry.telemetry().instrumenter("test", new Served()).build();
    return (request, response, chain) -> {
      InstrumentedRequest<HttpServletRequest, Object> started =
          requests.start(Context.current(), (HttpServletRequest) request);
      try (Scope ignored = started.makeCurrent()) {
        chain.doFilter(request, response);
      } finally {
        started.end(null, null);
      }
    };
  }

  private static final class Served implements RequestConvention<HttpServletRequest, Object> {

    @Override
    public SpanKind kind() {
      return SpanKind.SERVER;
    }

    @Override
    public String spanName(HttpServletRequest request) {
      return "filtered";
    }

    @Override
    public void onStart(AttributeSink attributes, HttpServletRequest request) {}

    @Override
    public void onEnd(
        AttributeSink attributes, HttpServletRequest request, Object response, Throwable error) {}

    @Override
    public String errorType(HttpServletRequest request, Object response, Throwable error) {
      return null;
    }

    @Override
    public Attributes durationAttributes(
        HttpServletRequest request, Object response, Throwable error) {
      return Attributes.empty();
    }

    @Override
    public TextMapGetter<HttpServletRequest> requestGetter() {
      return new HeaderGetter<>() {
        @Override
        protected List<String> lines(HttpServletRequest request, String name) {
          return Collections.list(request.getHeaders(name));
        }
      };
    }
  }

  private Containers.Running serve(
      Containers containers, UnaryOperator<WebSocketTelemetryBuilder> settings, Filter filter)
      throws Exception {
    WebSocketTelemetry webSockets =
        settings.apply(WebSocketTelemetry.builder(telemetry.telemetry())).build();
    return start(
        containers,
        webSockets.wrap(
            Scripted.on(
                    session ->
                        session.addMessageHandler(
                            String.class,
                            whole(
                                text ->
                                    noteTrace(
                                        ActiveSpan.currentBaggage("customer_id") + " " + text))))
                .at("/s", "chat")),
        filter);
  }

  private Containers.Running start(
      Containers containers, ServerEndpointConfig config, Filter filter) throws Exception {
    Containers.Running server = containers.start(List.of(config), filter);
    running.add(server);
    return server;
  }

  private static WebSocket connect(
      Containers.Running server, String path, UnaryOperator<WebSocket.Builder> settings)
      throws Exception {
    return settings
        .apply(HttpClient.newHttpClient().newWebSocketBuilder())
        .buildAsync(server.uri(path), new WebSocket.Listener() {})
        .get(10, TimeUnit.SECONDS);
  }

  private static void send(WebSocket socket, String text) throws Exception {
    socket.sendText(text, true).get(10, TimeUnit.SECONDS);
  }

  private void noteTrace(String call) {
    seen.add(call + " in " + Span.current().getSpanContext().getTraceId());
  }
}
