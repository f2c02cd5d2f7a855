// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/** A port at which nobody listens; it is bound, so that nobody else can do so meanwhile. */
public final class ClosedPort implements AutoCloseable {

  private final Socket bound = new Socket();

  public ClosedPort() throws IOException {
    bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  public int number() {
    return bound.getLocalPort();
  }

  public String authority() {
    return "localhost:" + number();
  }

  @Override
  public void close() throws IOException {
    bound.close();
  }
}
