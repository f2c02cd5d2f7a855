// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.SpanKind;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;

/** Looks at a server's serial console. */
final class SolClient {

  private static final String PROBE = "are you there";

  private final Telemetry telemetry;
  private final TcpDialer dialer;

  SolClient(Telemetry telemetry, TcpDialer dialer) {
    this.telemetry = telemetry;
    this.dialer = dialer;
  }

  /**
   * Connects, and sees whether the console echoes.
   *
   * @return the line that the console greeted with
   */
  String connect(InetSocketAddress console, BmcType bmcType) throws IOException {
    return telemetry
        .span("sol.connect")
        .kind(SpanKind.CLIENT)
        .attribute("bmc.type", bmcType.word())
        .call(
            span -> {
              try (Socket socket = dialer.dial(console)) {
                return greet(socket, span);
              }
            });
  }

  private static String greet(Socket socket, ActiveSpan span) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
    String greeting = readLine(in);
    span.event("sol.greeted");
    socket.getOutputStream().write((PROBE + "\r\n").getBytes(UTF_8));
    if (!readLine(in).equals(PROBE)) {
      throw new ProtocolException("The serial console does not echo");
    }
    return greeting;
  }

  private static String readLine(BufferedReader in) throws IOException {
    String line = in.readLine();
    if (line == null) {
      throw new EOFException("The serial console hung up");
    }
    return line;
  }
}
