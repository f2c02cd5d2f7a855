// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.net.URI;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

class JettyServerTest extends ServletKit {

  private Server server;

  @Override
  protected URI start(Setup setup) throws Exception {
    server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("localhost");
    server.addConnector(connector);
    ServletContextHandler context = new ServletContextHandler("/");
    servlets(setup)
        .forEach(
            (pattern, servlet) -> {
              ServletHolder holder = new ServletHolder(servlet);
              holder.setAsyncSupported(true);
              context.addServlet(holder, pattern);
            });
    HttpTelemetry http = http(setup);
    if (http != null) {
      context.addServletContainerInitializer(
          (classes, servletContext) -> http.configure(servletContext));
    }
    server.setHandler(context);
    server.start();
    return URI.create("http://localhost:" + connector.getLocalPort());
  }

  @Override
  protected void stop() throws Exception {
    server.stop();
  }
}
