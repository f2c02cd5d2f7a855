// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code server.address} and {@code server.port} of whatever a Host header holds. */
class HostHeaderTest {

  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  private static final AttributeKey<String> ADDRESS = AttributeKey.stringKey("server.address");
  private static final AttributeKey<Long> PORT = AttributeKey.longKey("server.port");
  private static final AttributeKey<String> CLIENT = AttributeKey.stringKey("client.address");

  private static final Map<String, Integer> PORTS = new TreeMap<>();
  private static HttpServer jdk;
  private static WebApp jetty;
  private static WebApp tomcat;

  @BeforeAll
  static void start() throws Exception {
    HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
    jdk = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    http.addTo(jdk.createContext("/app/hello", exchange -> exchange.sendResponseHeaders(200, -1)));
    jdk.start();
    PORTS.put("JDK", jdk.getAddress().getPort());
    jetty = webApp(WebApp.Container.JETTY, http);
    PORTS.put("Jetty", jetty.port);
    tomcat = webApp(WebApp.Container.TOMCAT, http);
    PORTS.put("Tomcat", tomcat.port);
  }

  private static WebApp webApp(WebApp.Container container, HttpTelemetry http) throws Exception {
    return new WebApp(container)
        .on("/hello", (request, response) -> response.setStatus(200))
        .start(http);
  }

  @AfterAll
  static void stop() throws Exception {
    jdk.stop(0);
    jetty.close();
    tomcat.close();
  }

  static Stream<Arguments> hosts() {
    return Stream.of(
        Arguments.of("manager", "manager", 80L),
        Arguments.of("manager:8080", "manager", 8080L),
        Arguments.of("127.0.0.1:8080", "127.0.0.1", 8080L),
        Arguments.of("[::1]:8080", "::1", 8080L),
        Arguments.of("[::1]", "::1", 80L),
        Arguments.of("::1", "::1", 80L),
        Arguments.of("fe80::1%eth0", "fe80::1%eth0", 80L),
        Arguments.of("[fe80::1%25eth0]:8080", "fe80::1%25eth0", 8080L),
        Arguments.of("manager:0", "manager", 80L),
        Arguments.of("manager:99999", "manager", 80L),
        Arguments.of("manager:", "manager", 80L),
        Arguments.of("manager:-1", "manager", 80L),
        Arguments.of("manager:x", "manager", 80L),
        Arguments.of("ada:secret@manager:8080", "manager", 8080L),
        Arguments.of("ada@[::1]:8080", "::1", 8080L),
        Arguments.of("evil, host", null, null),
        Arguments.of("evil host", null, null),
        Arguments.of(":8080", null, null),
        Arguments.of("[::1", null, null),
        Arguments.of("[manager]", null, null),
        Arguments.of("man\u0001ager", null, null),
        Arguments.of("man\u007fager", null, null),
        Arguments.of("man\tager", null, null),
        Arguments.of("man\u0000ager", null, null),
        Arguments.of("<script>", null, null),
        Arguments.of("m".repeat(300), null, null));
  }

  @ParameterizedTest
  @MethodSource("hosts")
  void aHostThatIsValidIsTold(String host, @Nullable String address, @Nullable Long port)
      throws Exception {
    for (String server : PORTS.keySet()) {
      Attributes attributes = request(server, "HTTP/1.1", "Host: " + host);
      if (attributes != null) {
        assertThat(attributes.get(ADDRESS)).as(server).isEqualTo(address);
        assertThat(attributes.get(PORT)).as(server).isEqualTo(port);
        assertThat(attributes.toString()).as(server).doesNotContain("secret");
      }
    }
  }

  /** So that the tests about them say something. */
  @Test
  void theseHostsComeThrough() throws Exception {
    assertThat(request("JDK", "HTTP/1.1", "Host: evil, host")).isNotNull();
    assertThat(request("JDK", "HTTP/1.1", "Host: man\u0001ager")).isNotNull();
    assertThat(request("JDK", "HTTP/1.0", "X: y")).isNotNull();
    assertThat(request("Jetty", "HTTP/1.0", "X: y")).isNotNull();
    assertThat(request("Tomcat", "HTTP/1.0", "X: y")).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Host:"})
  void withoutAHostItIsTheServers(String header) throws Exception {
    for (String server : PORTS.keySet()) {
      Attributes attributes = request(server, "HTTP/1.0", header);
      if (attributes != null) {
        assertThat(attributes.get(ADDRESS)).as(server).isIn("127.0.0.1", "localhost");
        assertThat(attributes.get(PORT)).as(server).isEqualTo(PORTS.get(server).longValue());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"HTTP/1.0", "HTTP/1.1"})
  void ofTwoHostsTheFirstIsTold(String version) throws Exception {
    for (String server : PORTS.keySet()) {
      Attributes attributes = request(server, version, "Host: first:1\r\nHost: second:2");
      if (attributes != null) {
        assertThat(attributes.get(ADDRESS)).as(server).isEqualTo("first");
        assertThat(attributes.get(PORT)).as(server).isEqualTo(1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Forwarded: host=for=evil",
        "Forwarded: host=\"for=evil\"",
        "Forwarded: host=\"x;for=evil\"",
        "Forwarded: by=1;host=for=evil, for=evil",
        "Forwarded: host=evil",
        "X-Forwarded-Host: evil"
      })
  void noHostOfAProxyIsTheClientOrTheServer(String header) throws Exception {
    for (String server : PORTS.keySet()) {
      Attributes attributes = request(server, "HTTP/1.1", "Host: manager\r\n" + header);
      assertThat(attributes).as(server).isNotNull();
      assertThat(attributes.get(ADDRESS)).as(server).isEqualTo("manager");
      assertThat(attributes.get(PORT)).as(server).isEqualTo(80);
      assertThat(attributes.get(CLIENT)).as(server).isEqualTo("127.0.0.1");
    }
  }

  /** The span's attributes; null if the server refuses the request before any filter. */
  private static @Nullable Attributes request(String server, String version, String headers)
      throws Exception {
    String answer;
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), PORTS.get(server))) {
      socket.setSoTimeout(30_000);
      String request =
          String.join("\r\n", "GET /app/hello " + version, "Connection: close", headers, "", "");
      socket
          .getOutputStream()
          .write(request.replace("\r\n\r\n\r\n", "\r\n\r\n").getBytes(ISO_8859_1));
      answer = new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }
    String status = answer.lines().findFirst().orElse("none");
    if (!status.contains(" 200 ")) {
      assertThat(status).as("%s, %s", server, headers).contains(" 400 ");
      return null;
    }
    SpanData span = telemetry.takeSpan();
    assertThat(span.getName()).isEqualTo("GET /app/hello");
    return span.getAttributes();
  }
}
