// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import dev.throughline.examples.ipmi.IpmiRequest;
import dev.throughline.examples.ipmi.IpmiResponse;
import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.SpanBuilder;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.SpanKind;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Speaks IPMI over UDP. The protocol has no place for a trace context, so the span here is all that
 * a trace shows of it.
 */
final class IpmiClient {

  private static final int LARGEST_DATAGRAM = 512;
  private static final int SEQUENCE_NUMBERS = 64;
  private static final int STATUS_ATTEMPTS = 3;

  private final Telemetry telemetry;
  private final Duration timeout;
  private final AtomicInteger sequence = new AtomicInteger();

  /**
   * A client.
   *
   * @param timeout of one attempt
   */
  IpmiClient(Telemetry telemetry, Duration timeout) {
    this.telemetry = telemetry;
    this.timeout = timeout;
  }

  boolean isPowerOn(InetSocketAddress bmc) throws IOException {
    IpmiRequest request = request(IpmiRequest.GET_CHASSIS_STATUS, List.of());
    List<Integer> status =
        span("ipmi.get_chassis_status", bmc)
            .call(span -> exchange(bmc, request, STATUS_ATTEMPTS, span));
    return !status.isEmpty() && (status.get(0) & 1) == 1;
  }

  /** Is tried once only: when its answer is lost, the command may have been carried out. */
  void control(InetSocketAddress bmc, PowerAction action) throws IOException {
    IpmiRequest request = request(IpmiRequest.CHASSIS_CONTROL, List.of(action.chassisControl()));
    span("ipmi.chassis_control", bmc)
        .attribute("ipmi.action", action.word())
        .run(span -> exchange(bmc, request, 1, span));
  }

  private IpmiRequest request(int command, List<Integer> data) {
    int next = sequence.getAndUpdate(last -> (last + 1) % SEQUENCE_NUMBERS);
    return new IpmiRequest(IpmiRequest.CHASSIS, next, command, data);
  }

  private SpanBuilder span(String name, InetSocketAddress bmc) {
    return telemetry
        .span(name)
        .kind(SpanKind.CLIENT)
        .attribute("bmc.type", BmcType.IPMI.word())
        .attribute("network.transport", "udp")
        .attribute("server.address", bmc.getHostString())
        .attribute("server.port", bmc.getPort());
  }

  private List<Integer> exchange(
      InetSocketAddress bmc, IpmiRequest request, int attempts, ActiveSpan span)
      throws IOException {
    byte[] datagram = request.toDatagram();
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(bmc);
      for (int attempt = 1; attempt <= attempts; attempt++) {
        socket.send(new DatagramPacket(datagram, datagram.length));
        try {
          IpmiResponse response = receive(socket, request);
          span.attribute("ipmi.completion_code", response.completionCode());
          if (response.completionCode() != IpmiResponse.OK) {
            throw new IpmiException(response.completionCode());
          }
          return response.data();
        } catch (SocketTimeoutException e) {
          span.event("ipmi.no_answer");
        }
      }
    }
    throw new SocketTimeoutException("The BMC at " + bmc + " did not answer over IPMI");
  }

  private IpmiResponse receive(DatagramSocket socket, IpmiRequest request) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    byte[] buffer = new byte[LARGEST_DATAGRAM];
    while (true) {
      long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
      if (left <= 0) {
        throw new SocketTimeoutException();
      }
      socket.setSoTimeout((int) left);
      DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
      socket.receive(packet);
      IpmiResponse response =
          IpmiResponse.fromDatagram(Arrays.copyOf(packet.getData(), packet.getLength()))
              .orElse(null);
      if (response != null && response.answers(request)) {
        return response;
      }
    }
  }
}
