// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.metrics;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The port of the metrics' own, and clients that mean it no good. */
class MetricsServerTest {

  private static final Logger ROOT = Logger.getLogger("");

  private final List<LogRecord> complaints = new CopyOnWriteArrayList<>();
  private final Handler listener =
      new Handler() {
        @Override
        public void publish(LogRecord record) {
          if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
            complaints.add(record);
          }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  private final List<Socket> sockets = new ArrayList<>();
  private final int port = freePort();
  private final MountedService service =
      new MountedService(
          "otel.metrics.exporter",
          "prometheus",
          "otel.exporter.prometheus.port",
          String.valueOf(port));

  private static int freePort() {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @BeforeEach
  void listen() {
    ROOT.addHandler(listener);
    for (int i = 0; i < 500; i++) {
      service.telemetry.meter().counterBuilder("counter" + i).build().add(1);
    }
  }

  @AfterEach
  void close() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    service.close();
    ROOT.removeHandler(listener);
    assertThat(complaints).extracting(LogRecord::getMessage).isEmpty();
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket();
    sockets.add(socket);
    socket.setReceiveBufferSize(1024);
    socket.setSoTimeout((int) MountedService.PATIENCE.toMillis());
    socket.connect(new InetSocketAddress("localhost", port));
    return socket;
  }

  private void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
  }

  private void assertScraped() throws Exception {
    assertThat(MountedService.get(URI.create("http://localhost:" + port + "/metrics")).body())
        .contains("counter499_total 1.0");
  }

  private static void assertClosed(Socket socket) throws IOException {
    try {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    } catch (SocketException reset) {
      // That is closed as well.
    }
  }

  @Test
  void whoSendsHalfARequestKeepsNobodyOut() throws Exception {
    for (int i = 0; i < 40; i++) {
      send(connect(), "GET /metr");
    }
    assertScraped();
    for (Socket socket : sockets) {
      assertClosed(socket);
    }
    assertScraped();
  }

  @Test
  void whoReadsNothingKeepsNobodyOut() throws Exception {
    for (int i = 0; i < 20; i++) {
      send(connect(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200));
    }
    assertScraped();
  }

  @Test
  void scrapesAtOnceAreAllAnswered() throws Exception {
    // As many as the port has threads: with more, one that takes long on a busy machine is cut off.
    ExecutorService clients = Executors.newFixedThreadPool(16);
    try {
      List<Future<?>> scrapes = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        scrapes.add(
            clients.submit(
                () -> {
                  assertScraped();
                  return null;
                }));
      }
      for (Future<?> scrape : scrapes) {
        scrape.get();
      }
    } finally {
      clients.shutdown();
    }
  }

  @Test
  void aScrapeThatIsGivenUpIsNoFault() throws Exception {
    for (int i = 0; i < 20; i++) {
      Socket socket = connect();
      // Closing resets the connection, so that the answer can't be written.
      socket.setSoLinger(true, 0);
      send(socket, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(socket.getInputStream().read()).isEqualTo('H');
      socket.close();
    }
    assertScraped();
  }
}
