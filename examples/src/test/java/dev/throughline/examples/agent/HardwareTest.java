// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.throughline.examples.agent.HardwareConsole.Kind;
import dev.throughline.examples.ipmi.IpmiRequest;
import dev.throughline.examples.ipmi.IpmiResponse;
import dev.throughline.telemetry.testing.TelemetryExtension;
import java.io.IOException;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the Agent's clients do when the hardware does not do what it should. */
class HardwareTest {

  private static final Duration LONG = Duration.ofSeconds(10);
  private static final Duration SHORT = Duration.ofMillis(50);

  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  @Test
  void asksForTheStatusThreeTimes() throws Exception {
    try (DatagramSocket silent = udp()) {
      IpmiClient ipmi = new IpmiClient(telemetry.telemetry(), SHORT);

      assertThatExceptionOfType(SocketTimeoutException.class)
          .isThrownBy(() -> ipmi.isPowerOn(address(silent)));
      byte[] first = receive(silent).getData();
      assertThat(receive(silent).getData()).isEqualTo(first);
      assertThat(receive(silent).getData()).isEqualTo(first);
      silent.setSoTimeout(1);
      assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> receive(silent));
    }
    assertThat(telemetry)
        .tree(
            """
            ipmi.get_chassis_status  CLIENT ERROR bmc.type=ipmi network.transport=udp error.type=java.net.SocketTimeoutException
            """);
  }

  @Test
  void switchesThePowerAtMostOnce() throws Exception {
    try (DatagramSocket silent = udp()) {
      IpmiClient ipmi = new IpmiClient(telemetry.telemetry(), SHORT);

      assertThatExceptionOfType(SocketTimeoutException.class)
          .isThrownBy(() -> ipmi.control(address(silent), PowerAction.CYCLE));
      receive(silent);
      silent.setSoTimeout(1);
      assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> receive(silent));
    }
    assertThat(telemetry).tree("ipmi.chassis_control  CLIENT ERROR ipmi.action=cycle");
  }

  @Test
  void takesOnlyTheAnswerToItsOwnRequest() throws Exception {
    try (DatagramSocket bmc = udp()) {
      CompletableFuture<Boolean> isOn =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return new IpmiClient(telemetry.telemetry(), LONG).isPowerOn(address(bmc));
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      DatagramPacket packet = receive(bmc);
      IpmiRequest request =
          IpmiRequest.fromDatagram(Arrays.copyOf(packet.getData(), packet.getLength()))
              .orElseThrow();
      IpmiRequest other = new IpmiRequest(0, request.sequence() + 1, 1, request.data());
      send(bmc, packet, new byte[] {1, 2, 3});
      send(bmc, packet, IpmiResponse.to(other, IpmiResponse.OK, 0, 0, 0).toDatagram());
      send(bmc, packet, IpmiResponse.to(request, IpmiResponse.OK, 1, 0, 0).toDatagram());

      assertThat(isOn.get(10, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(telemetry).tree("ipmi.get_chassis_status  CLIENT ipmi.completion_code=0");
  }

  @Test
  void aConsoleThatIsNotThereFailsTheDialAndTheConnect() throws Exception {
    InetSocketAddress closed;
    try (ServerSocket socket = tcp()) {
      closed = address(socket);
    }

    assertThatExceptionOfType(ConnectException.class)
        .isThrownBy(() -> connect(Kind.VNC, closed, BmcType.REDFISH, LONG));
    assertThat(telemetry)
        .tree(
            """
            vnc.connect  CLIENT ERROR bmc.type=redfish error.type=java.net.ConnectException
              tcp.dial   CLIENT ERROR network.transport=tcp error.type=java.net.ConnectException
            """);
  }

  @Test
  void aConsoleThatSaysNothingFailsTheConnectAlone() throws Exception {
    try (ServerSocket silent = tcp()) {
      assertThatExceptionOfType(SocketTimeoutException.class)
          .isThrownBy(() -> connect(Kind.VNC, address(silent), BmcType.IPMI, SHORT));
      assertThatExceptionOfType(SocketTimeoutException.class)
          .isThrownBy(() -> connect(Kind.SOL, address(silent), BmcType.IPMI, SHORT));
    }
    assertThat(telemetry)
        .tree(
            """
            vnc.connect  CLIENT ERROR bmc.type=ipmi
              tcp.dial   CLIENT
            sol.connect  CLIENT ERROR bmc.type=ipmi
              tcp.dial   CLIENT
            """);
  }

  @ParameterizedTest
  @CsvSource({
    "VNC, '', java.io.EOFException, hung up",
    "SOL, '', java.io.EOFException, hung up",
    "VNC, 'RFB 003.889\n', java.net.ProtocolException, does not speak RFB 3.8",
  })
  void aConsoleMayGreetBadly(Kind kind, String said, Class<Exception> type, String reason)
      throws Exception {
    try (ServerSocket console = tcp()) {
      answer(console, said.translateEscapes().getBytes(US_ASCII));

      assertThatExceptionOfType(type)
          .isThrownBy(() -> connect(kind, address(console), BmcType.IPMI, LONG))
          .withMessageContaining(reason);
    }
    telemetry.takeSpans(2);
  }

  @Test
  void aLineHasToEnd() throws Exception {
    try (ServerSocket console = tcp()) {
      answer(console, "x".repeat(5000).getBytes(US_ASCII));

      assertThatExceptionOfType(ProtocolException.class)
          .isThrownBy(() -> connect(Kind.SOL, address(console), BmcType.IPMI, LONG))
          .withMessageContaining("without end");
    }
    telemetry.takeSpans(2);
  }

  @Test
  void anOpenConsoleIsReadToItsEnd() throws Exception {
    try (ServerSocket socket = tcp()) {
      answer(socket, "hello\r\n\r\nlast".getBytes(US_ASCII));
      try (HardwareConsole console = connect(Kind.SOL, address(socket), BmcType.IPMI, LONG)) {
        assertThat(console.greeting()).asString().isEqualTo("hello");
        assertThat(console.read()).isEmpty();
        assertThat(console.read()).asString().isEqualTo("last");
        assertThat(console.read()).isNull();
      }
      answer(socket, "RFB 003.008\nabc".getBytes(US_ASCII));
      try (HardwareConsole console = connect(Kind.VNC, address(socket), BmcType.IPMI, LONG)) {
        assertThat(console.greeting()).asString().isEqualTo("RFB 003.008\n");
        assertThat(console.read()).asString().isEqualTo("abc");
        assertThat(console.read()).isNull();
      }
    }
    telemetry.takeSpans(4);
  }

  private static HardwareConsole connect(
      Kind kind, InetSocketAddress address, BmcType type, Duration timeout) throws IOException {
    return new ConsoleClient(telemetry.telemetry(), dialer(timeout)).connect(kind, address, type);
  }

  private static TcpDialer dialer(Duration timeout) {
    return new TcpDialer(telemetry.telemetry(), LONG, timeout);
  }

  /** Answers the next connection with all of these bytes, and hangs up when the other side did. */
  private static void answer(ServerSocket socket, byte[]... parts) {
    Thread thread =
        new Thread(
            () -> {
              try (Socket connection = socket.accept()) {
                for (byte[] part : parts) {
                  connection.getOutputStream().write(part);
                }
                connection.shutdownOutput();
                connection.getInputStream().readAllBytes();
              } catch (IOException e) {
                // The client left first.
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  private static DatagramSocket udp() throws IOException {
    DatagramSocket socket =
        new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    socket.setSoTimeout((int) LONG.toMillis());
    return socket;
  }

  private static ServerSocket tcp() throws IOException {
    return new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
  }

  private static InetSocketAddress address(DatagramSocket socket) {
    return (InetSocketAddress) socket.getLocalSocketAddress();
  }

  private static InetSocketAddress address(ServerSocket socket) {
    return (InetSocketAddress) socket.getLocalSocketAddress();
  }

  private static DatagramPacket receive(DatagramSocket socket) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[64], 64);
    socket.receive(packet);
    return packet;
  }

  private static void send(DatagramSocket socket, DatagramPacket to, byte[] bytes)
      throws IOException {
    socket.send(new DatagramPacket(bytes, bytes.length, to.getSocketAddress()));
  }
}
