// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.context.Context;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.CloseReason;
import jakarta.websocket.DecodeException;
import jakarta.websocket.Decoder;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.ServerEndpointConfig;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What containers, the JDK and OpenTelemetry throw at us is not thrown at the application. */
class GuardsTest {

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  private final List<String> calls = new ArrayList<>();

  @AfterEach
  void takeSpans() {
    telemetry.takeSpans(all -> true);
  }

  @Test
  void aRequestThatCannotBeReadIsUpgraded() {
    ServerEndpointConfig config = wrapped();
    config
        .getConfigurator()
        .modifyHandshake(
            config,
            throwing(HandshakeRequest.class, "getRequestURI", Map.of()),
            throwing(HandshakeResponse.class, "none", Map.of()));
    assertThat(calls).containsExactly("modifyHandshake");
    telemetry.expectWarn("HandshakeRequest threw");
  }

  @Test
  void aSessionThatIsClosedAlreadyIsTheContainers() {
    Session closed = throwing(Session.class, "getUserProperties", Map.of());
    assertThat(Endpoints.traced(closed)).isSameAs(closed);
  }

  @Test
  void anAnswerThatCannotBeWrittenIsSent() {
    ServerEndpointConfig config = wrapped();
    config
        .getConfigurator()
        .modifyHandshake(
            config,
            throwing(
                HandshakeRequest.class,
                "none",
                Map.of(
                    "getRequestURI",
                    URI.create("/s"),
                    "getHeaders",
                    Map.of(Envelope.HEADER, List.of("1")))),
            throwing(HandshakeResponse.class, "getHeaders", Map.of()));
    assertThat(calls).containsExactly("modifyHandshake");
    telemetry.expectWarn("HandshakeResponse threw");
  }

  @Test
  void aSessionThatTellsNothingIsTheContainersOwn() throws Exception {
    Session session =
        throwing(Session.class, "getNegotiatedSubprotocol", Map.of("getUserProperties", Map.of()));
    Endpoint endpoint = endpoint(wrapped());
    endpoint.onOpen(session, ClientEndpointConfig.Builder.create().build());
    endpoint.onError(session, new IllegalStateException());
    endpoint.onClose(session, new CloseReason(CloseReason.CloseCodes.NORMAL_CLOSURE, ""));
    assertThat(calls).containsExactly("onOpen Session", "onError", "onClose 1000");
    telemetry.expectWarn("Session threw");
  }

  @Test
  void aContainerThatTakesNoHandlerOfOursKeepsTheApplications() throws Exception {
    Session session =
        throwing(
            Session.class,
            "addMessageHandler",
            Map.of(
                "getUserProperties", new HashMap<>(), "getRequestURI", URI.create("ws://host/s")));
    ServerEndpointConfig config =
        WebSocketTelemetry.builder(telemetry.telemetry())
            .addContextSource(ContextSource.FIRST_MESSAGE)
            .build()
            .wrap(plain());
    Endpoint endpoint = endpoint(config);
    endpoint.onOpen(session, config);
    endpoint.onClose(session, new CloseReason(CloseReason.CloseCodes.NORMAL_CLOSURE, ""));
    assertThat(calls).containsExactly("onOpen Session", "onClose 1000");
    telemetry.expectWarn("Session.addMessageHandler threw");
  }

  @Test
  void aDecoderThatFailsAtTheEndEndsNothingElse() throws Exception {
    Session session =
        throwing(
            Session.class,
            "none",
            Map.of(
                "getUserProperties", new HashMap<>(), "getRequestURI", URI.create("ws://host/s")));
    ServerEndpointConfig config =
        WebSocketTelemetry.create(telemetry.telemetry())
            .wrap(
                Scripted.on(
                        opened ->
                            opened.addMessageHandler(
                                Number.class, (MessageHandler.Whole<Number>) number -> {}))
                    .at("/s", List.of(Undestroyable.class), List.of()));
    Endpoint endpoint = endpoint(config);
    endpoint.onOpen(session, config);
    endpoint.onClose(session, new CloseReason(CloseReason.CloseCodes.NORMAL_CLOSURE, ""));
    telemetry.expectWarn("Decoder.destroy threw");
  }

  /** Throws when it is done with. */
  public static final class Undestroyable implements Decoder.Text<Number> {

    /** For us. */
    public Undestroyable() {}

