// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.io.IOException;

/** Sends bytes to an OTLP receiver over one protocol. */
interface Wire {

  /** Bytes that stand before the encoded message. */
  int prefixLength();

  /** Writes what stands before a message of so many bytes. */
  void writePrefix(byte[] bytes, int messageLength);

  /**
   * Sends them, and waits for the answer.
   *
   * @throws IOException where none came
   */
  Answer send(Body body) throws IOException;

  /** Breaks off what is being sent, and lets the connections go. */
  void close();
}
