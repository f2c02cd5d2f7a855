// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import jakarta.websocket.Endpoint;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.server.HandshakeRequest;
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
   * @param endpointClass the application's, in the place of which stands a traced one; null if the
   *     container has the application's class, and upgrades are all that is seen
   * @param path of the endpoint, a template
   */
  ServerConfigurator(
      Sockets sockets,
      ServerEndpointConfig.Configurator configurator,
      @Nullable Class<?> endpointClass,
      String path) {
    super(configurator);
    this.sockets = sockets;
    this.endpointClass = endpointClass;
    this.path = path;
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
    try (Scope ignored = upgrade.context().makeCurrent()) {
      super.modifyHandshake(config, request, response);
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

  @Override
  public String getNegotiatedSubprotocol(List<String> supported, List<String> requested) {
    if (!sockets.isEnabled()) {
      return super.getNegotiatedSubprotocol(supported, requested);
    }
    return Protocols.answer(
        super.getNegotiatedSubprotocol(supported, Protocols.applications(requested)),
        requested,
        endpointClass != null,
        sockets.sources().contains(ContextSource.SUB_PROTOCOL));
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