    @Override
    public Number decode(String text) throws DecodeException {
      return 1;
    }

    @Override
    public boolean willDecode(String text) {
      return true;
    }

    @Override
    public void init(EndpointConfig config) {}

    @Override
    public void destroy() {
      throw new IllegalStateException("of the decoder");
    }
  }

  @Test
  void headersThatCannotBeTouchedGoOutAndComeInAsTheyAre() throws Exception {
    Session session = throwing(Session.class, "none", Map.of("getUserProperties", new HashMap<>()));
    WebSocketContainer bare =
        (WebSocketContainer)
            Proxy.newProxyInstance(
                WebSocketContainer.class.getClassLoader(),
                new Class<?>[] {WebSocketContainer.class},
                (proxy, method, arguments) -> connect(session, arguments));
    WebSocketTelemetry.builder(telemetry.telemetry())
        .setMessageSpans(WebSocketKit.ALL)
        .build()
        .wrap(bare)
        .connectToServer(
            new Noting(),
            ClientEndpointConfig.Builder.create()
                .configurator(
                    new ClientEndpointConfig.Configurator() {
                      @Override
                      public void beforeRequest(Map<String, List<String>> headers) {
                        calls.add("beforeRequest");
                      }

                      @Override
                      public void afterResponse(HandshakeResponse response) {
                        calls.add("afterResponse");
                      }
                    })
                .build(),
            URI.create("ws://host/s"));
    assertThat(calls)
        .containsExactly("beforeRequest", "afterResponse", "onOpen Session", "onClose 1000");
    telemetry.expectWarn("ClientEndpointConfig.Configurator.beforeRequest threw");
    telemetry.expectWarn("ClientEndpointConfig.Configurator.afterResponse threw");
  }

  /** A container whose headers nobody can change or read. */
  private static Session connect(Session session, Object[] arguments) {
    Endpoint endpoint = (Endpoint) arguments[0];
    ClientEndpointConfig config = (ClientEndpointConfig) arguments[1];
    config.getConfigurator().beforeRequest(Map.of());
    config
        .getConfigurator()
        .afterResponse(throwing(HandshakeResponse.class, "getHeaders", Map.of()));
    endpoint.onOpen(session, config);
    endpoint.onClose(session, new CloseReason(CloseReason.CloseCodes.NORMAL_CLOSURE, ""));
    return session;
  }

  @Test
  void aBuilderThatRefusesAHeaderBuildsWithoutIt() throws Exception {
    WebSocket socket = throwing(WebSocket.class, "none", Map.of("getSubprotocol", ""));
    Sockets sockets = new Sockets(WebSocketTelemetry.builder(telemetry.telemetry()));
    WebSocket built =
        new JdkBuilder(
                sockets,
                () ->
                    throwing(
                        WebSocket.Builder.class,
                        "header",
                        Map.of("buildAsync", CompletableFuture.completedFuture(socket))))
            .buildAsync(URI.create("ws://host/s"), new WebSocket.Listener() {})
            .get(10, TimeUnit.SECONDS);
    assertThat(built).isInstanceOf(JdkSocket.class);
    built.abort();
    telemetry.expectWarn("WebSocket.Builder.header threw");
  }

  @Test
  void aStageThatCannotBeWaitedForIsHandedBack() {
    CompletionStage<?> stage = throwing(CompletionStage.class, "whenComplete", Map.of());
    Sockets sockets =
        new Sockets(
            WebSocketTelemetry.builder(telemetry.telemetry()).setMessageSpans(WebSocketKit.ALL));
    WebSocket socket = throwing(WebSocket.class, "none", Map.of("getSubprotocol", ""));
    JdkListener listener =
        new JdkListener(
            sockets,
            Upgrade.sent(URI.create("ws://host/s")),
            null,
            new WebSocket.Listener() {
              @Override
              public CompletionStage<?> onText(WebSocket webSocket, CharSequence text, boolean l) {
                return stage;
              }
            });
    listener.onOpen(socket);
    assertThat((Object) listener.onText(socket, "text", true)).isSameAs(stage);
    listener.onClose(socket, 1000, "");
    telemetry.expectWarn("CompletionStage.whenComplete threw");
  }

