// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.SpanKind;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Opens the consoles of a server: its screen, and its serial port. */
final class ConsoleClient {

  private final Telemetry telemetry;
  private final TcpDialer dialer;

  ConsoleClient(Telemetry telemetry, TcpDialer dialer) {
    this.telemetry = telemetry;
    this.dialer = dialer;
  }

  /** Connects, and waits until the console has greeted. */
  HardwareConsole connect(HardwareConsole.Kind kind, InetSocketAddress address, BmcType bmcType)
      throws IOException {
    return telemetry
        .span(kind.word() + ".connect")
        .kind(SpanKind.CLIENT)
        .attribute("bmc.type", bmcType.word())
        .call(
            span -> {
              Socket socket = dialer.dial(address);
              try {
                HardwareConsole console = new HardwareConsole(kind, socket);
                span.event("console.greeted");
                return console;
              } catch (IOException e) {
                socket.close();
                throw e;
              }
            });
  }
}
