// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import jakarta.websocket.Endpoint;
import jakarta.websocket.Extension;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records upgrades right before they are answered, and makes the endpoints that are traced. */
final class ServerConfigurator extends ServerEndpointConfig.Configurator {

  private final Sockets sockets;
  private final ServerEndpointConfig.@Nullable Configurator configurator;
  private final @Nullable Class<?> endpointClass;

  /**
   * @param configurator the application's; null where it has none
   * @param endpointClass the application's, in the place of which stands a traced one; null where
   *     the container has the application's class, and upgrades are all that is seen
   */
  ServerConfigurator(
      Sockets sockets,
      ServerEndpointConfig.@Nullable Configurator configurator,
      @Nullable Class<?> endpointClass) {
    this.sockets = sockets;
    this.configurator = configurator;
    this.endpointClass = endpointClass;
  }

  @Override
  public void modifyHandshake(
      ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
    Upgrade upgrade = upgrade(config, request);
    if (upgrade == null) {
      modifyApplications(config, request, response);
      return;
    }
    InstrumentedRequest<Upgrade, Upgrade> started = sockets.serve(upgrade);
    Throwable thrown = null;
    try (Scope ignored = upgrade.context().makeCurrent()) {
      modifyApplications(config, request, response);
      upgrade.setStatus(Upgrade.SWITCHING_PROTOCOLS);
      if (endpointClass != null) {
        agree(config, upgrade, response);
      }
    } catch (Throwable t) {
      thrown = t;
      upgrade.setStatus(500);
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
      return Upgrade.received(uri, config.getPath(), request.getHeaders(), sockets.sources());
    } catch (Throwable t) {
      sockets.guard.caught("HandshakeRequest", t);
      return null;
    }
  }

  private void agree(ServerEndpointConfig config, Upgrade upgrade, HandshakeResponse response) {
    try {
      if (sockets.isEnabled() && Envelope.VERSION.equals(upgrade.header(Envelope.HEADER))) {
        response.getHeaders().put(Envelope.HEADER, List.of(Envelope.VERSION));
        upgrade.setEnvelopes(true);
      }
      config.getUserProperties().put(Endpoints.UPGRADE, upgrade);
    } catch (Throwable t) {
      sockets.guard.caught("HandshakeResponse", t);
    }
  }

  private void modifyApplications(
      ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
    if (configurator == null) {
      super.modifyHandshake(config, request, response);
    } else {
      configurator.modifyHandshake(config, request, response);
    }
  }

  @Override
  public String getNegotiatedSubprotocol(List<String> supported, List<String> requested) {
    if (!sockets.isEnabled()) {
      return applications(supported, requested);
    }
    return Protocols.answer(
        applications(supported, Protocols.applications(requested)),
        requested,
        endpointClass != null,
        sockets.sources().contains(ContextSource.SUB_PROTOCOL));
  }

  private String applications(List<String> supported, List<String> requested) {
    return configurator == null
        ? super.getNegotiatedSubprotocol(supported, requested)
        : configurator.getNegotiatedSubprotocol(supported, requested);
  }

  @Override
  public List<Extension> getNegotiatedExtensions(
      List<Extension> installed, List<Extension> requested) {
    return configurator == null
        ? super.getNegotiatedExtensions(installed, requested)
        : configurator.getNegotiatedExtensions(installed, requested);
  }

  @Override
  public boolean checkOrigin(String originHeaderValue) {
    return configurator == null
        ? super.checkOrigin(originHeaderValue)
        : configurator.checkOrigin(originHeaderValue);
  }

  @Override
  public ServerEndpointConfig.Configurator getContainerDefaultConfigurator() {
    return configurator == null
        ? super.getContainerDefaultConfigurator()
        : configurator.getContainerDefaultConfigurator();
  }

  /** What containers take for an instance of their class they call as an {@link Endpoint}. */
  @Override
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  public <T> T getEndpointInstance(Class<T> type) throws InstantiationException {
    Class<?> wrapped = endpointClass;
    if (wrapped == null) {
      return applications(type);
    }
    Object instance = applications(wrapped);
    return (T)
        new Endpoints.Traced(
            sockets,
            instance instanceof Endpoint endpoint
                ? endpoint
                : new AnnotatedEndpoint(instance, AnnotatedMethods.of(wrapped)),
            null,
            null);
  }

  private <T> T applications(Class<T> type) throws InstantiationException {
    return configurator == null
        ? super.getEndpointInstance(type)
        : configurator.getEndpointInstance(type);
  }
}
