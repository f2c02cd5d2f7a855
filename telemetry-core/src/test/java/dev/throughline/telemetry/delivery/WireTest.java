// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.sdk.common.export.Compressor;
import io.opentelemetry.sdk.common.export.HttpSenderConfig;
import io.opentelemetry.sdk.common.export.ProxyOptions;
import io.opentelemetry.sdk.common.export.RetryPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WireTest {

  private final AtomicInteger requests = new AtomicInteger();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          requests.incrementAndGet();
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  /** Whoever closes has then kept it for later: one that leaves after all would arrive twice. */
  @Test
  void nothingLeavesOnceItIsClosed() throws Exception {
    AtomicReference<Runnable> beforeTheCall = new AtomicReference<>(() -> {});
    Wire wire =
        Wire.http(
            new Config(
                server,
                () -> {
                  beforeTheCall.get().run();
                  return Map.of();
                }));
    Body body = new Body(new byte[100]);
    body.write(new byte[100]);
    assertThat(wire.send(List.of(body)).kind()).isEqualTo(Answer.Kind.ACKNOWLEDGED);
    body.stay();
    beforeTheCall.set(wire::close);

    assertThat(wire.send(List.of(body)).failure()).hasMessage("telemetry is closed");
    assertThat(body.isLeaving()).isFalse();
    assertThat(requests).hasValue(1);
  }

  @Test
  void theFirstRetryAfterThatAsksForAnyCounts() {
    Instant now = Instant.parse("2026-12-01T12:00:00Z");
    assertThat(Wire.retryAfterNanos(List.of("soon", "", "-1", "3", "9"), now))
        .isEqualTo(3_000_000_000L);
    assertThat(Wire.retryAfterNanos(List.of("Tue, 01 Dec 2026 12:00:05 GMT"), now))
        .isEqualTo(5_000_000_000L);
    assertThat(Wire.retryAfterNanos(List.of(), now)).isZero();
  }

  private record Config(HttpServer server, Supplier<Map<String, List<String>>> headers)
      implements HttpSenderConfig {

    @Override
    public URI getEndpoint() {
      return URI.create("http://localhost:" + server.getAddress().getPort() + "/v1/traces");
    }

    @Override
    public String getContentType() {
      return "application/x-protobuf";
    }

    @Override
    public Compressor getCompressor() {
      return null;
    }

    @Override
    public Duration getTimeout() {
      return Duration.ofSeconds(20);
    }

    @Override
    public Duration getConnectTimeout() {
      return Duration.ofSeconds(20);
    }

    @Override
    public Supplier<Map<String, List<String>>> getHeadersSupplier() {
      return headers;
    }

    @Override
    public ProxyOptions getProxyOptions() {
      return null;
    }

    @Override
    public RetryPolicy getRetryPolicy() {
      return null;
    }

    @Override
    public SSLContext getSslContext() {
      return null;
    }

    @Override
    public X509TrustManager getTrustManager() {
      return null;
    }

    @Override
    public ExecutorService getExecutorService() {
      return null;
    }
  }
}
