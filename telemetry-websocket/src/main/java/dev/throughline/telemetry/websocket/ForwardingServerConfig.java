// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.Decoder;
import jakarta.websocket.Encoder;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Extension;
import jakarta.websocket.server.ServerEndpointConfig;
import java.util.List;
import java.util.Map;

/**
 * Pure pass-through: the application's configuration of a server, with an endpoint, a configurator
 * and properties of somebody's.
 */
final class ForwardingServerConfig implements ServerEndpointConfig {

  private final ServerEndpointConfig config;
  private final Class<?> endpointClass;
  private final Configurator configurator;
  private final EndpointConfig properties;

  ForwardingServerConfig(
      ServerEndpointConfig config,
      Class<?> endpointClass,
      Configurator configurator,
      EndpointConfig properties) {
    this.config = config;
    this.endpointClass = endpointClass;
    this.configurator = configurator;
    this.properties = properties;
  }

  @Override
  public Class<?> getEndpointClass() {
    return endpointClass;
  }

  @Override
  public Configurator getConfigurator() {
    return configurator;
  }

  @Override
  public String getPath() {
    return config.getPath();
  }

  @Override
  public List<String> getSubprotocols() {
    return config.getSubprotocols();
  }

  @Override
  public List<Extension> getExtensions() {
    return config.getExtensions();
  }

  @Override
  public List<Class<? extends Encoder>> getEncoders() {
    return config.getEncoders();
  }

  @Override
  public List<Class<? extends Decoder>> getDecoders() {
    return config.getDecoders();
  }

  @Override
  public Map<String, Object> getUserProperties() {
    return properties.getUserProperties();
  }
}
