// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import java.io.IOException;

/** A thread of a test's server, which ends with its socket. */
final class Daemon {

  private Daemon() {}

  interface Work {
    void run() throws IOException;
  }

  static void start(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                // Closed.
              }
            });
    thread.setDaemon(true);
    thread.start();
  }
}
