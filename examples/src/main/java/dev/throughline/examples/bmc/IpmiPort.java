// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import dev.throughline.examples.ipmi.IpmiRequest;
import dev.throughline.examples.ipmi.IpmiResponse;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers chassis commands over UDP. Real hardware wants a session first; this one does not. */
final class IpmiPort implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(IpmiPort.class);
  private static final int LARGEST_DATAGRAM = 512;

  private static final int POWER_DOWN = 0;
  private static final int POWER_UP = 1;
  private static final int POWER_CYCLE = 2;
  private static final int SOFT_SHUTDOWN = 5;

  private final PowerSupply power;
  private final ResponseDelay delay;
  private final DatagramSocket socket;

  private IpmiPort(PowerSupply power, ResponseDelay delay, DatagramSocket socket) {
    this.power = power;
    this.delay = delay;
    this.socket = socket;
  }

  /** Listens on a free port. */
  static IpmiPort open(PowerSupply power, ResponseDelay delay) throws IOException {
    InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    IpmiPort port = new IpmiPort(power, delay, new DatagramSocket(free));
    Thread thread = new Thread(port::serve, "ipmi");
    thread.setDaemon(true);
    thread.start();
    return port;
  }

  int number() {
    return socket.getLocalPort();
  }

  private void serve() {
    byte[] buffer = new byte[LARGEST_DATAGRAM];
    while (!socket.isClosed()) {
      try {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        socket.receive(packet);
        byte[] datagram = Arrays.copyOf(packet.getData(), packet.getLength());
        IpmiRequest request = IpmiRequest.fromDatagram(datagram).orElse(null);
        if (request != null) {
          byte[] answer = answer(request).toDatagram();
          delay.pass();
          socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        }
      } catch (IOException e) {
        if (!socket.isClosed()) {
          LOGGER.warn("An IPMI request was not answered", e);
        }
      }
    }
  }

  private IpmiResponse answer(IpmiRequest request) {
    if (request.netFn() != IpmiRequest.CHASSIS) {
      return IpmiResponse.to(request, IpmiResponse.INVALID_COMMAND);
    }
    return switch (request.command()) {
      case IpmiRequest.GET_CHASSIS_STATUS -> chassisStatus(request);
      case IpmiRequest.CHASSIS_CONTROL -> chassisControl(request);
      default -> IpmiResponse.to(request, IpmiResponse.INVALID_COMMAND);
    };
  }

  private IpmiResponse chassisStatus(IpmiRequest request) {
    if (!request.data().isEmpty()) {
      return IpmiResponse.to(request, IpmiResponse.INVALID_LENGTH);
    }
    int powerState = power.isOn() ? 1 : 0;
    int lastPowerEvent = 0;
    int miscellaneous = 0;
    return IpmiResponse.to(request, IpmiResponse.OK, powerState, lastPowerEvent, miscellaneous);
  }

  private IpmiResponse chassisControl(IpmiRequest request) {
    if (request.data().size() != 1) {
      return IpmiResponse.to(request, IpmiResponse.INVALID_LENGTH);
    }
    switch (request.data().get(0)) {
      case POWER_DOWN, SOFT_SHUTDOWN -> power.turnOff();
      case POWER_UP -> power.turnOn();
      case POWER_CYCLE -> {
        if (!power.cycle()) {
          return IpmiResponse.to(request, IpmiResponse.NOT_IN_PRESENT_STATE);
        }
      }
      default -> {
        return IpmiResponse.to(request, IpmiResponse.INVALID_FIELD);
      }
    }
    return IpmiResponse.to(request, IpmiResponse.OK);
  }

  @Override
  public void close() {
    socket.close();
  }
}
