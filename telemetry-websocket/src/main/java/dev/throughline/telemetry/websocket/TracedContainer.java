// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import jakarta.websocket.ClientEndpoint;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A container whose clients are recorded. */
final class TracedContainer extends ForwardingContainer {

  private final Sockets sockets;

  private TracedContainer(Sockets sockets, WebSocketContainer container) {
    super(container);
    this.sockets = sockets;
  }

  // The door calls this, so that it loads without jakarta.websocket on the class path.
  static WebSocketContainer wrap(Sockets sockets, WebSocketContainer container) {
    return container instanceof TracedContainer
        ? container
        : new TracedContainer(sockets, container);
  }

  @Override
  public Session connectToServer(Object annotated, URI path)
      throws DeploymentException, IOException {
    return isBare(annotated, path)
        ? container.connectToServer(annotated, path)
        : connect(annotated, annotated.getClass(), path);
  }

  @Override
  public Session connectToServer(Class<?> annotatedType, URI path)
      throws DeploymentException, IOException {
    return isBare(annotatedType, path)
        ? container.connectToServer(annotatedType, path)
        : connect(instance(annotatedType), annotatedType, path);
  }

  @Override
  public Session connectToServer(Endpoint endpoint, ClientEndpointConfig config, URI path)
      throws DeploymentException, IOException {
    return isBare(endpoint, path)
        ? container.connectToServer(endpoint, config, path)
        : connect(endpoint, config, path);
  }

  @Override
  public Session connectToServer(
      Class<? extends Endpoint> type, ClientEndpointConfig config, URI path)
      throws DeploymentException, IOException {
    return isBare(type, path)
        ? container.connectToServer(type, config, path)
        : connect(instance(type), config, path);
  }

  /** Whether a call is the given container's alone, which also says what is wrong with nulls. */
  private boolean isBare(@Nullable Object endpoint, @Nullable URI path) {
    return endpoint == null || path == null || sockets.hasNothingToSend(Context.current());
  }

  private Session connect(Object annotated, Class<?> type, URI path)
      throws DeploymentException, IOException {
    ClientEndpoint annotation = type.getAnnotation(ClientEndpoint.class);
    if (annotation == null) {
      throw new DeploymentException(type.getName() + " has no annotation ClientEndpoint");
    }
    ClientEndpointConfig.Builder config =
        ClientEndpointConfig.Builder.create()
            .decoders(List.of(annotation.decoders()))
            .encoders(List.of(annotation.encoders()))
            .preferredSubprotocols(List.of(annotation.subprotocols()));
    if (annotation.configurator() != ClientEndpointConfig.Configurator.class) {
      config.configurator(instance(annotation.configurator()));
    }
    AnnotatedMethods methods;
    try {
      methods = AnnotatedMethods.of(type);
    } catch (IllegalArgumentException e) {
      throw new DeploymentException(e.getMessage(), e);
    }
    return connect(new AnnotatedEndpoint(annotated, methods, null), config.build(), path);
  }

  private Session connect(Endpoint endpoint, ClientEndpointConfig config, URI path)
      throws DeploymentException, IOException {
    ClientEndpointConfig applications =
        config == null ? ClientEndpointConfig.Builder.create().build() : config;
    Upgrade upgrade = Upgrade.sent(path);
    InstrumentedRequest<Upgrade, Upgrade> request = sockets.request(upgrade);
    try {
      Session session =
          container.connectToServer(
              new Endpoints.Traced(sockets, endpoint, upgrade, request),
              new ForwardingClientConfig(
                  applications, new TracedConfigurator(applications, upgrade, sockets)),
              path);
      return Endpoints.traced(session);
    } catch (Throwable t) {
      if (request != null) {
        request.end(upgrade, t);
      }
      throw t;
    }
  }

  private static <T> T instance(Class<T> type) throws DeploymentException {
    try {
      return AnnotatedMethods.instance(type);
    } catch (RuntimeException e) {
      throw new DeploymentException(type.getName() + " can't be made", e);
    }
  }

  /** Puts the context and the question for envelopes into the headers, and reads the answer. */
  private static final class TracedConfigurator extends ClientEndpointConfig.Configurator {

    private final ClientEndpointConfig.Configurator configurator;
    private final Upgrade upgrade;
    private final Sockets sockets;

    TracedConfigurator(ClientEndpointConfig config, Upgrade upgrade, Sockets sockets) {
      ClientEndpointConfig.Configurator applications = config.getConfigurator();
      configurator = applications == null ? new ClientEndpointConfig.Configurator() : applications;
      this.upgrade = upgrade;
      this.sockets = sockets;
    }

    @Override
    public void beforeRequest(Map<String, List<String>> headers) {
      configurator.beforeRequest(headers);
      upgrade.added.forEach((name, value) -> put(headers, name, value));
      if (sockets.asksForEnvelopes()) {
        put(headers, Envelope.HEADER, Envelope.VERSION);
      }
    }

    /** What the application set by itself stands. */
    private void put(Map<String, List<String>> headers, String name, String value) {
      try {
        for (String present : headers.keySet()) {
          if (present.equalsIgnoreCase(name)) {
            return;
          }
        }
        List<String> values = new ArrayList<>(1);
        values.add(value);
        headers.put(name, values);
      } catch (Throwable t) {
        sockets.guard.caught("ClientEndpointConfig.Configurator.beforeRequest", t);
      }
    }

    @Override
    public void afterResponse(HandshakeResponse response) {
      try {
        if (sockets.asksForEnvelopes()) {
          Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
          headers.putAll(response.getHeaders());
          upgrade.envelopes = List.of(Envelope.VERSION).equals(headers.get(Envelope.HEADER));
        }
      } catch (Throwable t) {
        sockets.guard.caught("ClientEndpointConfig.Configurator.afterResponse", t);
      }
      configurator.afterResponse(response);
    }
  }
}
