// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsServer;
import dev.throughline.telemetry.testing.TelemetryExtension;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class HttpsServerTest {

  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  @TempDir private Path folder;

  @Test
  void theHandlerStillSeesTheTlsSession() throws Exception {
    SSLContext tls = Tls.selfSigned(folder);
    HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    http.addTo(
        server.createContext(
            "/secure",
            exchange -> {
              byte[] protocol = ((HttpsExchange) exchange).getSSLSession().getProtocol().getBytes();
              exchange.sendResponseHeaders(200, protocol.length);
              exchange.getResponseBody().write(protocol);
              exchange.close();
            }));
    server.start();
    try {
      HttpClient client =
          http.wrap(
              HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(tls).build());
      URI uri = URI.create("https://localhost:" + server.getAddress().getPort() + "/secure");
      HttpResponse<String> response =
          client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
      assertThat(response.body()).startsWith("TLSv1");
    } finally {
      server.stop(0);
    }
    assertThat(telemetry)
        .tree(
            """
            GET            CLIENT
              GET /secure  SERVER url.scheme=https
            """);
  }
}
