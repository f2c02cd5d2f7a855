// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.Decoder;
import jakarta.websocket.Encoder;
import jakarta.websocket.Extension;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;

/** Pure pass-through: the application's configuration of a client, but for its configurator. */
final class ForwardingClientConfig implements ClientEndpointConfig {

  final ClientEndpointConfig config;
  private final Configurator configurator;

  ForwardingClientConfig(ClientEndpointConfig config, Configurator configurator) {
    this.config = config;
    this.configurator = configurator;
  }

  @Override
  public Configurator getConfigurator() {
    return configurator;
  }

  @Override
  public List<String> getPreferredSubprotocols() {
    return config.getPreferredSubprotocols();
  }

  @Override
  public List<Extension> getExtensions() {
    return config.getExtensions();
  }

  @Override
  public SSLContext getSSLContext() {
    return config.getSSLContext();
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
    return config.getUserProperties();
  }
}
