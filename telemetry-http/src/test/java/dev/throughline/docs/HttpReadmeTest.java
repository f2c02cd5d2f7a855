// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import jakarta.servlet.ServletContext;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class HttpReadmeTest extends ReadmeKit {

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  @Test
  void joinsServersAndClients() throws Exception {
    Telemetry telemetry = recorded.telemetry();
    List<Object> registered = new ArrayList<>();
    ServletContext servletContext = servletContext(registered);
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    HttpHandler handler =
        exchange -> {
          HttpTelemetry.route("/servers/{id}");
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        };
    // region
    HttpTelemetry http = HttpTelemetry.create(telemetry);

    http.configure(servletContext); // jakarta.servlet; or register http.createFilter()
    http.addTo(server.createContext("/servers", handler)); // com.sun.net.httpserver
    HttpClient client = http.wrap(HttpClient.newHttpClient()); // java.net.http
    // endregion
    server.start();
    try {
      URI uri =
          URI.create("http://localhost:" + server.getAddress().getPort() + "/servers/srv-1?a=b");
      client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding());
    } finally {
      server.stop(0);
    }
    assertThat(registered).hasSize(1);
    assertThat(recorded)
        .tree(
            """
            GET                    CLIENT http.response.status_code=204
              GET /servers/{id}    SERVER url.path=/servers/srv-1 url.query=a=REDACTED
            """);
  }

  private static ServletContext servletContext(List<Object> registered) {
    return (ServletContext)
        Proxy.newProxyInstance(
            ServletContext.class.getClassLoader(),
            new Class<?>[] {ServletContext.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("addFilter")) {
                registered.add(arguments[1]);
              }
              return null;
            });
  }
}
