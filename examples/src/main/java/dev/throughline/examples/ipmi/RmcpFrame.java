// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.ipmi;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The frame of an IPMI 1.5 message over LAN: the RMCP header, a session header that says "no
 * session, no authentication", and the message between its two checksums. Both checksums are two's
 * complements, so that the bytes they cover and they themselves add up to zero.
 */
final class RmcpFrame {

  /** The address of the BMC. */
  static final int BMC = 0x20;

  /** The address of software that is no BMC. */
  static final int REMOTE_CONSOLE = 0x81;

  private static final byte[] RMCP_HEADER = {
    0x06, 0x00, (byte) 0xFF, 0x07 // RMCP 1.0, reserved, "send no acknowledgement", class IPMI
  };
  private static final byte[] NO_SESSION = new byte[9]; // authentication type, sequence, session id
  private static final int MESSAGE_START = RMCP_HEADER.length + NO_SESSION.length + 1;
  private static final int FIRST_CHECKSUM = 2;
  private static final int DATA_START = 6;
  private static final int SHORTEST_MESSAGE = DATA_START + 1;
  private static final int LONGEST_MESSAGE = 0xFF;

  /** A message whose frame was intact. */
  record Message(int receiver, int netFn, int sequence, int command, List<Integer> data) {

    boolean isTo(int address) {
      return receiver == address;
    }
  }

  private RmcpFrame() {}

  static byte[] write(
      int receiver, int netFnAndLun, int sender, int sequence, int command, List<Integer> data) {
    int length = SHORTEST_MESSAGE + data.size();
    if (length > LONGEST_MESSAGE) {
      throw new IllegalArgumentException(data.size() + " bytes do not fit into an IPMI message");
    }
    ByteBuffer message = ByteBuffer.allocate(length).put((byte) receiver).put((byte) netFnAndLun);
    message.put(checksum(message.array(), 0, FIRST_CHECKSUM));
    message.put((byte) sender).put((byte) (sequence << 2)).put((byte) command);
    data.forEach(value -> message.put(value.byteValue()));
    message.put(checksum(message.array(), FIRST_CHECKSUM + 1, length - 1));
    return ByteBuffer.allocate(MESSAGE_START + length)
        .put(RMCP_HEADER)
        .put(NO_SESSION)
        .put((byte) length)
        .put(message.array())
        .array();
  }

  static Optional<Message> read(byte[] datagram) {
    if (datagram.length < MESSAGE_START + SHORTEST_MESSAGE
        || !startsWith(datagram, 0, RMCP_HEADER)
        || !startsWith(datagram, RMCP_HEADER.length, NO_SESSION)) {
      return Optional.empty();
    }
    byte[] message = Arrays.copyOfRange(datagram, MESSAGE_START, datagram.length);
    int last = message.length - 1;
    if ((datagram[MESSAGE_START - 1] & 0xFF) != message.length
        || message[FIRST_CHECKSUM] != checksum(message, 0, FIRST_CHECKSUM)
        || message[last] != checksum(message, FIRST_CHECKSUM + 1, last)) {
      return Optional.empty();
    }
    return Optional.of(
        new Message(
            message[0] & 0xFF,
            (message[1] & 0xFF) >> 2,
            (message[4] & 0xFF) >> 2,
            message[5] & 0xFF,
            unsigned(message, DATA_START, last)));
  }

  private static List<Integer> unsigned(byte[] bytes, int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> bytes[i] & 0xFF).toList();
  }

  private static boolean startsWith(byte[] bytes, int from, byte[] start) {
    return Arrays.equals(bytes, from, from + start.length, start, 0, start.length);
  }

  private static byte checksum(byte[] bytes, int from, int to) {
    int sum = 0;
    for (int i = from; i < to; i++) {
      sum += bytes[i];
    }
    return (byte) -sum;
  }
}
