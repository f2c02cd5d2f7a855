// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.SpanKind;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/** Opens TCP connections, each with a span of its own. */
final class TcpDialer {

  private final Telemetry telemetry;
  private final Duration connectTimeout;
  private final Duration readTimeout;

  TcpDialer(Telemetry telemetry, Duration connectTimeout, Duration readTimeout) {
    this.telemetry = telemetry;
    this.connectTimeout = connectTimeout;
    this.readTimeout = readTimeout;
  }

  Socket dial(InetSocketAddress address) throws IOException {
    return telemetry
        .span("tcp.dial")
        .kind(SpanKind.CLIENT)
        .attribute("network.transport", "tcp")
        .attribute("server.address", address.getHostString())
        .attribute("server.port", address.getPort())
        .call(() -> connect(address));
  }

  private Socket connect(InetSocketAddress address) throws IOException {
    Socket socket = new Socket();
    try {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) readTimeout.toMillis());
      socket.connect(address, (int) connectTimeout.toMillis());
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }
}
