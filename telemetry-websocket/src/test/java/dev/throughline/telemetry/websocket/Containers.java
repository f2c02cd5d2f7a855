// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.servlet.Filter;
import jakarta.servlet.ServletContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.WebSocketContainer;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.apache.tomcat.websocket.WsWebSocketContainer;
import org.apache.tomcat.websocket.server.WsSci;
import org.eclipse.jetty.ee11.servlet.FilterHolder;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.websocket.jakarta.client.JakartaWebSocketClientContainer;
import org.eclipse.jetty.ee11.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.ee11.websocket.servlet.WebSocketUpgradeFilter;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.component.LifeCycle;
import org.glassfish.tyrus.client.ClientManager;
import org.glassfish.tyrus.container.jdk.client.JdkClientContainer;
import org.glassfish.tyrus.server.TyrusServerContainer;
import org.glassfish.tyrus.spi.ServerContainerFactory;

/** The servers and clients of jakarta.websocket that the tests run on. */
enum Containers {
  TYRUS {
    @Override
    Running start(List<?> endpoints, Filter filter) throws Exception {
      TyrusServerContainer server =
          (TyrusServerContainer) ServerContainerFactory.createServerContainer(Map.of());
      addAll(server, endpoints);
      server.start("/", 0);
      return new Running("/", server.getPort(), server::stop);
    }

    @Override
    Client client() {
      ClientManager client = ClientManager.createClient(JdkClientContainer.class.getName());
      return new Client(client, client::shutdown);
    }
  },

  JETTY {
    @Override
    Running start(List<?> endpoints, Filter filter) throws Exception {
      Server server = new Server();
      HttpConfiguration http = new HttpConfiguration();
      http.setRequestHeaderSize(256 * 1024);
      ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
      connector.setHost("localhost");
      server.addConnector(connector);
      ServletContextHandler context = new ServletContextHandler("/app");
      if (filter != null) {
        context.addFilter(new FilterHolder(filter), "/*", null);
        // Else, or under another name, it goes before all others.
        FilterHolder upgrades = new FilterHolder(WebSocketUpgradeFilter.class);
        upgrades.setName(WebSocketUpgradeFilter.class.getName());
        context.addFilter(upgrades, "/*", null);
      }
      JakartaWebSocketServletContainerInitializer.configure(
          context, (servletContext, container) -> addAll(container, endpoints));
      server.setHandler(context);
      server.start();
      return new Running("/app", connector.getLocalPort(), server::stop);
    }

    @Override
    Client client() {
      JakartaWebSocketClientContainer client = new JakartaWebSocketClientContainer();
      LifeCycle.start(client);
      return new Client(client, () -> LifeCycle.stop(client));
    }
  },

  TOMCAT {
    @Override
    Running start(List<?> endpoints, Filter filter) throws Exception {
      Path base = Files.createTempDirectory("tomcat");
      Tomcat tomcat = new Tomcat();
      tomcat.setBaseDir(base.toString());
      tomcat.setHostname("localhost");
      tomcat.setPort(0);
      tomcat.getConnector().setProperty("maxHttpRequestHeaderSize", "262144");
      StandardContext context = (StandardContext) tomcat.addContext("/app", null);
      context.setClearReferencesRmiTargets(false);
      context.setClearReferencesThreadLocals(false);
      Tomcat.addServlet(
          context,
          "default",
          new HttpServlet() {
            private static final long serialVersionUID = 1;
          });
      context.addServletMapping("/", "default", false);
      if (filter != null) {
        FilterDef definition = new FilterDef();
        definition.setFilterName("test");
        definition.setFilter(filter);
        context.addFilterDef(definition);
        FilterMap mapping = new FilterMap();
        mapping.setFilterName("test");
        mapping.addURLPattern("/*");
        context.addFilterMap(mapping);
      }
      context.addServletContainerInitializer(new WsSci(), null);
      context.addServletContainerInitializer(
          (classes, servletContext) -> addAll(container(servletContext), endpoints), Set.of());
      tomcat.start();
      return new Running(
          "/app",
          tomcat.getConnector().getLocalPort(),
          () -> {
            tomcat.stop();
            tomcat.destroy();
            delete(base);
          });
    }

    @Override
    Client client() {
      WsWebSocketContainer client = new WsWebSocketContainer();
      return new Client(client, client::destroy);
    }
  };

  /**
   * Starts a server on a free port.
   *
   * @param endpoints configurations, or annotated classes
   * @param filter before all requests, where the server has such a thing; null for none
   */
  abstract Running start(List<?> endpoints, Filter filter) throws Exception;

  abstract Client client();

  /** How long a header may be that is sent to it; Grizzly takes no more. */
  int headerLimit() {
    return this == TYRUS ? 7_000 : 100_000;
  }

  /** A server that runs. */
  record Running(String contextPath, int port, Stop stop) implements AutoCloseable {

    URI uri(String path) {
      String prefix = contextPath.equals("/") ? "" : contextPath;
      return URI.create("ws://localhost:" + port + prefix + path);
    }

    @Override
    public void close() throws Exception {
      stop.stop();
    }
  }

  /** A client container. */
  record Client(WebSocketContainer container, Stop stop) implements AutoCloseable {
    @Override
    public void close() throws Exception {
      stop.stop();
    }
  }

  /** Stops what was started. */
  interface Stop {
    void stop() throws Exception;
  }

  private static ServerContainer container(ServletContext context) {
    return (ServerContainer) context.getAttribute(ServerContainer.class.getName());
  }

  private static void addAll(ServerContainer container, List<?> endpoints) {
    try {
      for (Object endpoint : endpoints) {
        if (endpoint instanceof ServerEndpointConfig config) {
          container.addEndpoint(config);
        } else {
          container.addEndpoint((Class<?>) endpoint);
        }
      }
    } catch (DeploymentException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.delete(file);
      }
    }
  }
}
