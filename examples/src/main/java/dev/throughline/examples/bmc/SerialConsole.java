// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.Socket;

/** The server's serial port: greets with where it stands, then echoes each line. */
final class SerialConsole implements TcpPort.Conversation {

  private final PowerSupply power;
  private final ResponseDelay delay;

  SerialConsole(PowerSupply power, ResponseDelay delay) {
    this.power = power;
    this.delay = delay;
  }

  @Override
  public void hold(Socket connection) throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(connection.getInputStream(), UTF_8));
    Writer out = new OutputStreamWriter(connection.getOutputStream(), UTF_8);
    print(out, "Serial console, power is " + (power.isOn() ? "on" : "off"));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      print(out, line);
    }
  }

  private void print(Writer out, String line) throws IOException {
    delay.pass();
    out.write(line + "\r\n");
    out.flush();
  }
}
