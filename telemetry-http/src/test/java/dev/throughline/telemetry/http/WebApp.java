// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContainerInitializer;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.Valve;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.ErrorReportValve;
import org.apache.tomcat.util.descriptor.web.ErrorPage;
import org.eclipse.jetty.ee11.servlet.ErrorPageErrorHandler;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.jspecify.annotations.Nullable;

/** A web application on a real container, at {@code /app}. */
final class WebApp implements AutoCloseable {

  /** The containers that it runs on. */
  enum Container {
    JETTY,
    TOMCAT
  }

  /** Answers a request. */
  @FunctionalInterface
  interface Answer {
    void answer(HttpServletRequest request, HttpServletResponse response) throws Exception;
  }

  // Both containers log what an application throws, with its stack.
  private static final Logger TOMCAT = Logger.getLogger("org.apache");

  final Map<String, HttpServlet> servlets = new LinkedHashMap<>();
  final Map<Integer, String> errorPages = new LinkedHashMap<>();
  final Map<Class<? extends Throwable>, String> exceptionPages = new LinkedHashMap<>();
  final List<Filter> filters = new ArrayList<>();
  private final Container container;
  private AutoCloseable stop = () -> {};
  int port;

  WebApp(Container container) {
    this.container = container;
    TOMCAT.setLevel(Level.OFF);
  }

  /** Maps a servlet to a path. */
  WebApp on(String path, Answer answer) {
    servlets.put(
        path,
        new HttpServlet() {
          @Override
          protected void service(HttpServletRequest request, HttpServletResponse response)
              throws ServletException, IOException {
            try {
              answer.answer(request, response);
            } catch (ServletException | IOException | RuntimeException e) {
              throw e;
            } catch (Exception e) {
              throw new ServletException(e);
            }
          }
        });
    return this;
  }

  /** Starts it, with our filter first if there is one, and the other filters for all dispatches. */
  WebApp start(@Nullable HttpTelemetry http) throws Exception {
    ServletContainerInitializer initializer =
        (classes, context) -> {
          if (http != null) {
            http.configure(context);
          }
          for (Filter filter : filters) {
            FilterRegistration.Dynamic registration =
                context.addFilter("filter" + filters.indexOf(filter), filter);
            registration.setAsyncSupported(true);
            registration.addMappingForUrlPatterns(EnumSet.allOf(DispatcherType.class), true, "/*");
          }
        };
    if (container == Container.JETTY) {
      startJetty(initializer);
    } else {
      startTomcat(initializer);
    }
    return this;
  }

  private void startJetty(ServletContainerInitializer initializer) throws Exception {
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("localhost");
    server.addConnector(connector);
    ServletContextHandler context =
        new ServletContextHandler("/app", ServletContextHandler.SESSIONS);
    servlets.forEach(
        (path, servlet) -> {
          ServletHolder holder = new ServletHolder(path, servlet);
          holder.setAsyncSupported(true);
          context.addServlet(holder, path);
        });
    context.addServletContainerInitializer(initializer);
    ErrorPageErrorHandler errors = new ErrorPageErrorHandler();
    errors.setShowStacks(false);
    errorPages.forEach(errors::addErrorPage);
    exceptionPages.forEach(errors::addErrorPage);
    context.setErrorHandler(errors);
    server.setHandler(context);
    server.start();
    port = connector.getLocalPort();
    stop = server::stop;
  }

  private void startTomcat(ServletContainerInitializer initializer) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
    tomcat.setHostname("localhost");
    tomcat.setPort(0);
    tomcat.getConnector();
    StandardContext context = (StandardContext) tomcat.addContext("/app", null);
    context.setClearReferencesRmiTargets(false);
    context.setClearReferencesThreadLocals(false);
    servlets.forEach(
        (path, servlet) -> {
          Tomcat.addServlet(context, path, servlet).setAsyncSupported(true);
          context.addServletMapping(path, path, false);
        });
    errorPages.forEach(
        (status, path) -> {
          ErrorPage page = new ErrorPage();
          page.setErrorCode(status);
          page.setLocation(path);
          context.addErrorPage(page);
        });
    exceptionPages.forEach(
        (type, path) -> {
          ErrorPage page = new ErrorPage();
          page.setExceptionType(type.getName());
          page.setLocation(path);
          context.addErrorPage(page);
        });
    context.addServletContainerInitializer(initializer, Set.of());
    tomcat.start();
    for (Valve valve : tomcat.getHost().getPipeline().getValves()) {
      if (valve instanceof ErrorReportValve report) {
        report.setShowReport(false);
      }
    }
    port = tomcat.getConnector().getLocalPort();
    stop =
        () -> {
          tomcat.stop();
          tomcat.destroy();
        };
  }

  @Override
  public void close() throws Exception {
    stop.close();
  }
}
