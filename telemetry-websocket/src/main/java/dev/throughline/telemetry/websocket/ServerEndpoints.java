// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.Endpoint;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.util.List;

/** Endpoints in the place of those of the application. */
final class ServerEndpoints {

  // The door calls these, so that it loads without jakarta.websocket on the class path.
  private ServerEndpoints() {}

  static ServerEndpointConfig.Configurator configurator(Sockets sockets) {
    return new ServerConfigurator(sockets, new ServerEndpointConfig.Configurator(), null, "");
  }

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
            applications == null ? new ServerEndpointConfig.Configurator() : applications,
            type,
            config.getPath()));
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
}
