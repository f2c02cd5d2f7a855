// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.CloseReason;
import jakarta.websocket.Decoder;
import jakarta.websocket.Encoder;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerEndpointConfig;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** A programmatic endpoint whose behaviour a test writes down. Public, as Jetty wants it. */
public final class Scripted extends Endpoint {

  Consumer<Session> onOpen = session -> {};
  BiConsumer<Session, CloseReason> onClose = (session, reason) -> {};
  BiConsumer<Session, Throwable> onError = (session, thrown) -> {};

  /** For Jetty, which wants it and does not call it. */
  public Scripted() {}

  static Scripted on(Consumer<Session> onOpen) {
    Scripted scripted = new Scripted();
    scripted.onOpen = onOpen;
    return scripted;
  }

  Scripted onClose(BiConsumer<Session, CloseReason> handler) {
    onClose = handler;
    return this;
  }

  Scripted onError(BiConsumer<Session, Throwable> handler) {
    onError = handler;
    return this;
  }

  /** A configuration whose endpoint is this one, for each session. */
  ServerEndpointConfig at(String path, String... subprotocols) {
    return at(path, List.of(), List.of(), subprotocols);
  }

  ServerEndpointConfig at(
      String path,
      List<Class<? extends Decoder>> decoders,
      List<Class<? extends Encoder>> encoders,
      String... subprotocols) {
    return ServerEndpointConfig.Builder.create(Scripted.class, path)
        .decoders(decoders)
        .encoders(encoders)
        .subprotocols(List.of(subprotocols))
        .configurator(
            new ServerEndpointConfig.Configurator() {
              @Override
              public <T> T getEndpointInstance(Class<T> type) {
                return type.cast(Scripted.this);
              }
            })
        .build();
  }

  @Override
  public void onOpen(Session session, EndpointConfig config) {
    onOpen.accept(session);
  }

  @Override
  public void onClose(Session session, CloseReason reason) {
    onClose.accept(session, reason);
  }

  @Override
  public void onError(Session session, Throwable thrown) {
    onError.accept(session, thrown);
  }
}
