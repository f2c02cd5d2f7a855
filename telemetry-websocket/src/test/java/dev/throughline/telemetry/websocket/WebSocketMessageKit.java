// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.MessageKit;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Text messages from a client to a server, and the other way. */
abstract class WebSocketMessageKit extends MessageKit {

  /** The server; and the client, unless it is the JDK's. */
  abstract Containers containers();

  boolean jdkClient() {
    return false;
  }

  boolean fromServer() {
    return false;
  }

  @Override
  protected String sendName() {
    return "websocket.send";
  }

  @Override
  protected String receiveName() {
    return "websocket.receive";
  }

  @Override
  protected List<Hook> hooks() {
    return List.of(
        new Hook(
            "MessageFilter.test",
            exchange(
                    telemetry ->
                        open(
                            new Setup(telemetry, true, this::noteOrThrow),
                            (sent, text, bytes) -> {
                              throw new IllegalStateException("of the filter");
                            }))
                ::run));
  }

  private void noteOrThrow(String message) {
    note(message);
    if (message.equals("bad")) {
      throw new IllegalStateException("of the receiver");
    }
  }

  @Override
  protected Channel open(Setup setup) throws Exception {
    return open(setup, (sent, text, bytes) -> setup.traced());
  }

  private Channel open(Setup setup, MessageFilter filter) throws Exception {
    WebSocketTelemetry telemetry = telemetry(setup.telemetry(), filter);
    BlockingQueue<Session> accepted = new LinkedBlockingQueue<>();
    ServerEndpointConfig config =
        ServerEndpointConfig.Builder.create(KitEndpoint.class, "/kit/{name}")
            .configurator(
                new ServerEndpointConfig.Configurator() {
                  @Override
                  public <T> T getEndpointInstance(Class<T> type) {
                    return type.cast(new KitEndpoint(accepted, setup.receiver()));
                  }
                })
            .build();
    Containers.Running server =
        containers().start(List.of(telemetry == null ? config : telemetry.wrap(config)), null);
    return jdkClient()
        ? jdkChannel(telemetry, server, accepted, setup.receiver())
        : channel(telemetry, server, accepted, setup.receiver());
  }

  private static WebSocketTelemetry telemetry(Telemetry telemetry, MessageFilter filter) {
    return telemetry == null
        ? null
        : WebSocketTelemetry.builder(telemetry).setMessageSpans(filter).build();
  }

  private Channel channel(
      WebSocketTelemetry telemetry,
      Containers.Running server,
      BlockingQueue<Session> accepted,
      Receiver receiver)
      throws Exception {
    Containers.Client client = containers().client();
    WebSocketContainer container =
        telemetry == null ? client.container() : telemetry.wrap(client.container());
    BlockingQueue<Session> opened = new LinkedBlockingQueue<>();
    container.connectToServer(
        new KitEndpoint(opened, receiver),
        ClientEndpointConfig.Builder.create().build(),
        server.uri("/kit/one"));
    Session near = opened.poll(10, TimeUnit.SECONDS);
    Session far = accepted.poll(10, TimeUnit.SECONDS);
    return new Channel() {
      @Override
      public void send(String message) throws Exception {
        (fromServer() ? far : near).getBasicRemote().sendText(message);
      }

      @Override
      public void close() throws Exception {
        near.close();
        client.close();
        server.close();
      }
    };
  }

  private Channel jdkChannel(
      WebSocketTelemetry telemetry,
      Containers.Running server,
      BlockingQueue<Session> accepted,
      Receiver receiver)
      throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    WebSocket.Builder builder =
        telemetry == null ? client.newWebSocketBuilder() : telemetry.newBuilder(client);
    WebSocket near =
        builder
            .buildAsync(
                server.uri("/kit/one"),
                new WebSocket.Listener() {

                  private final StringBuilder message = new StringBuilder();

                  @Override
                  public CompletionStage<?> onText(
                      WebSocket webSocket, CharSequence part, boolean last) {
                    message.append(part);
                    webSocket.request(1);
                    if (last) {
                      String whole = message.toString();
                      message.setLength(0);
                      receiver.receive(whole);
                    }
                    return null;
                  }
                })
            .get(10, TimeUnit.SECONDS);
    Session far = accepted.poll(10, TimeUnit.SECONDS);
    return new Channel() {
      @Override
      public void send(String message) throws Exception {
        if (fromServer()) {
          far.getBasicRemote().sendText(message);
        } else {
          near.sendText(message, true).get(10, TimeUnit.SECONDS);
        }
      }

      @Override
      public void close() throws Exception {
        near.abort();
        server.close();
      }
    };
  }

  /** Hands what comes in to the kit. Public and constructable, as Jetty wants it. */
  public static final class KitEndpoint extends Endpoint {

    private final BlockingQueue<Session> sessions;
    private final MessageKit.Receiver receiver;

    public KitEndpoint() {
      throw new IllegalStateException("made by the configurator");
    }

    KitEndpoint(BlockingQueue<Session> sessions, MessageKit.Receiver receiver) {
      this.sessions = sessions;
      this.receiver = receiver;
    }

    @Override
    public void onOpen(Session session, EndpointConfig config) {
      session.addMessageHandler(String.class, (MessageHandler.Whole<String>) receiver::receive);
      sessions.add(session);
    }
  }
}
