// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The port on which Prometheus finds {@code /metrics} where the service has no server of its own.
 * Not the Prometheus client's server: that sets system properties which change how long the
 * service's own JDK servers wait for a request.
 */
final class MetricsServer {

  private static final Logger logger = LoggerFactory.getLogger(MetricsServer.class);

  private final String host;
  private final int port;
  private final HttpHandler handler;
  private @Nullable HttpServer server;
  private @Nullable ServerThreads threads;

  MetricsServer(String host, int port, HttpHandler handler) {
    this.host = host;
    this.port = port;
    this.handler = handler;
  }

  /** Never throws: a port that is taken must not keep a service from starting. */
  void start() {
    try {
      HttpServer bound = HttpServer.create(new InetSocketAddress(host, port), 0);
      ServerThreads daemons = new ServerThreads();
      bound.setExecutor(daemons);
      bound.createContext("/metrics", handler);
      server = bound;
      threads = daemons;
      // The server's own thread is a daemon where the one that starts it is.
      Thread starter = new Thread(bound::start, "telemetry-metrics-start");
      starter.setDaemon(true);
      starter.start();
      starter.join();
      logger.info("Metrics can be pulled at http://{}:{}/metrics", host, port());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException e) {
      logger.warn(
          "Metrics can't be pulled at {}:{} (OTEL_EXPORTER_PROMETHEUS_HOST and"
              + " OTEL_EXPORTER_PROMETHEUS_PORT): {}",
          host,
          port,
          e.toString());
    }
  }

  int port() {
    return server == null ? port : server.getAddress().getPort();
  }

  void stop() {
    if (server != null) {
      server.stop(0);
    }
    if (threads != null) {
      threads.shutdown();
    }
  }
}