  @Test
  void whatOpenTelemetryThrowsIsCaught() {
    Sockets sockets = new Sockets(WebSocketTelemetry.builder(telemetry.telemetry()));
    Span span = throwing(Span.class, "addLink", Map.of("getSpanContext", SpanContext.getInvalid()));
    Context parent = Context.root().with(span);
    Context joined =
        sockets.join(
            parent,
            new SocketMessage.Enveloped(
                MessageType.TEXT,
                Envelope.Fields.parse("traceparent:" + WebSocketKit.TRACEPARENT + "\n")),
            SocketMessage.GETTER);
    assertThat(Span.fromContext(joined).getSpanContext().isRemote()).isTrue();
    telemetry.expectWarn("Span.addLink threw");

    Sockets extracting = over("extract");
    Context root = Context.root();
    assertThat(extracting.join(root, new SocketMessage(MessageType.TEXT), SocketMessage.GETTER))
        .isSameAs(root);
    Upgrade upgrade =
        Upgrade.received(
            URI.create("/s?traceparent=" + WebSocketKit.TRACEPARENT),
            "/s",
            Map.of(),
            Set.of(ContextSource.QUERY));
    assertThat(extracting.guard.hitsByModule()).containsEntry(WebSocketTelemetry.SCOPE, 1L);
    assertThat(upgrade.foundElsewhere()).isTrue();
    telemetry.expectWarn("TextMapGetter.get threw");

    Sockets counting = over("add");
    counting.countSession(1, Attributes.empty(), root);
    counting.countMessage(1, 1, Attributes.empty(), root);
    counting.countFault(Attributes.empty(), root);
    assertThat(counting.guard.hits()).isEqualTo(3);
    telemetry.expectWarn("LongUpDownCounter.add threw");
    telemetry.expectWarn("LongCounter.add threw");
  }

  private static Sockets over(String method) {
    return new Sockets(
        WebSocketTelemetry.builder(
            Telemetry.of(
                throwing(
                    OpenTelemetry.class, method, Map.of("fields", List.of(), "isEnabled", true)))));
  }

  private ServerEndpointConfig wrapped() {
    return WebSocketTelemetry.create(telemetry.telemetry()).wrap(plain());
  }

  private ServerEndpointConfig plain() {
    return ServerEndpointConfig.Builder.create(Noting.class, "/s")
        .configurator(
            new ServerEndpointConfig.Configurator() {
              @Override
              public <T> T getEndpointInstance(Class<T> type) {
                return type.cast(new Noting());
              }

              @Override
              public void modifyHandshake(
                  ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse answer) {
                calls.add("modifyHandshake");
              }
            })
        .build();
  }

  private static Endpoint endpoint(ServerEndpointConfig config) throws Exception {
    return config.getConfigurator().getEndpointInstance(Endpoints.Traced.class);
  }

  private final class Noting extends Endpoint {
    @Override
    public void onOpen(Session session, EndpointConfig config) {
      calls.add("onOpen " + session);
    }

    @Override
    public void onError(Session session, Throwable thrown) {
      calls.add("onError");
    }

    @Override
    public void onClose(Session session, CloseReason reason) {
      calls.add("onClose " + reason.getCloseCode().getCode());
    }
  }

  /**
   * Something whose method of this name throws.
   *
   * @param answers of its other methods, and those of what they answer; else another such where
   *     that is an interface of the same library, or nothing
   */
  private static <T> T throwing(Class<T> type, String throwing, Map<String, ?> answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader() == null
                ? GuardsTest.class.getClassLoader()
                : type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              if (method.getName().equals(throwing)) {
                throw new UnsupportedOperationException(throwing);
              }
              if (answers.containsKey(method.getName())) {
                return answers.get(method.getName());
              }
              if (method.getName().equals("storeInContext")) {
                return InvocationHandler.invokeDefault(proxy, method, arguments);
              }
              return answer(
                  proxy, type, method.getReturnType(), method.getName(), throwing, answers);
            }));
  }

  private static Object answer(
      Object proxy,
      Class<?> type,
      Class<?> returned,
      String method,
      String throwing,
      Map<String, ?> answers) {
    if (returned == boolean.class) {
      return false;
    }
    if (returned == int.class) {
      return 0;
    }
    if (returned == String.class) {
      return method.equals("toString") ? type.getSimpleName() : null;
    }
    if (returned.isInstance(proxy)) {
      return proxy;
    }
    return returned.isInterface() && returned.getPackageName().startsWith("io.opentelemetry")
        ? throwing(returned, throwing, answers)
        : null;
  }
}
