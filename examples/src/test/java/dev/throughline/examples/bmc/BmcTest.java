// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.throughline.examples.ipmi.IpmiRequest;
import dev.throughline.examples.ipmi.IpmiResponse;
import dev.throughline.telemetry.Telemetry;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BmcTest {

  private static final String RESET = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
  private static final int TIMEOUT_MILLIS = 5_000;

  private final HttpClient http = HttpClient.newHttpClient();
  private Bmc bmc;

  @BeforeEach
  void start() throws IOException {
    bmc = new Bmc(Telemetry.noop(), Duration.ZERO);
  }

  @AfterEach
  void stop() throws IOException {
    bmc.close();
  }

  @Nested
  class Redfish {

    @Test
    void namesTheSystemAndItsPorts() throws Exception {
      assertThat(get("/redfish/v1/").body()).contains("\"RedfishVersion\":\"1.20.0\"");
      assertThat(get("/redfish/v1/Systems/1").body())
          .contains("\"PowerState\":\"On\"")
          .contains("\"GraphicalConsole\":{\"ServiceEnabled\":true,\"Port\":" + port("vnc") + "}")
          .contains("\"Telnet\":{\"ServiceEnabled\":true,\"Port\":" + port("serial") + "}")
          .contains("\"IPMI\":{\"ServiceEnabled\":true,\"Port\":" + port("ipmi") + "}")
          .contains(RESET);
    }

    @ParameterizedTest
    @CsvSource({
      "ForceOff, 204, Off",
      "GracefulShutdown, 204, Off",
      "On, 204, On",
      "PowerCycle, 204, On",
    })
    void switchesThePower(String type, int status, String state) throws Exception {
      HttpResponse<String> response = post(RESET, "{\"ResetType\":\"" + type + "\"}");

      assertThat(response.statusCode()).isEqualTo(status);
      assertThat(response.body()).isEmpty();
      assertThat(powerState()).isEqualTo(state);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "{}                    | Base.1.18.ActionParameterMissing",
          "{\"ResetType\":1}     | Base.1.18.ActionParameterValueTypeError",
          "{\"ResetType\":null}  | Base.1.18.ActionParameterValueTypeError",
          "{\"ResetType\":\"on\"}| Base.1.18.ActionParameterValueNotInList",
          "{\"ResetType\":       | Base.1.18.MalformedJSON",
          "[]                    | Base.1.18.MalformedJSON",
        })
    void refusesBadInput(String body, String messageId) throws Exception {
      HttpResponse<String> response = post(RESET, body);

      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(response.body())
          .startsWith("{\"error\":{\"code\":\"" + messageId + "\"")
          .contains("\"@Message.ExtendedInfo\":[{")
          .contains("\"MessageId\":\"" + messageId + "\"");
      assertThat(powerState()).isEqualTo("On");
    }

    @Test
    void refusesACycleWhileThePowerIsOff() throws Exception {
      post(RESET, "{\"ResetType\":\"ForceOff\"}");

      assertThat(post(RESET, "{\"ResetType\":\"PowerCycle\"}").statusCode()).isEqualTo(409);
      assertThat(powerState()).isEqualTo("Off");
    }

    @Test
    void refusesOtherPathsAndMethods() throws Exception {
      HttpResponse<String> missing = get("/redfish/v1/Systems/2");
      HttpResponse<String> wrong = get(RESET);

      assertThat(missing.statusCode()).isEqualTo(404);
      assertThat(missing.body()).contains("Base.1.18.ResourceNotFound");
      assertThat(wrong.statusCode()).isEqualTo(405);
      assertThat(wrong.headers().firstValue("Allow")).contains("POST");
      assertThat(wrong.body()).contains("Base.1.18.OperationNotAllowed");
    }

    private HttpResponse<String> get(String path) throws Exception {
      return send(HttpRequest.newBuilder(bmc.redfish().resolve(path)).GET());
    }
  }

  @Nested
  class Ipmi {

    @Test
    void tellsWhetherThePowerIsOn() throws Exception {
      // Get Chassis Status, sequence number 1; the answer has "power is on" as its first byte.
      assertThat(exchange("0600ff0700000000000000000007" + "2000e0" + "810401" + "7a"))
          .isEqualTo("0600ff070000000000000000000b" + "81047b" + "200401" + "00010000" + "da");
    }

    @Test
    void switchesThePowerThatRedfishShows() throws Exception {
      assertThat(control(0)).isEqualTo(IpmiResponse.OK);
      assertThat(powerState()).isEqualTo("Off");
      assertThat(control(1)).isEqualTo(IpmiResponse.OK);
      assertThat(powerState()).isEqualTo("On");
      assertThat(control(2)).isEqualTo(IpmiResponse.OK);
      assertThat(powerState()).isEqualTo("On");
      assertThat(control(5)).isEqualTo(IpmiResponse.OK);
      assertThat(powerState()).isEqualTo("Off");
    }

    @Test
    void refusesWhatItCannotDo() throws Exception {
      assertThat(control(2, 0)).isEqualTo(IpmiResponse.INVALID_LENGTH);
      assertThat(control()).isEqualTo(IpmiResponse.INVALID_LENGTH);
      assertThat(control(4)).isEqualTo(IpmiResponse.INVALID_FIELD);
      assertThat(powerState()).isEqualTo("On");
      control(0);
      assertThat(control(2)).isEqualTo(IpmiResponse.NOT_IN_PRESENT_STATE);
      assertThat(complete(IpmiRequest.CHASSIS, 0x0F)).isEqualTo(IpmiResponse.INVALID_COMMAND);
      assertThat(complete(0x06, IpmiRequest.GET_CHASSIS_STATUS))
          .isEqualTo(IpmiResponse.INVALID_COMMAND);
      assertThat(complete(IpmiRequest.CHASSIS, IpmiRequest.GET_CHASSIS_STATUS, 1))
          .isEqualTo(IpmiResponse.INVALID_LENGTH);
    }

    @Test
    void ignoresWhatIsNotIntact() throws Exception {
      byte[] powerDown = request(IpmiRequest.CHASSIS, IpmiRequest.CHASSIS_CONTROL, 0).toDatagram();
      powerDown[powerDown.length - 1]++;
      try (DatagramSocket socket = connect()) {
        send(socket, powerDown);
        send(socket, new byte[] {1, 2, 3});
        IpmiRequest next = request(IpmiRequest.CHASSIS, IpmiRequest.GET_CHASSIS_STATUS);
        send(socket, next.toDatagram());

        assertThat(IpmiResponse.fromDatagram(receive(socket)))
            .hasValueSatisfying(answer -> assertThat(answer.answers(next)).isTrue());
      }
      assertThat(powerState()).isEqualTo("On");
    }

    private int control(Integer... data) throws IOException {
      return complete(IpmiRequest.CHASSIS, IpmiRequest.CHASSIS_CONTROL, data);
    }

    private int complete(int netFn, int command, Integer... data) throws IOException {
      try (DatagramSocket socket = connect()) {
        send(socket, request(netFn, command, data).toDatagram());
        return IpmiResponse.fromDatagram(receive(socket)).orElseThrow().completionCode();
      }
    }

    private IpmiRequest request(int netFn, int command, Integer... data) {
      return new IpmiRequest(netFn, 7, command, List.of(data));
    }

    private String exchange(String datagram) throws IOException {
      try (DatagramSocket socket = connect()) {
        send(socket, HexFormat.of().parseHex(datagram));
        return HexFormat.of().formatHex(receive(socket));
      }
    }

    private DatagramSocket connect() throws IOException {
      DatagramSocket socket = new DatagramSocket();
      socket.connect(InetAddress.getLoopbackAddress(), port("ipmi"));
      socket.setSoTimeout(TIMEOUT_MILLIS);
      return socket;
    }

    private void send(DatagramSocket socket, byte[] bytes) throws IOException {
      socket.send(new DatagramPacket(bytes, bytes.length));
    }

    private byte[] receive(DatagramSocket socket) throws IOException {
      DatagramPacket packet = new DatagramPacket(new byte[512], 512);
      socket.receive(packet);
      return Arrays.copyOf(packet.getData(), packet.getLength());
    }
  }

  @Nested
  class Vnc {

    @Test
    void showsAMovingBarWhileThePowerIsOnAndABlackScreenElse() throws Exception {
      try (Socket socket = connect("vnc")) {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        shakeHands(in, out);

        assertThat(update(in, out, 0, 0, 16, 480, 4)).hasSize(16 * 480 * 4).containsOnly(0xFF);
        byte[] whole = update(in, out, 0, 0, 640, 480, 4);
        assertThat(whole).hasSize(640 * 480 * 4).contains(0, 0xFF);
        assertThat(update(in, out, 0, 0, 640, 480, 4)).isNotEqualTo(whole);
        post(RESET, "{\"ResetType\":\"ForceOff\"}");
        assertThat(update(in, out, 637, 478, 3, 2, 4)).hasSize(3 * 2 * 4).containsOnly(0);
        assertThat(update(in, out, 637, 478, 4, 2, 4)).isEmpty();
      }
    }

    @Test
    void takesEveryMessageOfAClient() throws Exception {
      try (Socket socket = connect("vnc")) {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        shakeHands(in, out);
        out.write(new byte[] {0, 0, 0, 0, 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0});
        out.write(new byte[] {2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1}); // raw, copy
        out.write(new byte[] {4, 1, 0, 0, 0, 0, 0, 65});
        out.write(new byte[] {5, 0, 0, 1, 0, 1});
        out.write(new byte[] {6, 0, 0, 0, 0, 0, 0, 2, 'h', 'i'});

        assertThat(update(in, out, 0, 0, 4, 4, 2)).hasSize(4 * 4 * 2);

        out.write(99);
        assertThat(in.read()).isEqualTo(-1);
      }
    }

    @Test
    void refusesOtherVersions() throws Exception {
      try (Socket socket = connect("vnc")) {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        in.readNBytes(12);
        socket.getOutputStream().write("RFB 003.003\n".getBytes(US_ASCII));

        assertThat(in.readUnsignedByte()).isZero();
        assertThat(text(in)).isEqualTo("Only RFB 3.8 is spoken here");
        assertThat(in.read()).isEqualTo(-1);
      }
    }

    @Test
    void refusesSecurityItDoesNotOffer() throws Exception {
      try (Socket socket = connect("vnc")) {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        socket.getOutputStream().write(in.readNBytes(12));
        in.readNBytes(2);
        socket.getOutputStream().write(2);

        assertThat(in.readInt()).isEqualTo(1);
        assertThat(text(in)).isEqualTo("Only security type None is offered");
        assertThat(in.read()).isEqualTo(-1);
      }
    }

    private void shakeHands(DataInputStream in, DataOutputStream out) throws IOException {
      byte[] version = in.readNBytes(12);
      assertThat(new String(version, US_ASCII)).isEqualTo("RFB 003.008\n");
      out.write(version);
      assertThat(in.readNBytes(2)).containsExactly(1, 1);
      out.writeByte(1);
      assertThat(in.readInt()).isZero();
      out.writeByte(0);
      assertThat(in.readUnsignedShort()).isEqualTo(640);
      assertThat(in.readUnsignedShort()).isEqualTo(480);
      assertThat(HexFormat.of().formatHex(in.readNBytes(16)))
          .isEqualTo("20180001" + "00ff00ff00ff" + "100800" + "000000");
      assertThat(text(in)).isEqualTo("Simulated server");
    }

    private byte[] update(
        DataInputStream in, DataOutputStream out, int x, int y, int w, int h, int bytesPerPixel)
        throws IOException {
      out.writeShort(3 << 8);
      for (int number : new int[] {x, y, w, h}) {
        out.writeShort(number);
      }
      assertThat(in.readUnsignedShort()).isZero();
      if (in.readUnsignedShort() == 0) {
        return new byte[0];
      }
      assertThat(in.readUnsignedShort()).isEqualTo(x);
      assertThat(in.readUnsignedShort()).isEqualTo(y);
      int pixels = in.readUnsignedShort() * in.readUnsignedShort();
      assertThat(in.readInt()).isZero();
      return in.readNBytes(pixels * bytesPerPixel);
    }

    private String text(DataInputStream in) throws IOException {
      return new String(in.readNBytes(in.readInt()), US_ASCII);
    }
  }

  @Test
  void echoesOnTheSerialConsole() throws Exception {
    try (Socket socket = connect("serial")) {
      BufferedReader in =
          new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII));
      assertThat(in.readLine()).isEqualTo("Serial console, power is on");
      socket.getOutputStream().write("one\r\ntwo\n".getBytes(US_ASCII));

      assertThat(in.readLine()).isEqualTo("one");
      assertThat(in.readLine()).isEqualTo("two");
    }
  }

  @Test
  void takesItsTimeOnEveryPort() throws Exception {
    Duration delay = Duration.ofMillis(50);
    bmc.responseDelay(delay);

    assertThat(timeOf(this::powerState)).isGreaterThanOrEqualTo(delay);
    assertThat(timeOf(() -> new Ipmi().control(1))).isGreaterThanOrEqualTo(delay);
    assertThat(timeOf(() -> firstByte("vnc"))).isGreaterThanOrEqualTo(delay);
    assertThat(timeOf(() -> firstByte("serial"))).isGreaterThanOrEqualTo(delay);
    assertThatIllegalArgumentException().isThrownBy(() -> bmc.responseDelay(Duration.ofMillis(-1)));
  }

  @Test
  void closesWhatIsOpen() throws Exception {
    try (Socket vnc = connect("vnc");
        Socket serial = connect("serial")) {
      vnc.getInputStream().readNBytes(12);
      serial.getInputStream().readNBytes(1); // one that is not accepted yet would be reset
      bmc.close();

      assertThat(vnc.getInputStream().read()).isEqualTo(-1);
      serial.getInputStream().readAllBytes();
    }
  }

  private Duration timeOf(Work work) throws Exception {
    long start = System.nanoTime();
    work.run();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  @FunctionalInterface
  private interface Work {
    Object run() throws Exception;
  }

  private int firstByte(String port) throws IOException {
    try (Socket socket = connect(port)) {
      return socket.getInputStream().read();
    }
  }

  private int port(String name) {
    return bmc.ports().get(name);
  }

  private Socket connect(String port) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port(port));
    socket.setSoTimeout(TIMEOUT_MILLIS);
    return socket;
  }

  private String powerState() throws Exception {
    String system =
        send(HttpRequest.newBuilder(bmc.redfish().resolve("/redfish/v1/Systems/1"))).body();
    return system.replaceAll(".*\"PowerState\":\"(\\w+)\".*", "$1");
  }

  private HttpResponse<String> post(String path, String body) throws Exception {
    return send(
        HttpRequest.newBuilder(bmc.redfish().resolve(path)).POST(BodyPublishers.ofString(body)));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return http.send(
        request.timeout(Duration.ofMillis(TIMEOUT_MILLIS)).build(), BodyHandlers.ofString());
  }
}
