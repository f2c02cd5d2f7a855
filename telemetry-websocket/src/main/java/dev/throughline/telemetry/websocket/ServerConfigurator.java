// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import jakarta.websocket.Endpoint;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records upgrades right before they are answered, and makes the endpoints that are traced. */
final class ServerConfigurator extends ForwardingConfigurator {

  private final Sockets sockets;
  private final @Nullable Class<?> endpointClass;
  private final String path;

  /**
   * @param configurator the application's; null if it has none
   * @param endpointClass the application's, in the place of which stands a traced one; null if the
   *     container has the application's class, and upgrades are all that is seen
   * @param path of the endpoint, a template
   */
  private ServerConfigurator(
      Sockets sockets,
      ServerEndpointConfig.@Nullable Configurator configurator,
      @Nullable Class<?> endpointClass,
      String path) {
    super(configurator == null ? new ServerEndpointConfig.Configurator() : configurator);
    this.sockets = sockets;
    this.endpointClass = endpointClass;
    this.path = path;
  }

  /** Records upgrades alone. */
  static ServerEndpointConfig.Configurator of(Sockets sockets) {
    return new ServerConfigurator(sockets, null, null, "");
  }

  /** Puts traced endpoints in the place of those of the application. */
  static ServerEndpointConfig wrap(Sockets sockets, ServerEndpointConfig config) {
    if (config instanceof ForwardingServerConfig) {
      return config;
    }
    Class<?> type = config.getEndpointClass();
    if (!Endpoint.class.isAssignableFrom(type)) {
      // Tells at once what can't be called.
      AnnotatedMethods.of(type);
    }
    return new ForwardingServerConfig(
        config,
        Endpoints.Traced.class,
        new ServerConfigurator(sockets, config.getConfigurator(), type, config.getPath()));
  }

  static ServerEndpointConfig wrap(Sockets sockets, Class<?> type) {
    ServerEndpoint annotation = type.getAnnotation(ServerEndpoint.class);
    if (annotation == null) {
      throw new IllegalArgumentException(type.getName() + " has no annotation ServerEndpoint");
    }
    ServerEndpointConfig.Builder config =
        ServerEndpointConfig.Builder.create(type, annotation.value())
            .decoders(List.of(annotation.decoders()))
            .encoders(List.of(annotation.encoders()))
            .subprotocols(List.of(annotation.subprotocols()));
    if (annotation.configurator() != ServerEndpointConfig.Configurator.class) {
      config.configurator(AnnotatedMethods.instance(annotation.configurator()));
    }
    return wrap(sockets, config.build());
  }

  @Override
  public void modifyHandshake(
      ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
    Upgrade upgrade = upgrade(config, request);
    if (upgrade == null) {
      super.modifyHandshake(config, request, response);
      return;
    }
    InstrumentedRequest<Upgrade, Upgrade> started = sockets.serve(upgrade);
    Throwable thrown = null;
    try (Scope ignored = upgrade.context.makeCurrent()) {
      super.modifyHandshake(config, request, response);
      upgrade.status = Upgrade.SWITCHING_PROTOCOLS;
      if (endpointClass != null) {
        agree(config, upgrade, response);
      }
    } catch (Throwable t) {
      thrown = t;
      upgrade.status = 500;
      throw t;
    } finally {
      if (started != null) {
        started.end(upgrade, thrown);
      }
    }
  }

  private @Nullable Upgrade upgrade(ServerEndpointConfig config, HandshakeRequest request) {
    try {
      URI uri = request.getRequestURI();
      String query = request.getQueryString();
      if (uri.getRawQuery() == null && query != null && !query.isEmpty()) {
        uri = new URI(uri + "?" + query);
      }
      return Upgrade.received(uri, config.getPath(), request.getHeaders(), sockets.sources);
    } catch (Throwable t) {
      sockets.guard.caught("HandshakeRequest", t);
      return null;
    }
  }

  private void agree(ServerEndpointConfig config, Upgrade upgrade, HandshakeResponse response) {
    try {
      if (sockets.enabled && Envelope.VERSION.equals(upgrade.header(Envelope.HEADER))) {
        response.getHeaders().put(Envelope.HEADER, List.of(Envelope.VERSION));
        upgrade.envelopes = true;
      }
      config.getUserProperties().put(Endpoints.UPGRADE, upgrade);
    } catch (Throwable t) {
      sockets.guard.caught("HandshakeResponse", t);
    }
  }

  @Override
  public String getNegotiatedSubprotocol(List<String> supported, List<String> requested) {
    if (!sockets.enabled) {
      return super.getNegotiatedSubprotocol(supported, requested);
    }
    return Protocols.answer(
        super.getNegotiatedSubprotocol(supported, Protocols.applications(requested)),
        requested,
        endpointClass != null,
        sockets.sources.contains(ContextSource.SUB_PROTOCOL));
  }

  /** What containers take for an instance of their class they call as an {@link Endpoint}. */
  @Override
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  public <T> T getEndpointInstance(Class<T> type) throws InstantiationException {
    Class<?> wrapped = endpointClass;
    if (wrapped == null) {
      return super.getEndpointInstance(type);
    }
    Object instance = super.getEndpointInstance(wrapped);
    return (T)
        new Endpoints.Traced(
            sockets,
            instance instanceof Endpoint endpoint
                ? endpoint
                : new AnnotatedEndpoint(instance, AnnotatedMethods.of(wrapped), path),
            null,
            null);
  }
}
