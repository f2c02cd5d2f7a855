// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.Extension;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.ServerEndpointConfig;
import java.util.List;

/** Pure pass-through: what a configurator of a server does as the application's does. */
abstract class ForwardingConfigurator extends ServerEndpointConfig.Configurator {

  private final ServerEndpointConfig.Configurator configurator;

  ForwardingConfigurator(ServerEndpointConfig.Configurator configurator) {
    this.configurator = configurator;
  }

  @Override
  public void modifyHandshake(
      ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
    configurator.modifyHandshake(config, request, response);
  }

  @Override
  public String getNegotiatedSubprotocol(List<String> supported, List<String> requested) {
    return configurator.getNegotiatedSubprotocol(supported, requested);
  }

  @Override
  public List<Extension> getNegotiatedExtensions(
      List<Extension> installed, List<Extension> requested) {
    return configurator.getNegotiatedExtensions(installed, requested);
  }

  @Override
  public boolean checkOrigin(String originHeaderValue) {
    return configurator.checkOrigin(originHeaderValue);
  }

  @Override
  public ServerEndpointConfig.Configurator getContainerDefaultConfigurator() {
    return configurator.getContainerDefaultConfigurator();
  }

  @Override
  public <T> T getEndpointInstance(Class<T> type) throws InstantiationException {
    return configurator.getEndpointInstance(type);
  }
}
