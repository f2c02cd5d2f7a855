// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import org.junit.jupiter.api.Test;

class TcpPortTest {

  private static final int TIMES = 2_000;
  private static final int TIMEOUT_MILLIS = 10_000;

  @Test
  void closesAConnectionThatComesWhileItCloses() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      TcpPort port = TcpPort.open("test", connection -> connection.getInputStream().read());
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port.number())) {
        socket.setSoTimeout(TIMEOUT_MILLIS);
        port.close();

        assertThat(isClosedByPeer(socket)).isTrue();
      }
    }
  }

  private static boolean isClosedByPeer(Socket socket) throws IOException {
    try {
      return socket.getInputStream().read() == -1;
    } catch (SocketException reset) {
      return true;
    }
  }
}
