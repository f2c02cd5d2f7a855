// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import dev.throughline.telemetry.websocket.WebSocketTelemetry;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.server.Server;

/** A server for viewers' WebSockets alone, which the JDK's does not have. */
final class ViewerServer implements AutoCloseable {

  private final Server jetty =
      new Server(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));

  /** A server that listens on a free port. */
  ViewerServer(WebSocketTelemetry telemetry, Sessions sessions) {
    ServerEndpointConfig endpoint =
        ServerEndpointConfig.Builder.create(ViewerSocket.class, ViewerSocket.PATH)
            .configurator(
                new ServerEndpointConfig.Configurator() {
                  @Override
                  public <T> T getEndpointInstance(Class<T> type) {
                    return type.cast(new ViewerSocket(sessions));
                  }
                })
            .build();
    ServletContextHandler context = new ServletContextHandler();
    JakartaWebSocketServletContainerInitializer.configure(
        context,
        (servletContext, container) -> {
          container.setDefaultMaxSessionIdleTimeout(0); // a console may be silent for hours
          container.addEndpoint(telemetry.wrap(endpoint));
        });
    jetty.setHandler(context);
    try {
      jetty.start();
    } catch (Exception e) {
      throw new IllegalStateException("The server for viewers did not start", e);
    }
  }

  int port() {
    return jetty.getURI().getPort();
  }

  @Override
  public void close() {
    try {
      jetty.stop();
    } catch (Exception e) {
      throw new IllegalStateException("The server for viewers did not stop", e);
    }
  }
}
