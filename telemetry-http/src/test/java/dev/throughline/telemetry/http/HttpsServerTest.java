// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsServer;
import dev.throughline.telemetry.testing.TelemetryExtension;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class HttpsServerTest {

  private static final char[] PASSWORD = "of the test".toCharArray();

  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  @TempDir private Path folder;

  @Test
  void theHandlerStillSeesTheTlsSession() throws Exception {
    SSLContext tls = selfSigned();
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

  private SSLContext selfSigned() throws Exception {
    Path store = folder.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "test",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=dns:localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                new String(PASSWORD))
            .inheritIO()
            .start();
    assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).isTrue();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD);
    }
    KeyManagerFactory keyManagers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keyManagers.init(keys, PASSWORD);
    TrustManagerFactory trustManagers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trustManagers.init(keys);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
    return tls;
  }
}
