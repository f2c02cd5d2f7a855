// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.HttpServerKit;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;

class JdkServerTest extends HttpServerKit {

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private HttpServer server;
  private HttpTelemetry http;

  @Override
  protected URI start(Setup setup) throws IOException {
    http = setup.telemetry() == null ? null : http(setup.telemetry(), setup);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    for (Endpoint endpoint : setup.endpoints()) {
      context(
          endpoint.path().equals(ITEM) ? "/items" : endpoint.path(),
          exchange -> endpoint.handler().handle(new ExchangeCall(exchange)));
    }
    context(
        ASYNC,
        exchange ->
            threads.execute(
                () -> {
                  try {
                    setup.asyncHandler().handle(new ExchangeCall(exchange));
                  } catch (IOException e) {
                    exchange.close();
                  }
                }));
    server.start();
    return URI.create("http://localhost:" + server.getAddress().getPort());
  }

  private static HttpTelemetry http(Telemetry telemetry, Setup setup) {
    HttpTelemetryBuilder http =
        HttpTelemetry.builder(telemetry)
            .addRoute(ITEM)
            .setCapturedRequestHeaders(setup.requestHeaders())
            .setCapturedResponseHeaders(setup.responseHeaders());
    PROCEDURES.forEach(http::addConnectProcedure);
    return http.build();
  }

  private void context(String path, com.sun.net.httpserver.HttpHandler handler) {
    HttpContext context = server.createContext(path, handler);
    if (http != null) {
      http.addTo(context);
    }
  }

  @Override
  protected void stop() {
    server.stop(0);
  }

  @Override
  @Test
  @Disabled("this server has no dispatches")
  protected void anAsynchronousDispatchIsOneSpan() {}

  @Override
  @Test
  @Disabled("this server has no timeout of a handler")
  protected void anAsynchronousTimeoutIsAnError() {}

  @Override
  @Test
  @Disabled("this server has no forward")
  protected void aForwardIsOneSpan() {}

  private record ExchangeCall(HttpExchange exchange) implements Call {

    @Override
    public String method() {
      return exchange.getRequestMethod();
    }

    @Override
    public void setHeader(String name, String value) {
      exchange.getResponseHeaders().set(name, value);
    }

    @Override
    public void send(int status, byte[] body) throws IOException {
      exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
      try (OutputStream out = exchange.getResponseBody()) {
        out.write(body);
      }
    }

    @Override
    public OutputStream sendChunked(int status) throws IOException {
      exchange.sendResponseHeaders(status, 0);
      return exchange.getResponseBody();
    }
  }
}
