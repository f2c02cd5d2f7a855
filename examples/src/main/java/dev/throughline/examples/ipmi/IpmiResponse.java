// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.ipmi;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A BMC's answer to an {@link IpmiRequest}.
 *
 * @param netFn the request's network function
 * @param sequence the request's
 * @param command the request's
 * @param completionCode {@link #OK} or why not
 * @param data what follows the completion code, each 0 to 255
 */
public record IpmiResponse(
    int netFn, int sequence, int command, int completionCode, List<Integer> data) {

  /** Completion code: done. */
  public static final int OK = 0x00;

  /** Completion code: the BMC does not know the command. */
  public static final int INVALID_COMMAND = 0xC1;

  /** Completion code: too few or too many data bytes. */
  public static final int INVALID_LENGTH = 0xC7;

  /** Completion code: a data byte has a value that is not defined. */
  public static final int INVALID_FIELD = 0xCC;

  /** Completion code: not in the present state, e.g. a power cycle while the power is off. */
  public static final int NOT_IN_PRESENT_STATE = 0xD5;

  /** The answer to a request. */
  public static IpmiResponse to(IpmiRequest request, int completionCode, Integer... data) {
    return new IpmiResponse(
        request.netFn(), request.sequence(), request.command(), completionCode, List.of(data));
  }

  /** Whether this answers that request. */
  public boolean answers(IpmiRequest request) {
    return netFn == request.netFn()
        && sequence == request.sequence()
        && command == request.command();
  }

  /** The datagram that carries this. */
  public byte[] toDatagram() {
    List<Integer> content = new ArrayList<>(data);
    content.add(0, completionCode);
    return RmcpFrame.write(
        RmcpFrame.REMOTE_CONSOLE, (netFn + 1) << 2, RmcpFrame.BMC, sequence, command, content);
  }

  /**
   * Reads a datagram.
   *
   * @return empty where it is anything else than an intact response
   */
  public static Optional<IpmiResponse> fromDatagram(byte[] datagram) {
    return RmcpFrame.read(datagram)
        .filter(
            message ->
                message.isTo(RmcpFrame.REMOTE_CONSOLE)
                    && message.netFn() % 2 == 1
                    && !message.data().isEmpty())
        .map(
            message ->
                new IpmiResponse(
                    message.netFn() - 1,
                    message.sequence(),
                    message.command(),
                    message.data().get(0),
                    message.data().subList(1, message.data().size())));
  }
}
