// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;

/** The JDK's server answers the same over TLS as well. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class JdkHttpsServerTransparencyTest extends JdkServerTransparencyTest {

  @TempDir private static Path folder;
  private SSLContext tls;

  @Override
  HttpServer create(InetSocketAddress address) throws Exception {
    if (tls == null) {
      tls = Tls.selfSigned(folder);
    }
    HttpsServer server = HttpsServer.create(address, 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    return server;
  }

  @Override
  protected Socket connect(HttpServer server) throws IOException {
    return tls.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port(server));
  }

  @Override
  protected List<Scenario<HttpServer>> scenarios() {
    List<String> names =
        List.of("GET /plain", "GET /class", "GET /secure", "GET /chunked", "GET /later");
    return super.scenarios().stream().filter(s -> names.contains(s.name())).toList();
  }
}
