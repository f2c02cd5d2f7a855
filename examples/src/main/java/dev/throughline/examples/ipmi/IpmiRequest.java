// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.ipmi;

import java.util.List;
import java.util.Optional;

/**
 * A command to a BMC, outside of a session.
 *
 * @param netFn the network function, even: 0 is Chassis
 * @param sequence 0 to 63; comes back in the response
 * @param command within the network function
 * @param data bytes, each 0 to 255
 */
public record IpmiRequest(int netFn, int sequence, int command, List<Integer> data) {

  /** Network function Chassis. */
  public static final int CHASSIS = 0x00;

  /** Chassis command: is the power on? */
  public static final int GET_CHASSIS_STATUS = 0x01;

  /** Chassis command: switch the power. */
  public static final int CHASSIS_CONTROL = 0x02;

  /** The datagram that carries this. */
  public byte[] toDatagram() {
    return RmcpFrame.write(
        RmcpFrame.BMC, netFn << 2, RmcpFrame.REMOTE_CONSOLE, sequence, command, data);
  }

  /**
   * Reads a datagram.
   *
   * @return empty where it is anything else than an intact request
   */
  public static Optional<IpmiRequest> fromDatagram(byte[] datagram) {
    return RmcpFrame.read(datagram)
        .filter(message -> message.isTo(RmcpFrame.BMC) && message.netFn() % 2 == 0)
        .map(
            message ->
                new IpmiRequest(
                    message.netFn(), message.sequence(), message.command(), message.data()));
  }
}
