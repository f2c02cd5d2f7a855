// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
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
  private final @Nullable ServerEndpointConfig applications;

  /**
   * @param applications configures the endpoint, in the place of which stands a traced one; null if
   *     the container has the application's class, and upgrades are all that is seen
   * @param configurator the application's
   */
  private ServerConfigurator(
      Sockets sockets,
      @Nullable ServerEndpointConfig applications,
      ServerEndpointConfig.Configurator configurator) {
    super(configurator);
    this.sockets = sockets;
    this.applications = applications;
  }

  /** Records upgrades alone. */
  static ServerEndpointConfig.Configurator of(Sockets sockets) {
    return new ServerConfigurator(sockets, null, new ServerEndpointConfig.Configurator());
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
    ServerEndpointConfig.Configurator applications = config.getConfigurator();
    return new ForwardingServerConfig(
        config,
        Endpoints.Traced.class,
        new ServerConfigurator(
            sockets,
            config,
            applications == null ? new ServerEndpointConfig.Configurator() : applications),
        config);
  }

  /**
   * The application's configuration behind the one that a container has, which may be a copy with
   * properties of its own.
   */
  static EndpointConfig applications(EndpointConfig containers) {
    if (!(containers instanceof ServerEndpointConfig server)
        || !(server.getConfigurator() instanceof ServerConfigurator ours)
        || ours.applications == null) {
      return containers;
    }
    ServerEndpointConfig config = ours.applications;
    return containers instanceof ForwardingServerConfig
        ? config
        : new ForwardingServerConfig(
            config, config.getEndpointClass(), config.getConfigurator(), containers);
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
    ServerEndpointConfig shown = (ServerEndpointConfig) applications(config);
    Upgrade upgrade = upgrade(config, request);
    if (upgrade == null) {
      super.modifyHandshake(shown, request, response);
      return;
    }
    InstrumentedRequest<Upgrade, Upgrade> started = sockets.serve(upgrade);
    Throwable thrown = null;
    try (Scope ignored = upgrade.context.makeCurrent()) {
      super.modifyHandshake(shown, request, response);
      upgrade.status = Upgrade.SWITCHING_PROTOCOLS;
      if (applications != null) {
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
        applications != null,
        sockets.sources.contains(ContextSource.SUB_PROTOCOL));
  }

  /** What containers take for an instance of their class they call as an {@link Endpoint}. */
  @Override
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  public <T> T getEndpointInstance(Class<T> type) throws InstantiationException {
    if (applications == null) {
      return super.getEndpointInstance(type);
    }
    Class<?> wrapped = applications.getEndpointClass();
    Object instance = super.getEndpointInstance(wrapped);
    Endpoint endpoint =
        instance instanceof Endpoint programmatic
            ? programmatic
            : new AnnotatedEndpoint(instance, AnnotatedMethods.of(wrapped), applications.getPath());
    return (T) new Endpoints.Traced(sockets, endpoint, null, null);
  }
}
